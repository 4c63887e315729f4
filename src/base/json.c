#include "config.h"

#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "base/text.h"
#include "base/utf8.h"

enum unseen_status us_json_parse(const char *name, const char *text, size_t size, json_t **object)
{
    json_error_t error;
    void *before = us_c_locale_begin(); /* jansson mends a decimal comma, but no longer sign */
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    us_c_locale_end(before);
    if (!value)
        return us_fail(UNSEEN_BAD_DATA, name, "line %d: %s", error.line, error.text);
    if (!json_is_object(value)) {
        json_decref(value);
        return us_fail(UNSEEN_BAD_DATA, name, "is not a JSON object");
    }
    *object = value;
    return UNSEEN_OK;
}

enum unseen_status us_json_load(const char *path, json_t **object)
{
    char *text;
    size_t size;
    enum unseen_status st = us_read_file(path, &text, &size);
    if (st != UNSEEN_OK)
        return st;
    st = us_json_parse(path, text, size, object);
    free(text);
    return st;
}

enum unseen_status us_json_save(const char *path, const json_t *value)
{
    if (!value)
        return us_fail(UNSEEN_FAILED, path, "memory ran out while its contents were put together");
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st != UNSEEN_OK)
        return st;
    void *before = us_c_locale_begin();
    int bad = json_dumpf(value, file.stream, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    us_c_locale_end(before);
    if (bad && !ferror(file.stream)) { /* a failing stream is the commit's to report */
        us_atomic_abandon(&file);
        return us_fail(UNSEEN_FAILED, path, "cannot be put into JSON");
    }
    putc('\n', file.stream);
    return us_atomic_commit(&file);
}

json_t *us_json_float(float value)
{
    if (!isfinite(value))
        return json_null();
    char text[32];
    double decimal = value;
    for (int digits = 6; digits <= 9; digits++) { /* 9 are always enough */
        us_print_to(text, sizeof text, "%.*g", digits, (double)value);
        decimal = us_read_number(text, NULL);
        if ((float)decimal == value)
            break;
    }
    return json_real(decimal);
}

json_t *us_json_text(const char *text)
{
    static const char other[] = "\xEF\xBF\xBD";
    size_t size = 0;
    char *valid = us_calloc(strlen(text) + 1, sizeof other - 1);
    if (!valid)
        return NULL;
    while (*text) {
        size_t length = (size_t)us_utf8_length(text);
        memcpy(valid + size, length ? text : other, length ? length : sizeof other - 1);
        size += length ? length : sizeof other - 1;
        text += length ? length : 1;
    }
    json_t *string = json_stringn(valid, size);
    free(valid);
    return string;
}

static enum unseen_status find(const json_t *object, const char *file, const char *key, json_t **value)
{
    *value = json_object_get(object, key);
    if (*value)
        return UNSEEN_OK;
    return us_fail(UNSEEN_BAD_DATA, file, "\"%s\" is missing", key);
}

enum unseen_status us_json_integer(const json_t *object, const char *file, const char *key, int64_t low,
                                   int64_t high, int64_t *value)
{
    json_t *found;
    enum unseen_status st = find(object, file, key, &found);
    if (st != UNSEEN_OK)
        return st;
    if (!json_is_integer(found))
        return us_fail(UNSEEN_BAD_DATA, file, "\"%s\" is not an integer", key);
    int64_t integer = json_integer_value(found);
    if (integer < low || integer > high)
        return us_fail(UNSEEN_BAD_DATA, file, "\"%s\" is %" PRId64 ", out of range %" PRId64 "..%" PRId64,
                       key, integer, low, high);
    *value = integer;
    return UNSEEN_OK;
}

enum unseen_status us_json_real(const json_t *object, const char *file, const char *key, double low,
                                double high, double *value)
{
    json_t *found;
    enum unseen_status st = find(object, file, key, &found);
    if (st != UNSEEN_OK)
        return st;
    if (!json_is_number(found))
        return us_fail(UNSEEN_BAD_DATA, file, "\"%s\" is not a number", key);
    double real = json_number_value(found);
    if (real < low || real > high)
        return us_fail(UNSEEN_BAD_DATA, file, "\"%s\" is %g, out of range %g..%g", key, real, low, high);
    *value = real;
    return UNSEEN_OK;
}

enum unseen_status us_json_string(const json_t *object, const char *file, const char *key, const char **value)
{
    json_t *found;
    enum unseen_status st = find(object, file, key, &found);
    if (st != UNSEEN_OK)
        return st;
    if (!json_is_string(found))
        return us_fail(UNSEEN_BAD_DATA, file, "\"%s\" is not a string", key);
    *value = json_string_value(found);
    return UNSEEN_OK;
}
