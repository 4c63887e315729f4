/* Pictures that are made as they are read, and counted: for tests of what decodes and loads. */
#ifndef US_T_SUPPORT_FAKE_READER_H
#define US_T_SUPPORT_FAKE_READER_H

#include "support/cmocka.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/reader.h"
#include "unseen/dataset.h"

enum { PICTURES = 60, PICTURE = 8 };

static atomic_int picture_reads[PICTURES]; /* of the training split */
static atomic_int picture_slow;            /* microseconds that each takes */
static atomic_int picture_bad;             /* this one cannot be read; -1: all can */
static struct us_image_size picture_sizes[PICTURES];
static int32_t picture_labels[PICTURES];
static char *picture_names[] = {"a", "b"};

static enum unseen_status picture_scratch(const struct unseen_dataset *dataset, struct us_scratch **scratch)
{
    (void)dataset;
    *scratch = us_calloc(1, 1);
    return *scratch ? UNSEEN_OK : UNSEEN_FAILED;
}

static void picture_scratch_free(struct us_scratch *scratch)
{
    free(scratch);
}

/* Pixels that tell the sample, its split and the crop. */
static void picture_draw(enum unseen_split split, int64_t i, const struct us_crop *crop, size_t bytes,
                         uint8_t *pixels)
{
    uint32_t mixed = (uint32_t)i * 2654435761u + (uint32_t)split;
    if (crop)
        mixed += (uint32_t)(crop->x * 31 + crop->y * 1009 + crop->width * 7 + crop->height * 100003);
    for (size_t p = 0; p < bytes; p++) {
        mixed = mixed * 1664525u + 1013904223u;
        pixels[p] = (uint8_t)(mixed >> 24);
    }
}

static enum unseen_status picture_read(const struct unseen_dataset *dataset, struct us_scratch *scratch,
                                       enum unseen_split split, int64_t i, const struct us_crop *crop,
                                       int height, int width, uint8_t *pixels)
{
    const struct timespec nap = {.tv_nsec = 1000L * atomic_load(&picture_slow)};
    (void)scratch;
    if (nap.tv_nsec)
        nanosleep(&nap, NULL);
    if (split == UNSEEN_TRAIN)
        atomic_fetch_add(&picture_reads[i], 1);
    if (split == UNSEEN_TRAIN && i == atomic_load(&picture_bad))
        return us_fail(UNSEEN_BAD_DATA, "pictures/bad.jpg", "cannot be read");
    picture_draw(split, i, crop, (size_t)height * (size_t)width * (size_t)dataset->channels, pixels);
    return UNSEEN_OK;
}

static struct unseen_reader picture_reader = {.sizes = {picture_sizes, picture_sizes},
                                              .scratch_new = picture_scratch,
                                              .scratch_free = picture_scratch_free,
                                              .read = picture_read};
static struct unseen_dataset pictures = {
    .format = "test",
    .location = "pictures",
    .source = "test:pictures",
    .channels = 3,
    .classes = 2,
    .class_names = picture_names,
    .mean = {0.5f, 0.5f, 0.5f},
    .std = {0.25f, 0.25f, 0.25f},
    .split = {{.n = PICTURES, .labels = picture_labels}, {.n = PICTURES / 2, .labels = picture_labels}},
    .reader = &picture_reader,
    .hash = "0123"};

/* All readable and fast again; no reads counted. */
static inline void pictures_reset(void)
{
    atomic_store(&picture_slow, 0);
    atomic_store(&picture_bad, -1);
    for (int i = 0; i < PICTURES; i++) {
        atomic_store(&picture_reads[i], 0);
        picture_sizes[i] = (struct us_image_size){.height = 10 + i, .width = 90 - i};
        picture_labels[i] = i % 2;
    }
}

#endif
