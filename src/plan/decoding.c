#include "config.h"

#include "plan/decoding.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/host_memory.h"
#include "loader/decoders.h"
#include "loader/reading.h"

/* Images that are decoded to take the time: some, and more for each thread. */
enum { SOME = 32, EACH = 16 };

/* Whether what is the same in every epoch is kept in memory, as us_images_open has it. */
static bool is_kept(const struct unseen_recipe *recipe, uint64_t bytes)
{
    if (recipe->cache == UNSEEN_CACHE_AUTO)
        return bytes <= us_host_memory_free() / 4;
    return recipe->cache == UNSEEN_CACHE_MEMORY;
}

static bool holds_as_taken(const struct unseen_dataset *data, const struct us_image_input *input)
{
    return data->reader->pixels[UNSEEN_TRAIN] && data->height == input->size && data->width == input->size &&
           input->resize == input->size;
}

enum unseen_status us_decoding_of(const struct unseen_dataset *data, const struct unseen_recipe *recipe,
                                  uint64_t room, struct us_decoding *decoding)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_image_input input;
    const uint64_t trained = (uint64_t)data->split[UNSEEN_TRAIN].n;
    const uint64_t n = trained + (uint64_t)data->split[UNSEEN_TEST].n;
    *decoding = (struct us_decoding){0};
    US_TRY(us_input_of(recipe, data, us_input_size(recipe, data, US_EVALUATION), &input));
    const bool held = holds_as_taken(data, &input);
    const uint64_t each = (uint64_t)input.size * (uint64_t)input.size * (uint64_t)data->channels;
    const bool kept = held || is_kept(recipe, n * each) || (!input.resized && trained * each <= room);
    decoding->trains = input.resized || !kept;
    decoding->evaluates = !kept;
    decoding->once = kept && !held ? (int64_t)n : 0;
out:
    return st;
}

static bool goes_on(void *context, double seconds)
{
    (void)context;
    (void)seconds;
    return !us_interrupted();
}

static enum unseen_status decode(struct us_images *images, const struct us_image_order *order, size_t bytes)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_waiting waiting = {goes_on, NULL};
    struct us_reader *reader = NULL;
    uint8_t *pixels = us_calloc(1, bytes);
    US_TRY_ALLOC(pixels);
    US_TRY(us_reader_begin(images, order, &reader));
    for (int64_t i = 0; i < order->n; i++)
        US_TRY(us_reader_take(reader, order->sample + i, 1, &waiting, pixels));
out:
    us_reader_end(reader);
    free(pixels);
    return st;
}

enum unseen_status us_decoding_measure(const struct unseen_dataset *data, const struct unseen_recipe *recipe,
                                       struct us_decoding *decoding)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_image_input input;
    struct us_images *images = NULL;
    int64_t *samples = NULL;
    const int64_t all = data->split[UNSEEN_TRAIN].n;
    US_TRY(us_input_of(recipe, data, us_input_size(recipe, data, 0), &input));
    US_TRY(us_images_open(data, &input, US_CACHE_OFF, &images));
    const int64_t most = SOME + EACH * (int64_t)us_decoders_count(), n = all < most ? all : most;
    US_TRY_ALLOC(samples = us_calloc((size_t)n, sizeof *samples));
    for (int64_t i = 0; i < n; i++)
        samples[i] = i * all / n;
    const struct us_image_order order = {
        .split = UNSEEN_TRAIN, .random = input.resized, .sample = samples, .n = n};
    const double start = us_seconds();
    US_TRY(decode(images, &order, us_image_bytes(images)));
    decoding->seconds = (us_seconds() - start) / (double)n;
out:
    us_images_close(images);
    free(samples);
    return st;
}
