/* One scoring model of a run: what it trains on, what it is recorded on, and the files in between. */
#ifndef US_SCORING_SCORING_MODEL_H
#define US_SCORING_SCORING_MODEL_H

#include <jansson.h>

#include "nn/train.h"
#include "plan/work_plan.h"
#include "unseen/scoring.h"

/* The rows of struct unseen_scoring_options. */
extern US_SHARED const struct us_option us_scoring_options[];

/* What becomes of a sample in a fold run on a subset of the data. */
enum us_subset_role {
    US_TRAINED_ON,           /* trained on by all models but that of its fold, which scores it */
    US_SCORED_BY_ALL_MODELS, /* outside: no model trains on it, all score it: a repeat of the trajectory for
                                each of them */
    US_SCORED_BY_ONE_MODEL,  /* outside: no model trains on it, that of its fold scores it */
};

/* A fold run on a subset of the data. It has no seen side. */
struct us_subset_run {
    const uint8_t *role;  /* [n] by enum us_subset_role */
    uint32_t first_model; /* number of the first model: another draws other weights and another order */
    const char *from;     /* folder of us_subset_weights to start from; NULL: drawn */
    const char *to;       /* folder, made before, that final weights are left in; NULL: none */
};

/* The weights of a subset run's model in `folder`, fresh memory. */
char *us_subset_weights(const char *folder, int number);

/* What unseen_record_trajectory refuses before it trains. */
enum unseen_status us_scoring_check(const struct unseen_scoring_options *options,
                                    const struct unseen_dataset *data);

/* unseen_record_trajectory of a subset; NULL: all samples are trained on. The fold of a sample depends on
 * seed and repeat alone, so that runs on different subsets agree on it. `plan` has been begun, and counts
 * us_scoring_left of it; NULL: nothing is shown or counted. */
enum unseen_status us_record_subset(struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct unseen_scoring_options *options,
                                    const struct us_subset_run *subset, struct us_work_plan *plan);

/* One call of it. */
struct us_scoring {
    const struct unseen_scoring_options *options; /* record_also as the folder has it */
    const struct us_subset_run *subset;
    const struct unseen_dataset *data;
    int64_t n;
    int models_per_repeat;
    uint8_t *fold; /* [repeats][n]; NULL when seen */
};

/* Models of one split. */
static inline int us_models_per_repeat(const struct unseen_scoring_options *options)
{
    return options->protocol == UNSEEN_SEEN ? 1 : options->folds;
}

/* A run before its folds are drawn; `subset` may be NULL. */
struct us_scoring us_scoring_of(const struct unseen_scoring_options *options,
                                const struct unseen_dataset *data, const struct us_subset_run *subset);

/* How many of the run's models this call trains, and the number of the i-th of them. */
int us_scoring_own(const struct us_scoring *run);
int us_scoring_own_number(const struct us_scoring *run, int i);

/* What this call has to do for them that is not done already: nothing for a trajectory that is there. The
 * folds need not be drawn. `options->out` NULL: all. UNSEEN_USAGE if its folder holds another run. */
enum unseen_status us_scoring_left(const struct unseen_device *device, const struct us_scoring *run,
                                   struct us_work *work);

/* Add that to a plan, and what it takes of the disk. */
enum unseen_status us_scoring_plan(const struct us_scoring *run, struct us_work_plan *plan);

/* What its workers are for. */
struct us_workers_task us_scoring_task(const struct us_scoring *run);

/* By what samples of one content stay together, as us_folds takes it; NULL: they need not. */
const int64_t *us_kept_together(const struct unseen_scoring_options *options,
                                const struct unseen_dataset *data);

/* Draw the folds; run->fold is the caller's to free. */
enum unseen_status us_scoring_split(struct us_scoring *run);

/* Put the work files of all models together as the run's trajectories. */
enum unseen_status us_scoring_gather(const struct us_scoring *run);

enum us_side { US_UNSEEN_SIDE, US_SEEN_SIDE };

struct us_recorder;

struct us_scoring_model {
    const struct us_scoring *run;
    int repeat, fold;
    int64_t *train, *heldout, *seen; /* ascending samples; seen: those that the model stands for there */
    int64_t n_train, n_heldout, n_seen;
    bool evaluates;               /* the seen side comes from an evaluation pass */
    char *folder, *state;         /* of its work files, and its checkpoint there; NULL: the run has none */
    json_t *checksums;            /* of its work files, by name, as its checksums.json has them */
    struct us_recorder *recorder; /* NULL until us_recorder_new */
};

/* Make its lists. End with us_scoring_model_end, which takes a zeroed one too. */
enum unseen_status us_scoring_model_assign(const struct us_scoring *run, int repeat, int fold,
                                           struct us_scoring_model *model);

/* The same, and its folder. */
enum unseen_status us_scoring_model_begin(const struct us_scoring *run, int repeat, int fold,
                                          struct us_scoring_model *model);
void us_scoring_model_end(struct us_scoring_model *model);

/* What it trains on and is asked about, and by which recipe; `observer` may be NULL. */
struct us_train_job us_scoring_job(const struct us_scoring_model *model, const struct us_observer *observer);

/* Samples of a side whose gradients are still to be taken. */
int64_t us_gradients_left(const struct us_scoring_model *model, enum us_side side);

/* The samples of a side. */
const int64_t *us_side_samples(const struct us_scoring_model *model, enum us_side side, int64_t *n);

/* "OUT/work/r0-f1", a model's work files; and the labels [n] that a job leaves beside them;
 * of data with duplicates that stay together, also what us_kept_together gave. */
char *us_model_folder(const char *out, int repeat, int fold);
char *us_labels_path(const char *out);
char *us_duplicates_path(const char *out);
char *us_skipped_path(const char *out);

/* How many epochs are recorded. */
int us_scoring_epochs(const struct us_scoring *run);

/* Whether the run records the quantity. */
bool us_scoring_records(const struct us_scoring *run, enum unseen_quantity quantity);

/* Work files. "record": float32 [us_record_rows][n of the side] of an epoch. "probs", "softmax": [n, C] of an
 * epoch in half and single precision. "features", "gradient": float32 [n, d] and [n, 1] of the last epoch. */
char *us_record_path(const struct us_scoring_model *model, enum us_side side, const char *what, int epoch);
char *us_centres_path(const struct us_scoring_model *model);

/* Note the checksum of a work file that was just written; keep all that were noted, before the checkpoint
 * that counts on the files; and check a file, by what is known of it, before it is read. */
enum unseen_status us_model_wrote(struct us_scoring_model *model, const char *path);
enum unseen_status us_model_keep_checksums(const struct us_scoring_model *model);
enum unseen_status us_model_check(const struct us_scoring_model *model, const char *path);

/* Rows of a record: the first six quantities, then those recorded on demand; the row of a quantity, -1: none.
 */
int us_record_rows(const struct us_scoring *run);
int us_record_row(const struct us_scoring *run, enum unseen_quantity quantity);

/* ---- record.c ---- */

/* Of US_SEE_*: what recorders want of any pass. */
int us_recorder_sees(const struct us_scoring *run);

/* For us_train_job: what its passes are recorded by, which is told before recording begins too. */
struct us_observer us_recorder_observer(struct us_scoring_model *model);

/* Begin recording: sets model->recorder, also after a failure. Freed with us_recorder_free, before
 * us_scoring_model_end. */
enum unseen_status us_recorder_new(struct us_scoring_model *model);
void us_recorder_free(struct us_recorder *recorder);

/* us_train_job's on_epoch, `context` being the model. Writes the epoch's work files, each atomically; an
 * epoch that is done again writes the same bytes. */
enum unseen_status us_record_epoch(void *context, const struct unseen_epoch *epoch,
                                   const struct us_sample_stats *trained,
                                   const struct us_sample_stats *heldout,
                                   const struct us_sample_stats *probe);

/* ---- record_gradient.c ---- */

/* Gradient norms of both sides by the finished model, whose weights lie in the file `weights`. Sides that a
 * killed call was through with stay as they are. Shown as a part of `whole`, which counts us_gradients_left,
 * as `title`'s. */
enum unseen_status us_record_gradients(struct us_scoring_model *model, struct us_session *session,
                                       const char *weights, struct us_progress *whole,
                                       const struct us_price *price, const char *title);

/* ---- gather.c ---- */

/* What the trajectory of a side will be, but for the number of features; its pointers are NULL. */
struct unseen_trajectory us_gathered(const struct us_scoring *run, enum us_side side);

/* Put the work files of all models together as the trajectory folder `name` of the run. */
enum unseen_status us_gather(const struct us_scoring *run, enum us_side side, const char *name);

#endif
