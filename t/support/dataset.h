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

/* The pixels of all of a split, whose images are of one size. */
static inline const uint8_t *pixels_of(const struct unseen_dataset *dataset, enum unseen_split split)
{
    assert_ok(us_reader_fill(dataset, split));
    return dataset->reader->pixels[split];
}

/* Refused as bad data, with an error text that contains `part`. */
static inline void open_bad(const char *name, const char *part)
{
    struct unseen_dataset *dataset = NULL;
    assert_fails(UNSEEN_BAD_DATA, part, unseen_dataset_open(name, NULL, &dataset));
    assert_null(dataset);
}

#endif
