#include "config.h"

#include "base/reader.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/threads.h"

struct filling {
    const struct unseen_dataset *data;
    enum unseen_split split;
    uint8_t *pixels;
    size_t each;
    atomic_llong next;
    atomic_bool failed;
    struct us_error error; /* of the thread that set `failed` */
};

static enum unseen_status fill(struct filling *filling, struct us_scratch *scratch)
{
    const struct unseen_dataset *data = filling->data;
    enum unseen_status st = UNSEEN_OK;
    for (int64_t i; (i = atomic_fetch_add(&filling->next, 1)) < data->split[filling->split].n;) {
        if (filling->failed)
            break;
        US_TRY(us_interrupted() ? us_fail(UNSEEN_INTERRUPTED, data->location, "interrupted") : UNSEEN_OK);
        US_TRY(data->reader->read(data, scratch, filling->split, i, NULL, data->height, data->width,
                                  filling->pixels + (size_t)i * filling->each));
    }
out:
    return st;
}

static void work(void *context, int thread)
{
    struct filling *filling = context;
    struct us_scratch *scratch = NULL;
    enum unseen_status st = filling->data->reader->scratch_new(filling->data, &scratch);
    (void)thread;
    if (st == UNSEEN_OK) {
        st = fill(filling, scratch);
        filling->data->reader->scratch_free(scratch);
    }
    if (st != UNSEEN_OK && !atomic_exchange(&filling->failed, true))
        us_error_take(st, &filling->error);
}

enum unseen_status us_reader_fill(const struct unseen_dataset *data, enum unseen_split split)
{
    enum unseen_status st = UNSEEN_OK;
    struct filling filling = {.data = data, .split = split};
    if (data->reader->pixels[split] || data->split[split].n < 1)
        return UNSEEN_OK;
    filling.each = (size_t)data->height * (size_t)data->width * (size_t)data->channels;
    US_TRY_ALLOC(filling.pixels = us_calloc((size_t)data->split[split].n, filling.each));
    us_threads_run(us_threads(US_THREADS_MOST), work, &filling);
    if (filling.failed) {
        st = us_error_again(&filling.error);
        goto out;
    }
    data->reader->pixels[split] = filling.pixels;
    filling.pixels = NULL;
out:
    free(filling.pixels);
    return st;
}
