/* Samples with the same content. A model that trained on one of them has seen the others. */
#ifndef US_DATASETS_DUPLICATES_H
#define US_DATASETS_DUPLICATES_H

#include "base/status.h"
#include "unseen/dataset.h"

/* Set duplicate_of of both splits and the counts in `dataset`, whose splits are read. Contents are the stored
 * bytes of files and the pixels of formats without files. */
enum unseen_status us_duplicates_find(struct unseen_dataset *dataset);

/* Tell `report` of each sample that is a duplicate of an earlier one. */
enum unseen_status us_duplicates_report(const struct unseen_dataset *dataset,
                                        void (*report)(const struct unseen_defect *defect, void *context),
                                        void *context);

#endif
