/* Selection: rules that turn scores, labels and a keep ratio into a set of indices. */
#ifndef UNSEEN_SELECT_H
#define UNSEEN_SELECT_H

#include <stdint.h>

#include "unseen/unseen.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unseen_select_options {
    double keep; /* ratio in (0,1]; m = round(keep * n) */
    double
        cutoff; /* CCS: share of the hardest samples dropped first, below 1, reduced where it would leave
                   fewer than m; negative: the value published for this keep ratio (Zheng et al., ICLR 2023,
                   CIFAR-10): 0 down to 0.5, then linear through 0.1 at 0.3, 0.2 at 0.2, 0.3 at 0.1 */
    int strata; /* CCS: 0 means 50 */
    const float *hardness; /* CCS cut-off key [n], higher = harder; NULL: the scores themselves */
    uint64_t seed;
};

/* The i-th registered rule's name and one-line description; NULL past the last. */
UNSEEN_API const char *unseen_rule_name(int i);
UNSEEN_API const char *unseen_rule_help(int i);

/* Choose round(keep*n) of n samples. labels [n] in 0..classes-1 may be NULL for rules that do not look at
 * classes, scores [n] for those that do not look at scores. `kept` receives fresh memory [*m], ascending,
 * freed with free(). Ties go to the lower index. UNSEEN_USAGE: unknown rule (the hint lists them), ratio out
 * of range, nothing kept; UNSEEN_BAD_DATA: a score is not finite (its index is named) or a label is out of
 * range. */
UNSEEN_API enum unseen_status unseen_select(const char *rule, const float *scores, const int32_t *labels,
                                            int64_t n, int classes,
                                            const struct unseen_select_options *options, int64_t **kept,
                                            int64_t *m);

#ifdef __cplusplus
}
#endif
#endif
