/* The first samples of an order, found by radix selection: passes over the samples and a table of counts,
 * never a sorted list. */
#ifndef US_SELECT_RANKING_H
#define US_SELECT_RANKING_H

#include "select/blocks.h"

/* limit [groups of `view`]: the first quota[g] samples of each group by ascending key, equal keys by
 * ascending index. No quota is below 0 or exceeds its group. Takes a pass for each 16 bits of the key with up
 * to four groups, of fewer bits with more groups, until every limit is known, and one more where equal keys
 * straddle one. */
enum unseen_status us_find_limits(const struct us_view *view, const int64_t *quota, struct us_limit *limit);

/* limit [in->groups]: whose hardness is within it stays after the cut that the options ask for, of equally
 * hard samples those with the lower index. UNSEEN_USAGE if the cut-off is no share. */
enum unseen_status us_cut_hardest(const struct us_rule_input *in, struct us_limit *limit);

/* population [groups of `view`] of each group. */
enum unseen_status us_count_groups(const struct us_view *view, int64_t *population);

/* Put the samples within the limits into the set, or take them out. */
enum unseen_status us_mark(const struct us_view *view, const struct us_limit *limit, bool keep,
                           uint64_t *kept);

#endif
