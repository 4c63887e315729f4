/* What a comparison can stand beside coresets, by --baselines: random subsets, less training on all data, and
 * every sampler of nn/sampler.h that leaves samples out. */
#ifndef US_COMPARE_BASELINE_H
#define US_COMPARE_BASELINE_H

#include "base/list.h"
#include "compare/sweep.h"

/* The i-th baseline's name and one-line description; NULL past the last. */
US_SHARED const char *us_baseline_name(int i);
US_SHARED const char *us_baseline_help(int i);

/* UNSEEN_USAGE, naming --baselines, for unknown names, and for "full-short" with equal steps, where it is
 * "full". */
enum unseen_status us_baselines_check(const struct us_list *names, enum unseen_budget budget);

/* The row of a known name for a keep ratio; false where there is none: of ratio 1 when only random subsets
 * are made of it. Where *once is set, the row is the same for every ratio. */
bool us_baseline_row(const char *name, double keep, struct us_row *row, bool *once);

#endif
