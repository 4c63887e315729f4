/* Training samples by what a text calls them: a path or an index. */
#ifndef US_DATASETS_SAMPLES_H
#define US_DATASETS_SAMPLES_H

#include "base/status.h"
#include "unseen/dataset.h"

struct us_sample_name;

struct us_samples {
    const struct unseen_dataset *data;
    struct us_sample_name *by_name; /* [n] ascending; NULL for formats without files */
};

/* The paths are the dataset's, which outlives `samples`. End with us_samples_end, also after a failure. */
enum unseen_status us_samples_begin(const struct unseen_dataset *data, struct us_samples *samples);
void us_samples_end(struct us_samples *samples);

/* A path inside the dataset, with or without what stands before its class, or else a decimal index. -1: it is
 * no training sample. */
int64_t us_samples_find(const struct us_samples *samples, const char *text);

#endif
