/* From one coreset of an incremental selection to the next: who leaves, what each class is due, who comes.
 * Pure functions of scores and labels. */
#ifndef US_PRUNE_CORESET_UPDATE_H
#define US_PRUNE_CORESET_UPDATE_H

#include <stdint.h>

#include "base/status.h"
#include "unseen/select.h"

/* Sizes of `steps` coresets: round(m (t + 1) / grow), at least 1, for t below `grow`, then m. */
void us_step_budgets(int64_t m, int steps, int grow, int64_t *budget);

struct us_coreset_update {
    int64_t n;
    int classes;
    const int32_t *labels;
    const float *scores;     /* [n] by models that saw none of the samples that they scored */
    const uint8_t *held_out; /* [n] 1: held out, in no coreset */
    const uint8_t *previous; /* [n] 1: in the previous coreset; all 0 for the first one */
    int64_t m;               /* size of the next, at most what is not held out */
    double evict;            /* share of the previous coreset that may leave */
    const char *rule;
    const struct unseen_select_options *select; /* of the whole dataset: arrays are [n]. `keep` is not looked
                                                   at, a cut-off is of the samples that are not held out (of
                                                   each class, with quotas) and not negative. */
};

/* The next coreset: current [n], 0 or 1, with exactly in->m ones. It is what is retained of the previous one
 * (us_coreset_evict) and a refill by the rule from samples that are in neither the previous coreset nor held
 * out, with quotas by class where `select` asks for them (us_coreset_refill_quotas). */
enum unseen_status us_coreset_update(const struct us_coreset_update *in, uint8_t *current);

/* Who leaves: members that are now cut off, the hardest first, as models that did not train on them say;
 * then those that the others cover, whose unseen score is below the median of the samples that could come in
 * their stead, the lowest first, of equal ones the lower index. At most `evict` of the members, and no more
 * than there are others that could come. cut [n]: 1 for samples beyond the cut-off, members among them;
 * retained [n] receives the previous coreset without those that leave. */
enum unseen_status us_coreset_evict(const struct us_coreset_update *in, const uint8_t *cut,
                                    uint8_t *retained);

/* How many of each class come in. retained and pool [classes] count who stays and who could come; the coreset
 * of m is due shares by `weight` of what both have. A class that already exceeds its share gets none, and the
 * others share the shortage in proportion to what they miss. quota [classes] sums to m less all that stay. */
enum unseen_status us_coreset_refill_quotas(const int64_t *retained, const int64_t *pool,
                                            const double *weight, int classes, int64_t m, int64_t *quota);

/* A sample's mean rank over several scorings. rank_sum and rank_count [n] hold its ranks, in (0,1), in
 * earlier ones; `scores` [n] of the last, which counts for all, are replaced: the order of the mean ranks
 * (equal ones by index) on the values that were there, so that rules that look at the spread of scores see
 * the last one's. */
enum unseen_status us_average_ranks(const double *rank_sum, const int32_t *rank_count, int64_t n,
                                    float *scores);

/* Add the ranks of scores [n] to those of samples that `inside` [n] does not flag. */
enum unseen_status us_add_ranks(const float *scores, const uint8_t *inside, int64_t n, double *rank_sum,
                                int32_t *rank_count);

#endif
