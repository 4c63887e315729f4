/* What is looked at before a dataset is written. */
#ifndef US_DATASETS_EXPORT_CHECK_H
#define US_DATASETS_EXPORT_CHECK_H

#include "datasets/format.h"

/* The samples `keep` [n] of the training split; NULL: all that are not skipped, whatever n is. `usable`
 * receives what `subset` may point to, freed by the caller, also after a failure. UNSEEN_USAGE unless they
 * are of the split, none of them is skipped, and they ascend and are not none. */
enum unseen_status us_subset_of(const struct unseen_dataset *dataset, const int64_t *keep, int64_t n,
                                struct us_subset *subset, int64_t **usable);

#endif
