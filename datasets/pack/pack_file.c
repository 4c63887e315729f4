#include "config.h"

#include "datasets/pack/pack_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sha256.h"

void us_pack_header_put(const struct us_pack_header *header, uint8_t bytes[US_PACK_HEADER])
{
    memset(bytes, 0, US_PACK_HEADER);
    memcpy(bytes, US_PACK_MAGIC, 8);
    us_put_number(bytes + 8, US_PACK_VERSION, 4);
    us_put_number(bytes + 16, header->table, 8);
    us_put_number(bytes + 24, header->table_size, 8);
    memcpy(bytes + 32, header->digest, 32);
    us_put_number(bytes + 64, header->settings_size, 8);
}

enum unseen_status us_pack_header_get(const char *file, const uint8_t *bytes, size_t size,
                                      struct us_pack_header *header)
{
    if (size < US_PACK_HEADER || memcmp(bytes, US_PACK_MAGIC, 8) != 0)
        return us_fail(UNSEEN_BAD_DATA, file, "is no pack");
    const unsigned version = (unsigned)us_get_number(bytes + 8, 4);
    if (version != US_PACK_VERSION)
        return us_fail(UNSEEN_BAD_DATA, file, "is a pack of version %u, and this program reads version %d",
                       version, US_PACK_VERSION);
    header->table = us_get_number(bytes + 16, 8);
    header->table_size = us_get_number(bytes + 24, 8);
    memcpy(header->digest, bytes + 32, 32);
    header->settings_size = us_get_number(bytes + 64, 8);
    return UNSEEN_OK;
}

struct reading {
    const char *file;
    int handle;
    int64_t size;
    struct us_pack_header header;
    const uint8_t *at, *end; /* what of the table is not taken yet */
};

static enum unseen_status read_at(const struct reading *r, void *to, size_t size, uint64_t from)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(r->handle, (char *)to + done, size - done, (off_t)(from + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return us_fail_errno(r->file, "cannot read");
        if (got == 0)
            return us_fail(UNSEEN_BAD_DATA, r->file, "ends too early");
        done += (size_t)got;
    }
    return UNSEEN_OK;
}

static enum unseen_status damaged(const struct reading *r, const char *what)
{
    us_fail(UNSEEN_BAD_DATA, r->file, "is damaged: %s", what);
    us_hint("make the pack again, or copy it again from where it was made");
    return UNSEEN_BAD_DATA;
}

static enum unseen_status open_file(struct reading *r)
{
    struct stat about;
    uint8_t bytes[US_PACK_HEADER];
    enum unseen_status st;
    r->handle = us_open(r->file, O_RDONLY | O_CLOEXEC, 0);
    if (r->handle < 0 || fstat(r->handle, &about) != 0)
        return us_fail(UNSEEN_BAD_DATA, r->file, "%s", strerror(errno));
    r->size = about.st_size;
    if (!S_ISREG(about.st_mode) || r->size < US_PACK_HEADER)
        return us_fail(UNSEEN_BAD_DATA, r->file, "is no pack");
    US_TRY(read_at(r, bytes, sizeof bytes, 0));
    US_TRY(us_pack_header_get(r->file, bytes, sizeof bytes, &r->header));
    if (r->header.table == 0) {
        us_fail(UNSEEN_BAD_DATA, r->file, "is a pack that is not finished");
        us_hint("the command that began it goes on with it");
        return UNSEEN_BAD_DATA;
    }
    if (r->header.table > (uint64_t)r->size || r->header.table_size > (uint64_t)r->size - r->header.table ||
        r->header.table_size < US_PACK_COUNTS)
        return damaged(r, "it ends before its table does");
out:
    return st;
}

/* The next text of the table; NULL if it does not end in it. */
static const char *take_text(struct reading *r)
{
    const uint8_t *end = memchr(r->at, 0, (size_t)(r->end - r->at));
    const char *text = (const char *)r->at;
    if (!end)
        return NULL;
    r->at = end + 1;
    return text;
}

static enum unseen_status take_counts(struct reading *r, struct us_pack_table *table)
{
    uint64_t count[5];
    for (int i = 0; i < 5; i++, r->at += 8)
        count[i] = us_get_number(r->at, 8);
    const uint64_t most = r->header.table_size;
    if (count[0] > most || count[1] > most || count[2] > most || count[2] > INT32_MAX ||
        (count[0] + count[1]) * US_PACK_ENTRY > (uint64_t)(r->end - r->at))
        return damaged(r, "its counts cannot be");
    table->n[0] = (int64_t)count[0];
    table->n[1] = (int64_t)count[1];
    table->n_classes = (int)count[2];
    table->class_at[0] = count[3];
    table->class_at[1] = count[4];
    return UNSEEN_OK;
}

static enum unseen_status take_entries(struct reading *r, struct us_pack_table *table)
{
    const int64_t n = table->n[0] + table->n[1];
    table->samples = us_calloc((size_t)n, sizeof *table->samples);
    table->classes = us_calloc((size_t)table->n_classes, sizeof *table->classes);
    if (!table->samples || !table->classes)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < n; i++, r->at += US_PACK_ENTRY) {
        struct us_packed_sample *sample = &table->samples[i];
        *sample = (struct us_packed_sample){.offset = us_get_number(r->at, 8),
                                            .size = us_get_number(r->at + 8, 8),
                                            .sum = us_get_number(r->at + 16, 8),
                                            .index = us_get_number(r->at + 24, 8),
                                            .label = (int32_t)us_get_number(r->at + 32, 4)};
        if (sample->offset > r->header.table || sample->size > r->header.table - sample->offset)
            return damaged(r, "a sample lies outside of it");
        if (sample->label < 0 || sample->label >= table->n_classes)
            return damaged(r, "a label is out of range");
    }
    return UNSEEN_OK;
}

static enum unseen_status take_names(struct reading *r, struct us_pack_table *table)
{
    bool good = true;
    for (int c = 0; c < table->n_classes && good; c++)
        good = (table->classes[c] = take_text(r)) != NULL;
    for (int64_t i = 0; i < table->n[0] + table->n[1] && good; i++) {
        const char *name = table->samples[i].name = take_text(r);
        good = name && strlen(name) > table->class_at[i >= table->n[0]];
    }
    return good ? UNSEEN_OK : damaged(r, "names are missing");
}

enum unseen_status us_pack_table_read(const char *file, struct us_pack_table *table)
{
    struct reading r = {.file = file, .handle = -1};
    uint8_t digest[32];
    enum unseen_status st;
    US_TRY(open_file(&r));
    US_TRY_ALLOC(table->bytes = us_calloc(r.header.table_size, 1));
    US_TRY(read_at(&r, table->bytes, r.header.table_size, r.header.table));
    us_sha256_bytes(table->bytes, r.header.table_size, digest);
    if (memcmp(digest, r.header.digest, sizeof digest) != 0) {
        st = damaged(&r, "its table has not the digest that the header names");
        goto out;
    }
    r.at = table->bytes;
    r.end = table->bytes + r.header.table_size;
    US_TRY(take_counts(&r, table));
    US_TRY(take_entries(&r, table));
    US_TRY(take_names(&r, table));
out:
    if (r.handle >= 0)
        close(r.handle);
    return st;
}

void us_pack_table_free(struct us_pack_table *table)
{
    free(table->bytes);
    free(table->classes);
    free(table->samples);
    *table = (struct us_pack_table){0};
}
