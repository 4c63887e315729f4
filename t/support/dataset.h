/* What the tests of dataset formats share. */
#ifndef US_T_SUPPORT_DATASET_H
#define US_T_SUPPORT_DATASET_H

#include "support/cmocka.h"

#include <string.h>

#include "base/reader.h"
#include "unseen/dataset.h"

static inline struct unseen_dataset *open_ok(const char *name)
{
    struct unseen_dataset *dataset = NULL;
    assert_ok(unseen_dataset_open(name, NULL, &dataset));
    return dataset;
}

/* The pixels of all of a split, whose images are of one size; the reader owns them. */
static inline const uint8_t *pixels_of(const struct unseen_dataset *dataset, enum unseen_split split)
{
    struct unseen_reader *reader = dataset->reader;
    const size_t n = (size_t)dataset->split[split].n;
    const size_t each = (size_t)dataset->height * (size_t)dataset->width * (size_t)dataset->channels;
    struct us_scratch *scratch;
    if (reader->pixels[split] || n == 0)
        return reader->pixels[split];
    uint8_t *pixels = us_calloc(n, each);
    assert_non_null(pixels);
    assert_ok(reader->scratch_new(dataset, &scratch));
    for (size_t i = 0; i < n; i++)
        assert_ok(reader->read(dataset, scratch, split, (int64_t)i, NULL, dataset->height, dataset->width,
                               pixels + i * each));
    reader->scratch_free(scratch);
    reader->pixels[split] = pixels;
    return pixels;
}

/* Refused as bad data, with an error text that contains `part`. */
static inline void open_bad(const char *name, const char *part)
{
    struct unseen_dataset *dataset = NULL;
    assert_fails(UNSEEN_BAD_DATA, part, unseen_dataset_open(name, NULL, &dataset));
    assert_null(dataset);
}

#endif
