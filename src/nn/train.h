/* Training runs that survive a kill: what prune, trajectory, train and compare all stand on. */
#ifndef US_NN_TRAIN_H
#define US_NN_TRAIN_H

#include "base/option.h"
#include "device/device.h"
#include "nn/model.h"
#include "unseen/quantity.h"

struct us_price;
struct us_progress;
struct us_session; /* a dataset on a device: pixels and labels of both splits, batches, the model in use */

/* For models of recipes that take the dataset's pictures as `recipe` does. Upload the dataset: labels, and
 * the pixels of each split that take no more than half of the device's memory with what is in use already, if
 * all epochs take the same ones. Others are sent batch by batch, which changes no result. `data` must outlive
 * it. */
enum unseen_status us_session_new(struct unseen_device *device, const struct unseen_dataset *data,
                                  const struct unseen_recipe *recipe, struct us_session **session);
void us_session_free(struct us_session *session);

/* Another for another thread, on a clone of the same device, with the same dataset on it. `session` must
 * outlive it. */
enum unseen_status us_session_share(const struct us_session *session, struct unseen_device *clone,
                                    struct us_session **other);

/* Per-sample quantities of one pass: value[q * n + i] belongs to samples[i] (an index in the training split).
 */
struct us_sample_stats {
    int64_t n;
    const int64_t *samples;
    const float *value; /* [UNSEEN_N_ALWAYS][n] */
};

/* The passes of an epoch over training samples. The review is an evaluation of all that the model trained on;
 * it takes place only if an observer wants something of it. */
enum us_pass_kind { US_PASS_TRAIN, US_PASS_HELDOUT, US_PASS_PROBE, US_PASS_REVIEW };

enum { US_SEE_PROBS = 1, US_SEE_FEATURES = 2 };

/* Rows that a pass has just computed: what is too wide for a record. */
struct us_rows {
    enum us_pass_kind pass;
    int epoch, n, classes, feature_count;
    const int64_t *samples; /* [n] in the training split, in the order in which they were fed */
    const float *probs;     /* [n, classes] softmax; NULL unless wanted */
    const float *features;  /* [n, feature_count], the last linear layer's input; the same */
};

/* Who sees them, piece by piece, as they come from the device. */
struct us_observer {
    /* Which of US_SEE_* are wanted of a pass. */
    int (*wants)(void *context, enum us_pass_kind pass, int epoch);
    /* A failure ends the run. */
    enum unseen_status (*see)(void *context, const struct us_rows *rows);
    void *context;
};

struct us_train_job {
    const struct unseen_recipe *recipe;
    const struct unseen_sampler *sampler; /* which of `train` an epoch takes (nn/sampler.h); NULL: all */
    uint64_t seed;                        /* shared by a whole run */
    uint32_t
        model; /* which of the run's models: gives each its own initialisation, shuffling and augmentation */
    const int64_t *train;
    int64_t n_train; /* ascending indices in the training split; all different */
    const int64_t *heldout;
    int64_t n_heldout; /* evaluated after each epoch, without augmentation, running statistics; may be 0 */
    const int64_t *probe;
    int64_t n_probe; /* of `train`, evaluated in the same way: the seen side of a comparison; may be 0 */
    bool test;       /* evaluate the test split after each epoch too */
    int test_every;  /* or after each so many, and the last; 0: 1 */
    enum unseen_views views;      /* of a second test after the last epoch; NONE: there is none */
    const char *init;             /* weights to start from as us_model_start does, or NULL */
    const char *state;            /* checkpoint file, written atomically after each epoch; NULL: none */
    const char *title;            /* for progress, e.g. "fold 2/4" */
    struct us_progress *whole;    /* that counts us_train_left of this job; NULL: a display of its own */
    const struct us_price *price; /* of an image in the costs of `whole`; NULL: us_work_amount's */

    /* After each epoch, before its checkpoint. `trained` is the record of the training forward pass of every
     * train sample, in ascending order of sample, NaN for those that the sampler left out; `heldout` and
     * `probe` are in the order given. A failure ends the run. */
    enum unseen_status (*on_epoch)(void *context, const struct unseen_epoch *epoch,
                                   const struct us_sample_stats *trained,
                                   const struct us_sample_stats *heldout,
                                   const struct us_sample_stats *probe);
    /* The same of the test split, after each epoch that ends with a test; `tested` has indices in that split.
     */
    enum unseen_status (*on_test)(void *context, const struct unseen_epoch *epoch,
                                  const struct us_sample_stats *tested);
    void *context;
    const struct us_observer *observer; /* NULL: none */
    const char *save;                   /* final weights as .safetensors, or NULL */
};

/* Run, or go on from job->state: epochs already done are not repeated (on_epoch is not called for them), and
 * the result's bits are those of an unbroken run. A finished state returns at once. A state that belongs to
 * other settings, data or device (a fingerprint is kept) is UNSEEN_USAGE naming the file. A torn or
 * unreadable state file: warn and begin again. `history` (may be NULL): fresh memory [*epochs], all epochs. A
 * loss that is not finite is UNSEEN_FAILED with a hint to lower --lr. UNSEEN_INTERRUPTED: the state holds the
 * last whole epoch. */
enum unseen_status us_train(struct us_session *session, const struct us_train_job *job,
                            struct unseen_epoch **history, int *epochs);

/* The rows of struct unseen_recipe and of struct unseen_train_options. */
extern const struct us_option us_recipe_options[];
extern US_SHARED const struct us_option us_train_options[];

/* unseen_recipe_for, but by the size that the recipe at `base` asks for, if it does. */
const char *us_recipe_auto(const void *base, const struct unseen_dataset *data);

/* Whether it is still to be decided: its name is "auto". */
bool us_recipe_is_auto(const struct unseen_recipe *recipe);

/* The settings of the recipe of that name, as unseen_recipe_settings has them. */
enum unseen_status us_recipe_find(const char *name, const char **settings);

/* The factor of the parameters in what is added to their gradients. */
float us_recipe_decay(const struct unseen_recipe *recipe);

/* With a summed loss gradients are kept in the range of a mean all the same: they are the sum over `batch`,
 * the learning rate is this many times higher and the decay of the parameters as many times lower. Else 1. */
int us_recipe_summed(const struct unseen_recipe *recipe);

/* Samples that pass through the model together. */
int us_recipe_part(const struct unseen_recipe *recipe);

/* Epochs that are run of the schedule. */
int us_recipe_epochs(const struct unseen_recipe *recipe);

/* unseen_recipe_check, and UNSEEN_USAGE if the dataset's images cannot be trained on with it. */
enum unseen_status us_recipe_check_on(const struct unseen_recipe *recipe, const struct unseen_dataset *data);

/* Whether the test split, or what the model trained on, is evaluated after that epoch (from 0). */
bool us_tests_after(const struct us_train_job *job, int epoch);
bool us_reviews_after(const struct us_train_job *job, int epoch);

/* The same of the test with views. */
bool us_views_after(const struct us_train_job *job, int epoch);

/* Learning rate at `step` of `steps` in all. */
float us_schedule_lr(const struct unseen_recipe *recipe, int64_t step, int64_t steps);

#endif
