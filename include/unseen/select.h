/* Selection: rules that turn scores, labels and a keep ratio into a set of indices. */
#ifndef UNSEEN_SELECT_H
#define UNSEEN_SELECT_H

#include <stdint.h>

#include "unseen/unseen.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whose published settings stand in for what is not given: CCS's cut-offs and DUAL's exponent. "auto": those
 * of the dataset, where there is one and they are known (CIFAR-100; ImageNet for 1000 classes or more), else
 * CIFAR-10's. */
enum unseen_select_table {
    UNSEEN_TABLE_CIFAR10,
    UNSEEN_TABLE_CIFAR100,
    UNSEEN_TABLE_IMAGENET,
    UNSEEN_TABLE_AUTO,
};

/* How many of each class are kept. */
enum unseen_quota {
    UNSEEN_QUOTA_NONE,         /* the rule chooses among all samples at once */
    UNSEEN_QUOTA_PROPORTIONAL, /* the same share of each class */
    UNSEEN_QUOTA_EQUAL         /* the same number of each class, as far as it has them */
};

/* What may stand for a cut-off: the one published for the keep ratio and `table` (Zheng et al., ICLR 2023),
 * linear in between, which is for clean data; or the share `wrong` and then the published one of the rest. */
#define UNSEEN_CUTOFF_TABLE (-1.0)
#define UNSEEN_CUTOFF_AUTO  (-2.0)

/* Of strata, beta, neighbours and gamma 0 stands for the default; cutoff 0 is a cut-off of nothing. */
struct unseen_select_options {
    double keep;   /* ratio in (0,1]; m = round(keep * n) */
    double cutoff; /* CCS, window: share of the hardest samples dropped first, below 1, reduced where it would
                      leave fewer than m; or one of the above */
    double noise_rate;     /* share of wrong labels (unseen_noise_rate); 0: none, or not known */
    int strata;            /* CCS: 0 means 50 */
    const float *hardness; /* cut-off key [n], higher = harder; NULL: the scores themselves */
    uint64_t seed;
    enum unseen_select_table table;
    double beta; /* DUAL's C_D; 0: 5.5, 4, 11 by `table` */
    enum unseen_quota quota;
    double class_focus; /* 0..1: moves the quotas from `quota` (proportional where it is none) towards shares
                           of the unseen errors: weight = (1-f) w_c/sum(w) + f e_c n_c/sum(e n) */
    const double *class_error; /* [classes] share of each class that unseen models get wrong; needed by
                                  class_focus > 0 */
    const float *p_true;       /* [n] mean probability of the given label; needed by rule "beta" */
    const float *features;     /* [n, dimension] float32; needed by rules "k-center", "herding" and "d2" */
    int64_t dimension;
    const uint8_t *fold; /* [n] whose model each sample's features came from: rules on features then choose
                            within each fold by itself, as features of two models have nothing in common.
                            NULL: one model */
    const uint8_t
        *leave_out; /* [n] 1: not there for any rule: `keep` is a share of the others; NULL: nobody */
    int neighbours; /* D2: of the graph; 0: 10 */
    double gamma;   /* D2: how fast influence falls with squared distance; 0: 1 */
};

/* Keep 0.5, cut by UNSEEN_CUTOFF_AUTO, no quotas, seed 0, no arrays. */
UNSEEN_API void unseen_select_defaults(struct unseen_select_options *options);

/* The i-th registered rule's name and one-line description; NULL past the last. */
UNSEEN_API const char *unseen_rule_name(int i);
UNSEEN_API const char *unseen_rule_help(int i);

/* What a rule needs besides scores: 1 if it looks at features, or at p_true. Unknown names: 0. */
UNSEEN_API int unseen_rule_needs_features(const char *rule);
UNSEEN_API int unseen_rule_needs_p_true(const char *rule);

/* Choose round(keep*n) of n samples, less those left out. `options` NULL: the defaults. labels [n] in
 * 0..classes-1 may be NULL for rules that do not look at classes, scores [n] for those that do not look at
 * scores. `kept` receives fresh memory [*m], ascending, freed with free(). Ties go to the lower index.
 * UNSEEN_USAGE: unknown rule (the hint lists them), ratio out of range, nothing kept; UNSEEN_BAD_DATA: a
 * score is not finite (its index is named) or a label is out of range. With quotas the rule runs on each
 * class by itself. */
UNSEEN_API enum unseen_status unseen_select(const char *rule, const float *scores, const int32_t *labels,
                                            int64_t n, int classes,
                                            const struct unseen_select_options *options, int64_t **kept,
                                            int64_t *m);

struct unseen_dataset;

/* What unseen_select_files reads and writes, by path. */
struct unseen_select_files {
    const char *scores;                /* float .npy [n] */
    const char *labels;                /* integer .npy [n], or .csv of index,label; 0..1000000; NULL: */
    const struct unseen_dataset *data; /* whose training labels stand in; NULL: no labels */
    const char *hardness;              /* float .npy [n]; NULL: options->hardness, or the scores */
    const char *kept;                  /* int64 .npy [m] that is written, atomically; where its name ends in
                                          .txt a text: the paths that `data` has, else indices, a line each */
};

/* unseen_select over more samples than memory holds, with the same result: files are mapped and read in
 * passes, and the indices are written as they are found. Whatever n is, the rules that look at scores and
 * labels alone take one bit a sample; for each processor (of eight at most) 2 MiB of counters and 4 MiB of
 * mapped pages; and 0.25 KiB a class where there are quotas, with CCS a class and stratum. Scores and
 * hardness in other formats than float32 are converted in memory, 4 bytes a sample. "beta" takes 24 bytes a
 * sample more, and rules on features what their features take. */
UNSEEN_API enum unseen_status unseen_select_files(const char *rule, const struct unseen_select_files *files,
                                                  const struct unseen_select_options *options, int64_t *n,
                                                  int64_t *m);

#ifdef __cplusplus
}
#endif
#endif
