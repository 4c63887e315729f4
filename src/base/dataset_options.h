/* The rows of struct unseen_dataset_options, in three tables, of struct unseen_synth and of struct
 * unseen_pack_options. */
#ifndef US_BASE_DATASET_OPTIONS_H
#define US_BASE_DATASET_OPTIONS_H

#include "base/option.h"
#include "unseen/dataset.h"

extern US_SHARED const struct us_option us_dataset_options[];
extern US_SHARED const struct us_option us_label_options[]; /* `labels`, of what trains or selects */
extern US_SHARED const struct us_option
    us_truth_options[]; /* `true_labels`, of what can tell of wrong ones */
extern US_SHARED const struct us_option us_synth_options[];
extern US_SHARED const struct us_option us_pack_options[];

#endif
