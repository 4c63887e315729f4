/* The rows of struct unseen_dataset_options and of struct unseen_synth. */
#ifndef US_DATASETS_DATASET_OPTIONS_H
#define US_DATASETS_DATASET_OPTIONS_H

#include "base/option.h"
#include "unseen/dataset.h"

extern US_SHARED const struct us_option us_dataset_options[];
extern US_SHARED const struct us_option us_synth_options[];

#endif
