/* What is looked at before a dataset is written. */
#ifndef US_DATASETS_EXPORT_CHECK_H
#define US_DATASETS_EXPORT_CHECK_H

#include "datasets/format.h"

/* UNSEEN_USAGE unless the subset is of the dataset's training split, ascending and not empty. */
enum unseen_status us_check_subset(const struct unseen_dataset *dataset, const struct us_subset *subset);

#endif
