/* Labels that are given apart from the dataset. */
#ifndef US_DATASETS_LABELS_H
#define US_DATASETS_LABELS_H

#include "base/status.h"
#include "unseen/dataset.h"

/* dataset->options from `options` (NULL: the defaults), but for the files of labels. */
void us_options_take(const struct unseen_dataset_options *options, struct unseen_dataset *dataset);

/* Read the files of labels that `options` names into a dataset that is whole otherwise: labels, hash,
 * duplicates and relabelled change with the given ones, true_labels comes with the true ones.
 * UNSEEN_BAD_DATA, naming the file, as us_labels_read (base/labels.h). */
enum unseen_status us_labels_take(const struct unseen_dataset_options *options,
                                  struct unseen_dataset *dataset);

#endif
