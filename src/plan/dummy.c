#include "config.h"

#include "plan/dummy.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/rng.h"

struct dummy {
    struct unseen_dataset dataset;
    struct unseen_reader reader;
    int32_t *labels;
    uint8_t *pixels;
};

static void draw(struct dummy *dummy, size_t bytes)
{
    uint32_t word[4];
    for (size_t at = 0; at < bytes; at += sizeof word) {
        us_philox(1, US_STREAM_SYNTH, 0, at, word);
        memcpy(dummy->pixels + at, word, bytes - at < sizeof word ? bytes - at : sizeof word);
    }
}

enum unseen_status us_dummy_new(const struct unseen_dataset *like, int size, int64_t n,
                                struct unseen_dataset **dataset)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t bytes = (size_t)n * (size_t)size * (size_t)size * (size_t)like->channels;
    struct dummy *dummy = us_calloc(1, sizeof *dummy);
    US_TRY_ALLOC(dummy);
    *dataset = &dummy->dataset;
    dummy->dataset = (struct unseen_dataset){.format = "dummy",
                                             .height = size,
                                             .width = size,
                                             .channels = like->channels,
                                             .classes = like->classes,
                                             .mean = {0.5f, 0.5f, 0.5f},
                                             .std = {0.25f, 0.25f, 0.25f}};
    US_TRY_ALLOC(dummy->labels = us_calloc((size_t)n, sizeof *dummy->labels));
    US_TRY_ALLOC(dummy->pixels = us_calloc(bytes, 1));
    for (int64_t i = 0; i < n; i++)
        dummy->labels[i] = (int32_t)(i % like->classes);
    draw(dummy, bytes);
    dummy->reader.pixels[UNSEEN_TRAIN] = dummy->pixels;
    dummy->dataset.reader = &dummy->reader;
    dummy->dataset.split[UNSEEN_TRAIN] = (struct unseen_images){.n = n, .labels = dummy->labels};
out:
    return st;
}

void us_dummy_free(struct unseen_dataset *dataset)
{
    struct dummy *dummy = (struct dummy *)dataset;
    if (!dummy)
        return;
    free(dummy->labels);
    free(dummy->pixels);
    free(dummy);
}
