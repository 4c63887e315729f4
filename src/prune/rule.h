/* What a selection rule is to the registry (rules.def). */
#ifndef US_PRUNE_RULE_H
#define US_PRUNE_RULE_H

#include "base/status.h"
#include "unseen/select.h"

/* Checked input: scores finite, labels in range, 1 <= m <= n. */
struct us_rule_input {
    const float *scores;   /* [n]; may be NULL for a rule that does not need them */
    const int32_t *labels; /* [n]; the same */
    int64_t n;
    int classes;
    int64_t m; /* how many to keep */
    const struct unseen_select_options *options;
};

/* Set kept [n], zeroed by the caller, to 1 for exactly m samples. A rule's draws come from epoch 0 of
 * US_STREAM_SELECT with the sample as item. */
typedef enum unseen_status us_rule_function(const struct us_rule_input *in, uint8_t *kept);

/* Go through items [n] and keep each whose group (group[item]; negative: none) has quota left; uses up
 * `quota`. */
void us_keep_by_quota(const int64_t *items, const int32_t *group, int64_t n, int64_t *quota, uint8_t *kept);

/* CCS's published hard cut-off for a keep ratio (Zheng et al., ICLR 2023, CIFAR-10): 0 down to 0.5, 0.1 at
 * 0.3, 0.2 at 0.2, 0.3 from 0.1 down; linear in between. */
double us_ccs_cutoff(double keep);

/* CCS's budgets: stratum s of `strata` holds population[s] samples, of which budget[s] are kept. Strata are
 * visited by ascending population (the lower number first among equals); each gets its population or an equal
 * share of what is left, rounded down, whichever is less. The budgets sum to m, which is at most the
 * population of all. */
enum unseen_status us_ccs_budgets(const int64_t *population, int strata, int64_t m, int64_t *budget);

/* quota [classes]: m in proportion to size [classes], whose sum is n >= m, rounded by the largest remainder
 * (the lower class first among equals). Sums to m; no quota exceeds its class. */
enum unseen_status us_proportional_quotas(const int64_t *size, int classes, int64_t n, int64_t m,
                                          int64_t *quota);

#define US_RULE(name, function, needs, help) us_rule_function function;
#include "prune/rules.def"
#undef US_RULE

#endif
