#include "config.h"

#include "base/stamps.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/fs.h"

/* Larger files are told by their size: nobody writes them by hand. */
#define MOST_BYTES ((off_t)64 << 20)

static char *path_of(const char *root, const char *name)
{
    return us_format("%s/%s", root, name);
}

enum unseen_status us_stamps_read(const char *root, struct us_stamps *s)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = path_of(root, ".unseen/stamps");
    *s = (struct us_stamps){0};
    US_TRY_ALLOC(path);
    s->written = json_object();
    s->known = json_load_file(path, 0, NULL);
    if (!json_is_object(s->known)) {
        json_decref(s->known);
        s->known = json_object();
    }
    if (!s->known || !s->written)
        st = us_fail(UNSEEN_FAILED, "memory", "there is none for the stamps of files");
out:
    free(path);
    return st;
}

void us_stamps_free(struct us_stamps *s)
{
    json_decref(s->known);
    json_decref(s->written);
    *s = (struct us_stamps){0};
}

static void time_text(const struct stat *about, char text[48])
{
    snprintf(text, 48, "%jd.%09ld", (intmax_t)about->st_mtim.tv_sec, about->st_mtim.tv_nsec);
}

enum unseen_status us_stamps_compare(const struct us_stamps *s, const char *root, const char *name,
                                     bool *changed)
{
    enum unseen_status st = UNSEEN_OK;
    struct stat about;
    char time[48], sum[US_CHECKSUM_TEXT];
    const json_t *stamp = json_object_get(s->known, name);
    const char *was = json_string_value(json_object_get(stamp, "time"));
    const char *expected = json_string_value(json_object_get(stamp, "checksum"));
    char *path = path_of(root, name);
    *changed = false;
    US_TRY_ALLOC(path);
    if (!stamp || lstat(path, &about) != 0 || !S_ISREG(about.st_mode))
        goto out;
    time_text(&about, time);
    *changed = about.st_size != json_integer_value(json_object_get(stamp, "size"));
    /* A copy of the folder has other times. */
    if (*changed || !expected || (was && strcmp(was, time) == 0))
        goto out;
    US_TRY(us_checksum_file(path, sum));
    *changed = strcmp(sum, expected) != 0;
out:
    free(path);
    return st;
}

/* The stamps of files that are not written come back when the process ends in good order. */
void us_stamps_forget(struct us_stamps *s, const char *root, const char *name)
{
    char *path = json_object_size(s->written) == 0 ? path_of(root, ".unseen/stamps") : NULL;
    if (path)
        (void)unlink(path);
    free(path);
    (void)json_object_del(s->known, name);
    (void)json_object_set_new(s->written, name, json_true());
}

static enum unseen_status take(struct us_stamps *s, const char *root, const char *name)
{
    enum unseen_status st = UNSEEN_OK;
    struct stat about;
    char time[48], sum[US_CHECKSUM_TEXT] = "";
    char *path = path_of(root, name);
    US_TRY_ALLOC(path);
    if (lstat(path, &about) != 0 || !S_ISREG(about.st_mode))
        goto out;
    time_text(&about, time);
    if (about.st_size <= MOST_BYTES)
        US_TRY(us_checksum_written(path, sum));
    json_t *stamp = json_pack("{s:I, s:s, s:s*}", "size", (json_int_t)about.st_size, "time", time, "checksum",
                              *sum ? sum : NULL);
    (void)json_object_set_new(s->known, name, stamp);
out:
    free(path);
    return st;
}

static void drop_absent(json_t *known, const char *root)
{
    const char *name;
    json_t *stamp;
    void *next;
    json_object_foreach_safe(known, next, name, stamp)
    {
        char *path = path_of(root, name);
        if (path && !us_exists(path))
            (void)json_object_del(known, name);
        free(path);
    }
}

enum unseen_status us_stamps_save(struct us_stamps *s, const char *root, const char *temporary)
{
    enum unseen_status st = UNSEEN_OK;
    const char *name;
    json_t *value;
    char *path = path_of(root, ".unseen/stamps");
    US_TRY_ALLOC(path);
    if (json_object_size(s->written) == 0)
        goto out;
    json_object_foreach(s->written, name, value) US_TRY(take(s, root, name));
    drop_absent(s->known, root);
    if (json_dump_file(s->known, temporary, JSON_COMPACT | JSON_SORT_KEYS) || rename(temporary, path) != 0) {
        st = us_fail_errno(path, "cannot write");
        (void)unlink(temporary);
    }
out:
    free(path);
    return st;
}
