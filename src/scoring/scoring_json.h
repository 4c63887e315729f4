/* scoring.json: what a run folder's trajectory was made with, so that going on, reusing and refusing can be
 * told apart. */
#ifndef US_SCORING_SCORING_JSON_H
#define US_SCORING_SCORING_JSON_H

#include <jansson.h>

#include "scoring/run_lock.h"
#include "scoring/scoring_model.h"

/* What folders of scoring runs are to us_run_lock, and files that a run writes there, which it must be free
 * to. `in`: "", or where the run lies, such as "scoring/fold-s1/". */
#define US_SCORING_KIND "scoring"
#define US_TRAJECTORY_FILES(in)                                                                              \
    in, in "trajectory.json", in "p_true.npy", in "margin.npy", in "el2n.npy", in "entropy.npy",             \
        in "loss.npy", in "correct.npy", in "change.npy", in "feature_norm.npy", in "predicted.npy",         \
        in "runner_up.npy", in "probs.npy", in "features.npy", in "gradient_norm.npy", in "centres.npy",     \
        in "fold.npy", in "labels.npy", in "skipped.npy"
#define US_MODEL_FILES(in)                                                                                   \
    in, in "state.safetensors", in "weights.safetensors", in "centres.npy", in "checksums.json",             \
        in "heldout-*-[0-9][0-9][0-9][0-9].npy", in "seen-*-[0-9][0-9][0-9][0-9].npy"
#define US_SCORING_FILES(in)                                                                                 \
    in "scoring.json", US_TRAJECTORY_FILES(in "trajectory/"), US_TRAJECTORY_FILES(in "seen/trajectory/"),    \
        in "work/", in "work/labels.npy", in "work/duplicate_of.npy", in "work/skipped.npy",                 \
        US_MODEL_FILES(in "work/r[0-9]*-f[0-9]*/")
extern const char *const us_scoring_files[];

struct us_settings {
    char *path;
    json_t *root;
    json_t *models;       /* borrowed from root */
    unsigned record_also; /* of the folder: what was asked for, or more */
    struct us_run_lock lock;
    bool complete; /* the trajectory is whole */
    bool damaged;  /* it was, and arrays of it are missing */
};

/* Lock `options->out` and read or begin its scoring.json. UNSEEN_USAGE, naming what differs, if the folder
 * was made with other settings. End with us_settings_close. */
enum unseen_status us_settings_open(const struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct unseen_scoring_options *options,
                                    const struct us_subset_run *subset, struct us_settings *settings);
void us_settings_close(struct us_settings *settings);

/* What us_settings_open would find, without a lock and without a change: UNSEEN_USAGE as there. */
struct us_found {
    bool complete;        /* the trajectory, or a job's share of the models, is whole */
    bool begun;           /* what lies in the folder's work/ is gone on with */
    unsigned record_also; /* as in us_settings */
};
enum unseen_status us_settings_look(const struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct unseen_scoring_options *options,
                                    const struct us_subset_run *subset, struct us_found *found);

/* The bits of a scoring.json's record_also; `path` is its name in messages. */
enum unseen_status us_settings_record(const char *path, const json_t *root, unsigned *record_also);

/* A model that is trained. */
struct us_past {
    struct unseen_epoch *history; /* [epochs] */
    int epochs;
    int64_t n_train;
    char *made_by; /* us_made_by */
};

/* Append what became of a model to `models`. */
enum unseen_status us_settings_add_model(json_t *models, int repeat, int fold, const struct us_past *past);

/* Mark the trajectory whole. */
enum unseen_status us_settings_complete(struct us_settings *settings);

#endif
