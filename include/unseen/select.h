/* Selection: rules that turn scores, labels and a keep ratio into a set of indices. */
#ifndef UNSEEN_SELECT_H
#define UNSEEN_SELECT_H

#include <stdint.h>

#include "unseen/unseen.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unseen_select_options {
    double keep;   /* ratio in (0,1]; m = round(keep * n) */
    double cutoff; /* CCS: share of the hardest samples dropped first; negative: the published table's value
                      for this keep ratio (Zheng et al., ICLR 2023; METHODS: CIFAR-10 column) */
    int strata;    /* CCS: 0 means 50 */
    const float *hardness; /* CCS cut-off key [n], higher = harder; NULL: the scores themselves */
    uint64_t seed;
};

/* The i-th registered rule's name and one-line description; NULL past the last. */
UNSEEN_API const char *unseen_rule_name(int i);
UNSEEN_API const char *unseen_rule_help(int i);

/* Choose round(keep*n) of n samples. labels [n] in 0..classes-1 may be NULL for rules that do not look at
 * classes. `kept` receives fresh memory [*m], ascending, freed with free(). Ties go to the lower index.
 * UNSEEN_USAGE: unknown rule (the hint lists them), ratio out of range, nothing kept; UNSEEN_BAD_DATA: a
 * score is not finite (its index is named) or a label is out of range. */
UNSEEN_API enum unseen_status unseen_select(const char *rule, const float *scores, const int32_t *labels,
                                            int64_t n, int classes,
                                            const struct unseen_select_options *options, int64_t **kept,
                                            int64_t *m);

#ifdef __cplusplus
}
#endif
#endif
