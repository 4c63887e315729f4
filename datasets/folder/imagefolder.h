/* What the writer of image folders has for their format, as struct us_dataset_format has it. */
#ifndef US_DATASETS_IMAGEFOLDER_H
#define US_DATASETS_IMAGEFOLDER_H

#include "datasets/format.h"

enum unseen_status us_imagefolder_measure(const struct unseen_dataset *dataset,
                                          const struct us_subset *subset, int64_t *bytes);
enum unseen_status us_imagefolder_write(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                        const char *out);

#endif
