/* Comparing coresets: the sweep over metrics, protocols, rules, keep ratios and seeds. */
#ifndef UNSEEN_COMPARE_H
#define UNSEEN_COMPARE_H

#include "unseen/prune.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How long a model trains on a coreset. */
enum unseen_budget {
    UNSEEN_BUDGET_EPOCHS, /* the recipe's epochs: fewer steps the less is kept */
    UNSEEN_BUDGET_STEPS   /* as many steps as the recipe's epochs on all data, rounded up to whole epochs */
};

/* The lists are separated by commas. */
struct unseen_compare_options {
    const char *metrics;
    const char *protocols; /* seen, fold, one-fold, and "fold-seen": what the models of the fold protocol say
                              of samples that they did train on; "incremental": coresets in steps */
    struct unseen_step_options step; /* of protocol "incremental"; more than one */
    const char *rules; /* NAME or NAME=X: X is the cut-off of ccs and window, also "table" and "auto" as in
                          unseen/select.h, or the exponent of beta. "ccs=search" and "window=search" try
                          cut-offs 0, 0.1, .. 0.4 on a tenth of the data held out */
    const char *keep;
    const char *baselines; /* "random" subsets; "full-short": all data, a schedule of keep * epochs; and the
                              samplers of unseen/train.h: for every keep ratio below 1 those that take a share
                              of all samples, once, with their default, those that find it as they train */
    int seeds; /* seeds seed, seed + 1, ...: of the scoring, the selection and the trained model */
    uint64_t seed;
    int score_once;              /* one scoring run, of the first seed, serves all seeds */
    struct unseen_recipe recipe; /* of the models trained on coresets, whose test accuracy is compared */
    enum unseen_budget budget;
    int test_every; /* epochs between tests, the last one aside; 0: as many images as there are samples lie
                       between them, -1: only at the end, when `best` is that */
    struct unseen_scoring_options scoring; /* protocol, seed, out and command are set here */
    struct unseen_score_options score;
    struct unseen_select_options select; /* keep, seed and arrays are set here */
    const char *cut;                     /* metric that CCS and window cut by, as in unseen_prune_options */
    int concurrent;                      /* models trained at once; 0: what is measured to be fastest */
    const char *out;                     /* folder; made if missing */
    const char *command;
    struct unseen_plan_listener on_plan;
};

/* EL2N and DUAL by fold and seen, CCS, keep 0.9 0.7 0.5 0.3 0.1, random subsets, three seeds, equal epochs,
 * cut by "auto"; where steps are asked for, three. */
UNSEEN_API void unseen_compare_defaults(struct unseen_compare_options *options);

/* A number over the seeds. NaN: not known; the last two for a single seed. */
struct unseen_estimate {
    double mean;
    double deviation; /* by seeds - 1 */
    double error;     /* standard error of the mean: deviation / sqrt(seeds) */
};

/* One line of the table. Accuracies are shares of the test split. */
struct unseen_comparison {
    char metric[64], protocol[16], rule[32]; /* baselines are rules without the others */
    double keep;
    int64_t kept;
    int seeds; /* that are done */
    int64_t epochs, steps;
    struct unseen_estimate accuracy; /* after the last epoch */
    struct unseen_estimate best;     /* of the epochs that were tested */

    /* Of each model's classes after the last epoch: the lowest accuracy, and the deviation of all of them by
     * their number; and the class that the models of all seeds together do worst on. */
    struct unseen_estimate worst, class_deviation;
    char worst_class[64];

    /* Of the samples that a model may train on, the share whose label is not the true one. NaN unless the
     * dataset was opened with options.true_labels. */
    struct unseen_estimate wrong_kept;

    /* Images that a model trained on, each as often as it did; that choosing its coreset took, by all models
     * of its scoring run, in training and in evaluation; and all of them, one that was evaluated counting a
     * third. Coresets of one scoring run share it: each is charged with the whole. */
    struct unseen_estimate images, scoring_images, scoring_evaluated, images_with_scoring;
    struct unseen_estimate seconds, scoring_seconds; /* of the same, summed over models */
    char scoring_run[16];                            /* "fold" also of "fold-seen"; "" without one */

    /* Paired differences of accuracy, seed by seed, from the row of the same metric, rule and keep ratio
     * whose protocol is "seen" or "fold-seen" (of rows that samples were unseen in), and from random subsets
     * of the same ratio. */
    struct unseen_estimate minus_seen, minus_fold_seen, minus_random;
};

/* Score, select, train and test whatever is not done yet, and write out/table.csv, table.md and run.json,
 * which unseen_report makes a page of. A model on all data is always among them. Each
 * cell lies in out/cells/, scoring runs, shared by the cells that need the same, in out/scoring/. A killed
 * call goes on; the lists and the number of seeds may grow from call to call: a scoring run that recorded
 * less than a longer list needs is made again. True labels may be given at any call: they train nothing.
 * `rows` (may be NULL, as may `n`) receives fresh memory [*n], freed with free(). UNSEEN_USAGE for unknown
 * names and if `out` holds a comparison with other settings; UNSEEN_BAD_DATA without a test split. */
UNSEEN_API enum unseen_status unseen_compare(struct unseen_device *device, const struct unseen_dataset *data,
                                             const struct unseen_compare_options *options,
                                             struct unseen_comparison **rows, int *n);

/* What that call would do, as unseen_trajectory_plan has it. */
UNSEEN_API enum unseen_status unseen_compare_plan(struct unseen_device *device,
                                                  const struct unseen_dataset *data,
                                                  const struct unseen_compare_options *options,
                                                  enum unseen_plan_by by, struct unseen_plan *plan);

#ifdef __cplusplus
}
#endif
#endif
