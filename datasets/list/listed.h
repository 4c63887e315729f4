/* Datasets as lists of files: what exports write, each one file `out`. */
#ifndef US_DATASETS_LISTED_H
#define US_DATASETS_LISTED_H

#include "datasets/format.h"

/* path,label,split of `subset` and the whole test split, as the format list reads it; paths are absolute.
 * UNSEEN_USAGE if the images are no files of their own. */
enum unseen_status us_listed_write(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                   const char *out);

/* The paths of `subset` in the dataset, one a line, as unseen_dataset_subset reads them. UNSEEN_USAGE if it
 * has none. */
enum unseen_status us_paths_write(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                  const char *out);

#endif
