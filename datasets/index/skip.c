#include "config.h"

#include "datasets/index/skip.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/threads.h"
#include "datasets/format.h"
#include "datasets/index/file_pass.h"
#include "datasets/index/file_reader.h"
#include "datasets/index/headers.h"

/* Progress is shown from so many files on, and after each so many. */
enum { SHOWN = 1024 };

struct pass {
    struct us_file_pass files; /* first: what `look` is given */
    int64_t decoded;           /* under its lock */
};

/* The reason why entry i has no picture; "" if it has one. */
static enum unseen_status decode(const struct us_index *index, int64_t i, struct us_image_decoder *decoder,
                                 struct us_bytes *bytes, char reason[US_REASON])
{
    const struct us_place *place = &index->entries[i].place;
    int height = 0, width = 0;
    *reason = '\0';
    if (!us_store_try(index->store, us_index_name(index, i), place, 0, place->size, bytes, reason))
        return *reason ? UNSEEN_OK : UNSEEN_FAILED;
    if (!us_image_size(decoder, bytes->data, bytes->size, &height, &width) ||
        !us_image_decode(decoder, bytes->data, bytes->size, NULL))
        snprintf(reason, US_REASON, "%s", us_image_reason(decoder));
    return UNSEEN_OK;
}

static enum unseen_status decode_new(struct us_file_pass *files, int64_t i, struct us_image_decoder *decoder,
                                     struct us_bytes *bytes)
{
    struct pass *pass = (struct pass *)files;
    struct us_entry *entry = &files->index->entries[i];
    char reason[US_REASON];
    enum unseen_status st = UNSEEN_OK;
    if (entry->bad || entry->decoded != US_NOT_DECODED)
        return UNSEEN_OK;
    US_TRY(decode(files->index, i, decoder, bytes, reason));
    entry->decoded = *reason ? US_DAMAGED : US_DECODES;
    pthread_mutex_lock(&files->lock);
    pass->decoded++;
    pthread_mutex_unlock(&files->lock);
out:
    return st;
}

enum unseen_status us_skip_find(struct us_index *index, const char *location, int64_t *decoded)
{
    struct pass pass = {.files = {.index = index,
                                  .location = location,
                                  .title = "decode",
                                  .threads = us_threads(US_THREADS_MOST),
                                  .block = 1,
                                  .shown = SHOWN,
                                  .look = decode_new,
                                  .lock = PTHREAD_MUTEX_INITIALIZER}};
    const enum unseen_status st = us_file_pass_run(&pass.files);
    *decoded = pass.decoded;
    return st;
}

static enum unseen_status mark_split(struct unseen_dataset *dataset, enum unseen_split split)
{
    const struct us_index *index = us_files_index(dataset);
    struct unseen_images *images = &dataset->split[split];
    uint8_t *skipped = us_calloc((size_t)images->n, 1);
    if (!skipped)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < images->n; i++) {
        skipped[i] = us_files_lack(dataset, us_entry_of(index, split, i));
        images->n_skipped += skipped[i];
    }
    if (images->n_skipped > 0)
        images->skipped = skipped;
    else
        free(skipped);
    return UNSEEN_OK;
}

/* The reasons of damaged files are not kept: the first is decoded again to tell its own. */
static enum unseen_status first_reason(const struct us_index *index, int64_t i, char reason[US_REASON])
{
    struct us_image_decoder *decoder = NULL;
    struct us_bytes bytes = {0};
    enum unseen_status st = UNSEEN_OK;
    if (index->entries[i].bad) {
        snprintf(reason, US_REASON, "%s", us_entry_reason(index, i));
        return UNSEEN_OK;
    }
    US_TRY(us_image_open(&decoder));
    US_TRY(decode(index, i, decoder, &bytes, reason));
out:
    us_bytes_free(&bytes);
    us_image_close(decoder);
    return st;
}

enum unseen_status us_skip_mark(struct unseen_dataset *dataset)
{
    const struct us_index *index = us_files_index(dataset);
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    const int64_t n = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST];
    char reason[US_REASON] = "";
    int64_t first = 0;
    enum unseen_status st;
    US_TRY(mark_split(dataset, UNSEEN_TRAIN));
    US_TRY(mark_split(dataset, UNSEEN_TEST));
    const int64_t skipped = train->n_skipped + dataset->split[UNSEEN_TEST].n_skipped;
    if (skipped == 0) {
        us_log(UNSEEN_LOG_INFO, "%s: all %lld images are checked, none is skipped", dataset->location,
               (long long)n);
        goto out;
    }
    while (first < n && !us_files_lack(dataset, first))
        first++;
    US_TRY(first_reason(index, first, reason));
    if (train->n_skipped == train->n && train->n > 0)
        return us_fail(UNSEEN_BAD_DATA, dataset->location,
                       "none of the %lld training images can be read, the first is %s: %s",
                       (long long)train->n, us_index_name(index, first), reason);
    us_log(UNSEEN_LOG_WARNING, "%s: images that are skipped: %lld of %lld, the first is %s: %s",
           dataset->location, (long long)skipped, (long long)n, us_index_name(index, first), reason);
out:
    return st;
}
