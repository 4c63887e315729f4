#include "config.h"

#include "base/checksum.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { PIECE = 1 << 20 };

struct us_checksum {
    XXH3_state_t *state;
};

struct us_checksum *us_checksum_new(void)
{
    struct us_checksum *sum = us_calloc(1, sizeof *sum);
    if (!sum)
        return NULL;
    sum->state = XXH3_createState();
    if (!sum->state || XXH3_64bits_reset(sum->state) != XXH_OK) {
        us_fail(UNSEEN_FAILED, "memory", "there is none for a checksum");
        us_checksum_free(sum);
        return NULL;
    }
    return sum;
}

void us_checksum_add(struct us_checksum *sum, const void *bytes, size_t size)
{
    (void)XXH3_64bits_update(sum->state, bytes, size);
}

void us_checksum_text(const struct us_checksum *sum, char text[US_CHECKSUM_TEXT])
{
    snprintf(text, US_CHECKSUM_TEXT, "xxh3-%016" PRIx64, (uint64_t)XXH3_64bits_digest(sum->state));
}

void us_checksum_free(struct us_checksum *sum)
{
    if (!sum)
        return;
    XXH3_freeState(sum->state);
    free(sum);
}

static enum unseen_status add_all(int fd, const char *path, bool stops, struct us_checksum *sum, char *piece)
{
    for (;;) {
        ssize_t got = read(fd, piece, PIECE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return us_fail_errno(path, "cannot read");
        if (got == 0)
            return UNSEEN_OK;
        us_checksum_add(sum, piece, (size_t)got);
        if (stops && us_interrupted())
            return us_fail(UNSEEN_INTERRUPTED, path, "stopped on request");
    }
}

static enum unseen_status sum_file(const char *path, bool stops, char text[US_CHECKSUM_TEXT])
{
    enum unseen_status st = UNSEEN_OK;
    struct us_checksum *sum = NULL;
    char *piece = NULL;
    int fd = us_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return us_fail_errno(path, "cannot read");
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    US_TRY_ALLOC(sum = us_checksum_new());
    US_TRY_ALLOC(piece = us_calloc(PIECE, 1));
    US_TRY(add_all(fd, path, stops, sum, piece));
    us_checksum_text(sum, text);
out:
    close(fd);
    free(piece);
    us_checksum_free(sum);
    return st;
}

enum unseen_status us_checksum_file(const char *path, char text[US_CHECKSUM_TEXT])
{
    return sum_file(path, true, text);
}

enum unseen_status us_checksum_written(const char *path, char text[US_CHECKSUM_TEXT])
{
    return sum_file(path, false, text);
}

/* ---- once a process ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* over what follows */
static json_t *checked; /* names of files as they are, with what was checked */

/* What a file is as long as nobody writes it; fresh memory. */
static char *identity(const char *path, const char *what)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return NULL;
    return us_format("%ju %ju %jd %jd.%09ld %s", (uintmax_t)about.st_dev, (uintmax_t)about.st_ino,
                     (intmax_t)about.st_size, (intmax_t)about.st_mtim.tv_sec, about.st_mtim.tv_nsec, what);
}

bool us_checked(const char *path, const char *what)
{
    char *key = identity(path, what);
    pthread_mutex_lock(&mutex);
    bool found = key && checked && json_object_get(checked, key);
    pthread_mutex_unlock(&mutex);
    free(key);
    return found;
}

void us_checked_set(const char *path, const char *what)
{
    char *key = identity(path, what);
    pthread_mutex_lock(&mutex);
    if (!checked)
        checked = json_object();
    if (key && checked) /* else it is checked again */
        (void)json_object_set_new(checked, key, json_true());
    pthread_mutex_unlock(&mutex);
    free(key);
}

enum unseen_status us_checksum_check(const char *path, const char *expected, const char *says)
{
    char found[US_CHECKSUM_TEXT];
    if (us_checked(path, expected))
        return UNSEEN_OK;
    enum unseen_status st = us_checksum_file(path, found);
    if (st)
        return st;
    if (strcmp(found, expected) != 0)
        return us_fail(UNSEEN_BAD_DATA, path, "is damaged: it is not the file that %s tells the checksum of",
                       says);
    us_checked_set(path, expected);
    return UNSEEN_OK;
}
