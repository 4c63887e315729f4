#include "config.h"

#include "datasets/index/headers.h"

#include "base/hash.h"
#include "base/threads.h"
#include "datasets/image/exif.h"
#include "datasets/index/file_pass.h"

/* Entries that a thread takes at once, and threads a processor: most of the time they wait for a disk.
 * Progress is shown from so many entries on. */
enum { BLOCK = 64, THREADS_EACH = 4, THREADS_MOST = 64, SHOWN = 16384 };

const char *us_entry_reason(const struct us_index *index, int64_t entry)
{
    return index->reasons.text + index->entries[entry].reason;
}

static enum unseen_status set_bad(struct us_file_pass *pass, struct us_entry *entry, const char *reason)
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
static enum unseen_status look_at(struct us_file_pass *pass, int64_t i, struct us_image_decoder *decoder,
                                  struct us_bytes *bytes)
{
    struct us_index *index = pass->index;
    struct us_entry *entry = &index->entries[i];
    char reason[US_REASON];
    int height = 0, width = 0;
    if (entry->looked_at)
        return UNSEEN_OK;
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

enum unseen_status us_headers_read(struct us_index *index, const char *location)
{
    struct us_file_pass pass = {.index = index,
                                .location = location,
                                .title = "index",
                                .threads = THREADS_EACH * us_threads(THREADS_MOST / THREADS_EACH),
                                .block = BLOCK,
                                .shown = SHOWN,
                                .look = look_at,
                                .lock = PTHREAD_MUTEX_INITIALIZER};
    return us_file_pass_run(&pass);
}
