/* The main job: scoring runs by models that never saw the sample, scores, selection. */
#ifndef UNSEEN_PRUNE_H
#define UNSEEN_PRUNE_H

#include "unseen/score.h"
#include "unseen/scoring.h"
#include "unseen/select.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The incremental form: coresets S_1, S_2, .. S_steps, each chosen by models trained on the one before it.
 *
 * A part of the data is held out first, by class: no step trains on it and no coreset holds it. S_1 is chosen
 * from the scores of a fold run on the rest. For S_t, fold models are trained within S_(t-1): each on all of
 * it but a fold, which it scores together with all that is outside. Then, at most
 * `evict` of the coreset:
 *   1. members that the cut-off drops leave;
 *   2. members whose score is below the median score of the samples outside leave, lowest first: the rest of
 *      the coreset covers them;
 *   3. the rule chooses as many from outside, by class where quotas or a class focus are asked for.
 * Judges, models trained on all of S_t and tested on the part held
 * out, tell its quality; of the coresets of full size the best one is kept. */
struct unseen_step_options {
    int steps;       /* coresets in all; 1: one selection from one scoring run, with nothing held out */
    int grow;        /* sizes grow evenly over so many of them to keep * n, and stay there; 0: 1 */
    double evict;    /* share of a coreset that may leave in a step, 0..1 */
    double hold_out; /* share of the training split, above 0, at most 0.5 */
    int warm_start;  /* from the third coreset on scoring models start from the weights of the step before;
                        one that trained on a sample in any step does not score it */
    int average;     /* choose by the mean of a sample's ranks: of this step and of all in which it was not in
                        the coreset */
    int folds;       /* scoring models of a step are folds * repeats; 0: as many folds as the first run */
    int repeats;     /* at least 1 */
    int epochs;      /* their schedule; 0: that of the first run */
    int judges;      /* at least 1 */
};

/* One step. For more: all of full size, a fifth may leave, a tenth held out, as many folds as the first run,
 * one repeat, one judge. */
UNSEEN_API void unseen_step_defaults(struct unseen_step_options *options);

struct unseen_prune_options {
    struct unseen_scoring_options scoring;
    struct unseen_step_options step;
    const char *metric;
    struct unseen_score_options score;
    const char *rule;
    struct unseen_select_options select; /* arrays are set from the trajectory */
    const char *cut; /* metric that CCS and window cut by; NULL or "score": the score itself; "auto":
                        "unseen-confidence" by models that never saw the samples, else "aum" */
};

/* fold protocol, EL2N, CCS at keep 0.5, cut by "auto", one step. */
UNSEEN_API void unseen_prune_defaults(struct unseen_prune_options *options);

struct unseen_prune_result {
    int64_t n, m;
    struct unseen_spread spread;      /* of the scores selected by */
    struct unseen_spread seen_spread; /* of the same metric on samples that the models trained on */
    int has_seen;
    double cutoff;            /* share that the rule cut off; NaN if it cuts nothing or there were steps */
    double noise_rate;        /* unseen_noise_rate of the trajectory; NaN if there were steps */
    double wrong, wrong_kept; /* share of wrong labels of all samples and of the coreset, by
                                 options.true_labels of the dataset; NaN without them */
    double scoring_seconds;   /* of this call: less than the whole if it went on from checkpoints */
    int step;                 /* of the coreset that was kept, from 1; 0 without steps */
    double heldout_accuracy;  /* of its judges */
};

/* Trajectory, score, select; writes scores.npy, keep.npy, coreset.csv, run.json and the trajectory into
 * options->scoring.out, which unseen_report makes a page of. The same folder with another metric, rule or
 * keep ratio reuses its trajectory. With steps each coreset lies in steps/T/: keep.npy, the scores.npy that
 * its models gave, and quality.json; scores.npy and keep.npy are those of the one that is kept. A killed call
 * goes on where it was, and ends with the same bytes. `result` may be NULL. UNSEEN_USAGE if the folder holds
 * steps with other settings. */
UNSEEN_API enum unseen_status unseen_prune(struct unseen_device *device, const struct unseen_dataset *data,
                                           const struct unseen_prune_options *options,
                                           struct unseen_prune_result *result);

/* What that call would do, as unseen_trajectory_plan has it. */
UNSEEN_API enum unseen_status unseen_prune_plan(struct unseen_device *device,
                                                const struct unseen_dataset *data,
                                                const struct unseen_prune_options *options,
                                                enum unseen_plan_by by, struct unseen_plan *plan);

/* What came of a selection. */
struct unseen_selection {
    int64_t n, m;      /* samples, and how many of them are kept */
    double cutoff;     /* share that the rule cut off; NaN if it cuts nothing */
    double noise_rate; /* unseen_noise_rate of the trajectory */
};

/* unseen_select_files with what the rule looks at besides the scores, class errors and p_true, features,
 * folds and the share of wrong labels, taken from the trajectory of the same samples in a folder. What CCS
 * and window cut by is the metric `cut`, computed from it; NULL: files->hardness, and without that "auto" as
 * unseen_prune has it, so that prune's scores.npy and trajectory give prune's coreset. UNSEEN_BAD_DATA if
 * scores and trajectory are of different numbers of samples. `selection` may be NULL. */
UNSEEN_API enum unseen_status unseen_select_trajectory(const char *rule, const char *trajectory,
                                                       const char *cut,
                                                       const struct unseen_select_files *files,
                                                       const struct unseen_select_options *options,
                                                       struct unseen_selection *selection);

#ifdef __cplusplus
}
#endif
#endif
