#include "config.h"

#include "datasets/index/headers.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "base/progress.h"
#include "base/threads.h"
#include "datasets/image/exif.h"
#include "datasets/image/image.h"

/* Entries that a thread takes at once, and threads a processor: most of the time they wait for a disk.
 * Progress is shown from so many entries on. */
enum { BLOCK = 64, THREADS_EACH = 4, THREADS_MOST = 64, SHOWN = 16384 };

struct pass {
    struct us_index *index;
    const char *location;
    int64_t n;
    atomic_llong next;
    struct us_progress *progress; /* NULL: there is none */
    atomic_bool failed;
    pthread_mutex_t lock; /* of error and of the index's reasons */
    struct us_error error;
};

const char *us_entry_reason(const struct us_index *index, int64_t entry)
{
    return index->reasons.text + index->entries[entry].reason;
}

static void fail(struct pass *pass, enum unseen_status status)
{
    pthread_mutex_lock(&pass->lock);
    if (!pass->failed)
        us_error_take(status, &pass->error);
    pass->failed = true;
    pthread_mutex_unlock(&pass->lock);
}

static enum unseen_status set_bad(struct pass *pass, struct us_entry *entry, const char *reason)
{
    uint64_t at = 0;
    pthread_mutex_lock(&pass->lock);
    enum unseen_status st = us_text_add(&pass->index->reasons, reason, &at);
    pthread_mutex_unlock(&pass->lock);
    entry->bad = 1;
    entry->reason = (uint32_t)at;
    return st;
}

/* From the first bytes, or from more of them where these are not enough. */
static enum unseen_status look_at(struct pass *pass, struct us_image_decoder *decoder, int64_t i,
                                  struct us_bytes *bytes)
{
    struct us_index *index = pass->index;
    struct us_entry *entry = &index->entries[i];
    char reason[US_REASON];
    int height = 0, width = 0;
    entry->looked_at = 1;
    for (int64_t wanted = US_HEAD;; wanted *= 16) {
        if (!us_store_try(index->store, us_index_name(index, i), &entry->place, 0, wanted, bytes, reason))
            return !*reason ? UNSEEN_FAILED : set_bad(pass, entry, reason);
        if (wanted == US_HEAD)
            entry->head = us_hash(US_HASH_START, bytes->data, bytes->size);
        if (us_image_size(decoder, bytes->data, bytes->size, &height, &width))
            break;
        if ((int64_t)bytes->size == entry->place.size)
            return set_bad(pass, entry, us_image_reason(decoder));
    }
    entry->orientation = (uint8_t)us_exif_orientation(bytes->data, bytes->size);
    index->sizes[i] = (struct us_image_size){height, width};
    return UNSEEN_OK;
}

static void show(struct pass *pass, int64_t done)
{
    pthread_mutex_lock(&pass->lock);
    us_progress_update(pass->progress, (uint64_t)done, NULL);
    pthread_mutex_unlock(&pass->lock);
}

static enum unseen_status look_at_blocks(struct pass *pass, struct us_image_decoder *decoder,
                                         struct us_bytes *bytes)
{
    for (;;) {
        const int64_t from = atomic_fetch_add(&pass->next, BLOCK);
        if (from >= pass->n || pass->failed)
            return UNSEEN_OK;
        if (from % SHOWN == 0)
            show(pass, from);
        for (int64_t i = from; i < from + BLOCK && i < pass->n; i++) {
            enum unseen_status st =
                us_interrupted() ? us_fail(UNSEEN_INTERRUPTED, pass->location, "interrupted") : UNSEEN_OK;
            if (st == UNSEEN_OK && !pass->index->entries[i].looked_at)
                st = look_at(pass, decoder, i, bytes);
            if (st != UNSEEN_OK)
                return st;
        }
    }
}

static void work(void *context, int thread)
{
    struct pass *pass = context;
    struct us_image_decoder *decoder = NULL;
    struct us_bytes bytes = {0};
    enum unseen_status st;
    (void)thread;
    US_TRY(us_image_open(&decoder));
    US_TRY(look_at_blocks(pass, decoder, &bytes));
out:
    if (st != UNSEEN_OK)
        fail(pass, st);
    us_bytes_free(&bytes);
    us_image_close(decoder);
}

enum unseen_status us_headers_read(struct us_index *index, const char *location)
{
    struct pass pass = {.index = index,
                        .location = location,
                        .n = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST],
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    const int64_t blocks = (pass.n + BLOCK - 1) / BLOCK;
    const int threads = THREADS_EACH * us_threads(THREADS_MOST / THREADS_EACH);
    if (pass.n > SHOWN)
        pass.progress = us_progress_begin("index", "files", (uint64_t)pass.n);
    us_threads_run(blocks < threads ? (int)blocks : threads, work, &pass);
    us_progress_end(pass.progress);
    return pass.failed ? us_error_again(&pass.error) : UNSEEN_OK;
}
