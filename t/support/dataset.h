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

/* Refused as bad data, with an error text that contains `part`. */
static inline void open_bad(const char *name, const char *part)
{
    struct unseen_dataset *dataset = NULL;
    assert_fails(UNSEEN_BAD_DATA, part, unseen_dataset_open(name, NULL, &dataset));
    assert_null(dataset);
}

#endif
