/* Failing with a reason, and the checks that every layer writes the same way. */
#ifndef US_BASE_STATUS_H
#define US_BASE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "unseen/unseen.h"

/* Marks what the library exports beside its public interface, for the program `unseen`, which links nothing
 * else: the settings and what it takes to read them, to write files and to fail as the library does. No
 * header of it is installed, and it may change with any version. */
#define US_SHARED UNSEEN_API

/* Record "<where>: <what>" for unseen_last_error(), clear the hint, and return `status`.
 * `where` is a file, an option or a function as the reader knows it. */
US_SHARED enum unseen_status us_fail(enum unseen_status status, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with ": <strerror(errno)>" behind the text; status UNSEEN_FAILED. A full disk has a hint, which
 * also tells of finished parts while us_parts_kept counts above 0. */
US_SHARED enum unseen_status us_fail_errno(const char *where, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* From the first call with +1 to the last with -1 the work under way goes on from what it finished. */
void us_parts_kept(int more);

/* Say what to do about the failure just recorded. Returns nothing: call it after us_fail. */
US_SHARED void us_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Hint "<title>: a, b, c" with the names that `name(0)`, `name(1)`, ... give up to NULL. */
void us_hint_names(const char *title, const char *(*name)(int));

/* A failure on its way from the thread that met it to another. */
struct us_error {
    enum unseen_status status;
    char text[1024], hint[512];
};

/* Copy this thread's last failure, of that status; and record it again, in another thread. The latter returns
 * its status. */
void us_error_take(enum unseen_status status, struct us_error *error);
enum unseen_status us_error_again(const struct us_error *error);

/* calloc of `count` items of `size` bytes that records a failure. NULL on failure. Never NULL for
 * count 0. The caller frees with free(). */
US_SHARED void *us_calloc(size_t count, size_t size);

/* Growing realloc with the same promise; on failure the old block stays valid. */
void *us_realloc(void *block, size_t count, size_t size);

/* printf into fresh memory, freed with free(); NULL on failure, recorded. */
US_SHARED char *us_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* True once unseen_interrupt() was called. */
bool us_interrupted(void);

/* In a function with `enum unseen_status st` and a label `out`: leave on the first failure. */
#define US_TRY(call)                                                                                         \
    do {                                                                                                     \
        if ((st = (call)) != UNSEEN_OK)                                                                      \
            goto out;                                                                                        \
    } while (0)

/* The same for pointers that us_calloc and its kin returned. */
#define US_TRY_ALLOC(pointer)                                                                                \
    do {                                                                                                     \
        if (!(pointer)) {                                                                                    \
            st = UNSEEN_FAILED;                                                                              \
            goto out;                                                                                        \
        }                                                                                                    \
    } while (0)

#endif
