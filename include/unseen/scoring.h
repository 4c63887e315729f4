/* Scoring runs: the models that score samples are trained, and what they say of each sample is recorded. */
#ifndef UNSEEN_SCORING_H
#define UNSEEN_SCORING_H

#include "unseen/train.h"
#include "unseen/trajectory.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which pass a seen trajectory is recorded from: the training forward pass, as the published methods log it,
 * or an evaluation pass after each epoch. Unseen quantities always come from an evaluation pass. */
enum unseen_record { UNSEEN_RECORD_TRAIN, UNSEEN_RECORD_EVAL };

/* What becomes of samples with the same content (unseen_images.duplicate_of) when data are split. */
enum unseen_duplicates_option {
    UNSEEN_DUPLICATES_TOGETHER, /* in one fold: a model that trained on one of them has seen them all */
    UNSEEN_DUPLICATES_SPLIT,    /* as any other samples */
};

struct unseen_scoring_options {
    struct unseen_recipe recipe;
    enum unseen_protocol protocol;
    int folds;   /* K, of fold and one-fold */
    int repeats; /* R */
    enum unseen_duplicates_option duplicates;
    enum unseen_record record;
    unsigned record_also;   /* what else to record: bits of unseen_record_parse or unseen_score_needs */
    unsigned record_wanted; /* the same, but a folder that was begun without will do */
    int record_again;       /* a folder that recorded less is recorded again, with both; 0: it is refused */
    int concurrent; /* models trained at once; 0: what is measured to be fastest. Changes no result. */
    int job, jobs;  /* train models job, job + jobs, ... of the run alone; 0, 0: all */
    uint64_t seed;
    const char *init; /* .safetensors that every model starts from, of a model that saw none of the samples;
                         NULL: drawn */
    const char *out;  /* folder; made if missing */
    const char *command;                 /* recorded; may be NULL */
    struct unseen_plan_listener on_plan; /* of unseen_record_trajectory and unseen_prune */
};

/* seen: 1 repeat, training pass; fold: 5 folds, 1 repeat. The recipe's defaults are unseen_recipe_defaults'.
 */
UNSEEN_API void unseen_scoring_defaults(struct unseen_scoring_options *options);

/* Run the scoring models and write out/trajectory/, and for fold protocols out/seen/trajectory/: the same
 * models' view of samples that they did train on (sample i by the model of the next fold), which costs
 * nothing more when it is recorded from the training pass. A killed call goes on from its checkpoints in
 * out/work/ when it is made again; a finished one returns at once. UNSEEN_USAGE if `out` holds a run with
 * other settings or one that recorded less; UNSEEN_INTERRUPTED after a checkpoint. */
UNSEEN_API enum unseen_status unseen_record_trajectory(struct unseen_device *device,
                                                       const struct unseen_dataset *data,
                                                       const struct unseen_scoring_options *options);

/* What that call would do, without doing it: nothing is written but to the cache folder. `options->out` NULL:
 * a new folder. Fails as the call would before anything is trained, but for a disk without room and a folder
 * that another process holds. */
UNSEEN_API enum unseen_status unseen_trajectory_plan(struct unseen_device *device,
                                                     const struct unseen_dataset *data,
                                                     const struct unseen_scoring_options *options,
                                                     enum unseen_plan_by by, struct unseen_plan *plan);

/* A run can be divided over machines: each of `jobs` calls with its own `job` and `out` trains its share of
 * the models, as above, and keeps their records in out/work/. This joins the folders [n] of all jobs, in any
 * order, to the run in `out` (made if missing): the files, byte for byte, that one call would have made on
 * devices of that kind. UNSEEN_USAGE, naming the folder, if one is no finished job of the same run, if it was
 * made by another version, platform, driver or tuning of convolutions, if a job is there twice or missing, or
 * if `out` holds a run already. The folders are left as they are. */
UNSEEN_API enum unseen_status unseen_merge(const char *const *folders, int n, const char *out);

#ifdef __cplusplus
}
#endif
#endif
