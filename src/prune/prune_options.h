/* The rows of struct unseen_prune_options and of struct unseen_step_options. */
#ifndef US_PRUNE_PRUNE_OPTIONS_H
#define US_PRUNE_PRUNE_OPTIONS_H

#include "base/option.h"
#include "unseen/prune.h"

extern US_SHARED const struct us_option us_prune_options[];
extern const struct us_option us_step_options[];

#endif
