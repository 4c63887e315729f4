#include "config.h"

#include "base/npy_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

/* The dictionary being read, between `at` and `end`. */
struct cursor {
    const char *path, *at, *end;
};

static enum unseen_status bad(const struct cursor *c, const char *reason)
{
    return us_fail(UNSEEN_BAD_DATA, c->path, "bad .npy header: %s", reason);
}

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t'))
        c->at++;
}

/* Takes `token` if it comes next. */
static bool take(struct cursor *c, char token)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != token)
        return false;
    c->at++;
    return true;
}

static bool take_word(struct cursor *c, const char *word)
{
    skip_blanks(c);
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* A quoted string without escapes; false if there is none or it does not fit `room`. */
static bool take_string(struct cursor *c, char *text, size_t room)
{
    char quote = take(c, '\'') ? '\'' : take(c, '"') ? '"' : '\0';
    if (!quote)
        return false;
    const char *close = memchr(c->at, quote, (size_t)(c->end - c->at));
    if (!close || (size_t)(close - c->at) >= room)
        return false;
    memcpy(text, c->at, (size_t)(close - c->at));
    text[close - c->at] = '\0';
    c->at = close + 1;
    return true;
}

static bool take_length(struct cursor *c, int64_t *length)
{
    skip_blanks(c);
    const char *start = c->at;
    int64_t value = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *c->at - '0', &value))
            return false;
    }
    if (c->at == start)
        return false;
    if (c->at < c->end && *c->at == 'L') /* Python 2 wrote long integers so */
        c->at++;
    *length = value;
    return true;
}

static enum unseen_status take_shape(struct cursor *c, struct us_npy_header *header)
{
    if (!take(c, '('))
        return bad(c, "shape is not a tuple");
    header->ndim = 0;
    while (!take(c, ')')) {
        int64_t length;
        if (!take_length(c, &length))
            return bad(c, "shape is not a tuple of lengths");
        if (header->ndim == 4)
            return us_fail(UNSEEN_BAD_DATA, c->path, "has more than 4 dimensions");
        header->shape[header->ndim++] = length;
        if (take(c, ','))
            continue;
        if (!take(c, ')'))
            return bad(c, "shape is not closed");
        break;
    }
    return UNSEEN_OK;
}

static enum unseen_status take_value(struct cursor *c, const char *key, struct us_npy_header *header,
                                     unsigned *seen)
{
    if (strcmp(key, "descr") == 0) {
        *seen |= 1;
        skip_blanks(c);
        if (c->at < c->end && *c->at == '[')
            return us_fail(UNSEEN_BAD_DATA, c->path, "structured arrays are not supported");
        if (!take_string(c, header->descr, sizeof header->descr) || header->descr[0] == '\0')
            return bad(c, "descr is not a type");
        return UNSEEN_OK;
    }
    if (strcmp(key, "fortran_order") == 0) {
        *seen |= 2;
        header->fortran_order = take_word(c, "True");
        if (!header->fortran_order && !take_word(c, "False"))
            return bad(c, "fortran_order is neither True nor False");
        return UNSEEN_OK;
    }
    if (strcmp(key, "shape") == 0) {
        *seen |= 4;
        return take_shape(c, header);
    }
    return bad(c, "a key is not descr, fortran_order or shape");
}

static enum unseen_status parse_dictionary(struct cursor *c, struct us_npy_header *header)
{
    unsigned seen = 0;
    if (!take(c, '{'))
        return bad(c, "no dictionary");
    while (!take(c, '}')) {
        char key[16];
        if (!take_string(c, key, sizeof key) || !take(c, ':'))
            return bad(c, "not a dictionary");
        enum unseen_status st = take_value(c, key, header, &seen);
        if (st != UNSEEN_OK)
            return st;
        if (take(c, ','))
            continue;
        if (!take(c, '}'))
            return bad(c, "the dictionary is not closed");
        break;
    }
    skip_blanks(c);
    if (c->at != c->end)
        return bad(c, "something follows the dictionary");
    if (seen != 7)
        return bad(c, "descr, fortran_order or shape is missing");
    return UNSEEN_OK;
}

enum unseen_status us_npy_header_parse(const char *path, const void *bytes, size_t size,
                                       struct us_npy_header *header)
{
    const unsigned char *p = bytes;
    if (size < 10 || memcmp(p, magic, sizeof magic) != 0)
        return us_fail(UNSEEN_BAD_DATA, path, "is not a .npy file");
    if (p[6] < 1 || p[6] > 3)
        return us_fail(UNSEEN_BAD_DATA, path, "is .npy version %d.%d, which is not known", p[6], p[7]);
    size_t start = p[6] == 1 ? 10 : 12;
    if (size < start)
        return us_fail(UNSEEN_BAD_DATA, path, "ends inside its header");
    size_t length = p[8] | (size_t)p[9] << 8;
    if (p[6] > 1)
        length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
    if (length > size - start)
        return us_fail(UNSEEN_BAD_DATA, path, "ends inside its header");
    struct us_npy_header read = {.data_offset = start + length};
    struct cursor c = {path, (const char *)p + start, (const char *)p + start + length};
    enum unseen_status st = parse_dictionary(&c, &read);
    if (st == UNSEEN_OK)
        *header = read;
    return st;
}

size_t us_npy_header_make(const char *descr, int ndim, const int64_t *shape, char *header)
{
    char lengths[4 * 22] = "";
    size_t used = 0;
    for (int i = 0; i < ndim; i++)
        used +=
            (size_t)snprintf(lengths + used, sizeof lengths - used, "%s%" PRId64, i ? ", " : "", shape[i]);
    size_t size = (size_t)snprintf(header + 10, US_NPY_HEADER_MAX - 10,
                                   "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }", descr,
                                   lengths, ndim == 1 ? "," : "") +
                  10;
    size_t padded = (size + 1 + 63) / 64 * 64; /* 1: the line feed that ends it */
    memset(header + size, ' ', padded - size - 1);
    header[padded - 1] = '\n';
    memcpy(header, magic, sizeof magic);
    header[6] = 1;
    header[7] = 0;
    header[8] = (char)((padded - 10) & 0xff);
    header[9] = (char)((padded - 10) >> 8);
    return padded;
}
