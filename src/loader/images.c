#include "config.h"

#include "loader/images.h"

#include <stdlib.h>
#include <string.h>

#include "base/host_memory.h"
#include "base/log.h"
#include "base/threads.h"
#include "loader/decoders.h"

/* One ring takes no more than this part of the free memory: every model that trains may have two. */
enum { RING_SHARE = 64 };

struct us_images {
    struct us_images *next;
    int users;
    const struct unseen_dataset *data;
    struct us_image_input input;
    enum us_image_cache cache;
    bool decodes; /* not all is held by the dataset as it is wanted */
    int64_t ahead;
    struct us_image_kept kept[2];
    struct us_scratch *scratch[US_THREADS_MOST];
    bool has_scratch[US_THREADS_MOST];
};

static struct us_images *first; /* all that are open, under the decoders' lock */

size_t us_image_bytes(const struct us_images *images)
{
    return (size_t)images->input.size * (size_t)images->input.size * (size_t)images->data->channels;
}

int64_t us_images_count(const struct us_images *images, enum unseen_split split)
{
    return images->data->split[split].n;
}

/* Whether pictures of this size are taken as they are. */
static bool as_it_is(const struct us_images *images, int height, int width)
{
    const struct us_image_input *input = &images->input;
    return height == input->size && width == input->size && input->resize == input->size;
}

const uint8_t *us_images_held(const struct us_images *images, enum unseen_split split)
{
    const struct unseen_dataset *data = images->data;
    return as_it_is(images, data->height, data->width) ? data->reader->pixels[split] : NULL;
}

struct us_image_kept *us_images_kept(struct us_images *images, enum unseen_split split)
{
    return &images->kept[split];
}

static int64_t ahead_limit;

void us_images_ahead_limit(int64_t images)
{
    ahead_limit = images;
}

int64_t us_images_ahead(const struct us_images *images)
{
    return ahead_limit > 0 ? ahead_limit : images->ahead;
}

/* ---- open and close ---- */

static bool is_missing(const struct us_images *images, enum unseen_split split)
{
    return images->data->split[split].n > 0 && !us_images_held(images, split);
}

/* Room for what stays the same in every epoch. That it cannot be had is a failure only where it was asked
 * for. */
static enum unseen_status keep(struct us_images *images, enum unseen_split split, uint64_t *budget)
{
    static const char *const names[2] = {"training", "test"};
    struct us_image_kept *kept = &images->kept[split];
    const size_t n = (size_t)images->data->split[split].n, bytes = n * us_image_bytes(images);
    if (!is_missing(images, split) || images->cache == US_CACHE_OFF || bytes > *budget)
        return UNSEEN_OK;
    kept->pixels = malloc(bytes);
    kept->state = calloc(n, 1);
    if (!kept->pixels || !kept->state) {
        free(kept->pixels);
        free(kept->state);
        *kept = (struct us_image_kept){NULL};
        if (images->cache == US_CACHE_AUTO)
            return UNSEEN_OK;
        us_fail(UNSEEN_FAILED, "--cache", "no memory for the %s split, %.1f MiB at %d x %d pixels",
                names[split], (double)bytes / (1 << 20), images->input.size, images->input.size);
        us_hint("--cache off decodes every image again in every epoch");
        return UNSEEN_FAILED;
    }
    *budget -= bytes;
    us_log(UNSEEN_LOG_DEBUG, "the %s split is decoded once and kept in memory, %.1f MiB", names[split],
           (double)bytes / (1 << 20));
    return UNSEEN_OK;
}

/* As many as US_RING_BYTES hold, or a small share of what is free; but two a thread, lest one waits for the
 * other. */
static int64_t choose_ahead(const struct us_images *images, uint64_t memory_free)
{
    const uint64_t most = memory_free / RING_SHARE < US_RING_BYTES ? memory_free / RING_SHARE : US_RING_BYTES;
    const int64_t fit = (int64_t)(most / us_image_bytes(images)), least = 2 * us_decoders_count();
    return fit > least ? fit : least;
}

static uint64_t kept_bytes(const struct us_images *images, enum unseen_split split)
{
    return images->kept[split].pixels ? (uint64_t)images->data->split[split].n * us_image_bytes(images) : 0;
}

/* What US_CACHE_AUTO may take: a quarter of the free memory with all that is kept already, which need not be
 * filled yet. */
static uint64_t automatic_budget(uint64_t memory_free)
{
    uint64_t kept = 0;
    us_decoders_lock();
    for (const struct us_images *at = first; at; at = at->next)
        kept += kept_bytes(at, UNSEEN_TRAIN) + kept_bytes(at, UNSEEN_TEST);
    us_decoders_unlock();
    return memory_free / 4 > kept ? memory_free / 4 - kept : 0;
}

static enum unseen_status prepare(struct us_images *images)
{
    enum unseen_status st = UNSEEN_OK;
    const uint64_t memory_free = us_host_memory_free();
    uint64_t budget = images->cache == US_CACHE_AUTO ? automatic_budget(memory_free) : UINT64_MAX;
    US_TRY(keep(images, UNSEEN_TEST, &budget));
    US_TRY(keep(images, UNSEEN_TRAIN, &budget));
    if (images->input.resized || is_missing(images, UNSEEN_TRAIN) || is_missing(images, UNSEEN_TEST)) {
        US_TRY(us_decoders_begin());
        images->decodes = true;
        images->ahead = choose_ahead(images, memory_free);
    }
out:
    return st;
}

static void destroy(struct us_images *images)
{
    if (images->decodes)
        us_decoders_end();
    for (int i = 0; i < US_THREADS_MOST; i++) {
        if (images->has_scratch[i])
            images->data->reader->scratch_free(images->scratch[i]);
    }
    for (int s = 0; s < 2; s++) {
        free(images->kept[s].pixels);
        free(images->kept[s].state);
    }
    free(images);
}

static bool same_input(const struct us_image_input *a, const struct us_image_input *b)
{
    return a->size == b->size && a->resize == b->resize && a->resized == b->resized;
}

/* One that is open already, which gets a user more. */
static struct us_images *find(const struct unseen_dataset *data, const struct us_image_input *input,
                              enum us_image_cache cache)
{
    us_decoders_lock();
    struct us_images *images = first;
    while (images && !(images->data == data && same_input(&images->input, input) && images->cache == cache))
        images = images->next;
    if (images)
        images->users++;
    us_decoders_unlock();
    return images;
}

enum unseen_status us_images_open(const struct unseen_dataset *data, const struct us_image_input *input,
                                  enum us_image_cache cache, struct us_images **out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_images *images = find(data, input, cache);
    *out = images;
    if (images)
        return UNSEEN_OK;
    US_TRY_ALLOC(images = us_calloc(1, sizeof *images));
    images->users = 1;
    images->data = data;
    images->input = *input;
    images->cache = cache;
    st = prepare(images);
    if (st) {
        destroy(images);
        goto out;
    }
    us_decoders_lock();
    images->next = first;
    first = images;
    us_decoders_unlock();
    *out = images;
out:
    return st;
}

void us_images_close(struct us_images *images)
{
    if (!images)
        return;
    us_decoders_lock();
    const bool last = --images->users == 0;
    for (struct us_images **at = &first; last && *at; at = &(*at)->next) {
        if (*at == images) {
            *at = images->next;
            break;
        }
    }
    us_decoders_unlock();
    if (last)
        destroy(images);
}

/* ---- decoding ---- */

static enum unseen_status read_sample(const struct us_images *images, struct us_scratch *scratch,
                                      const struct us_image_order *order, int64_t sample, uint8_t *pixels)
{
    const struct unseen_dataset *data = images->data;
    const struct us_image_size size = us_image_size_of(data, order->split, sample);
    const bool whole = !order->random && as_it_is(images, size.height, size.width);
    const struct us_crop crop =
        order->random ? us_crop_random(order->seed, order->epoch, sample, size.height, size.width)
                      : us_crop_centre(&images->input, size.height, size.width);
    return data->reader->read(data, scratch, order->split, sample, whole ? NULL : &crop, images->input.size,
                              images->input.size, pixels);
}

enum unseen_status us_images_decode(struct us_images *images, int thread, const struct us_image_order *order,
                                    int64_t sample, uint8_t *pixels)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_dataset *data = images->data;
    struct us_scratch *own = NULL;
    if (thread < 0) {
        US_TRY(data->reader->scratch_new(data, &own));
        st = read_sample(images, own, order, sample, pixels);
        data->reader->scratch_free(own);
        goto out;
    }
    if (!images->has_scratch[thread]) {
        US_TRY(data->reader->scratch_new(data, &images->scratch[thread]));
        images->has_scratch[thread] = true;
    }
    st = read_sample(images, images->scratch[thread], order, sample, pixels);
out:
    return st;
}
