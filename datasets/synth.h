/* Drawn datasets. */
#ifndef US_DATASETS_SYNTH_H
#define US_DATASETS_SYNTH_H

#include "base/status.h"
#include "unseen/dataset.h"

/* UNSEEN_USAGE, naming what is out of range, unless it can be drawn. */
enum unseen_status us_synth_check(const struct unseen_synth *recipe);

#endif
