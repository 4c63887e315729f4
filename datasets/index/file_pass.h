/* Passes over all files of an index by several threads, each with a decoder and room for a file's bytes. */
#ifndef US_DATASETS_FILE_PASS_H
#define US_DATASETS_FILE_PASS_H

#include <pthread.h>
#include <stdatomic.h>

#include "datasets/image/image.h"
#include "datasets/index/index.h"

struct us_file_pass {
    struct us_index *index;
    const char *location; /* names the data */
    const char *title;    /* of the progress */
    int threads;          /* at most */
    int64_t block;        /* files that a thread takes at once */
    int64_t shown;        /* files from which on progress is shown, and after each of which it is */

    /* What is done with file i, without the lock. A failure ends the pass. */
    enum unseen_status (*look)(struct us_file_pass *pass, int64_t i, struct us_image_decoder *decoder,
                               struct us_bytes *bytes);
    pthread_mutex_t lock; /* for `look`, where threads share what it changes */

    /* ---- set by us_file_pass_run ---- */
    int64_t n;
    atomic_llong next;
    atomic_bool failed;
    struct us_error error;
    struct us_progress *progress; /* NULL: there is none */
};

/* Until all files are seen or one fails; the first failure is the call's. UNSEEN_INTERRUPTED between files.
 * What is set by it is zeroed by the caller. */
enum unseen_status us_file_pass_run(struct us_file_pass *pass);

#endif
