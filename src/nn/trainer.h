/* A dataset on a device, and passes of a model over parts of it. */
#ifndef US_NN_TRAINER_H
#define US_NN_TRAINER_H

#include <stdatomic.h>

#include "base/progress.h"
#include "nn/train.h"

struct us_sgd;

struct us_trainer {
    struct unseen_device *device;
    const struct unseen_dataset *data;
    struct us_buf *pixels[2], *labels[2]; /* by enum unseen_split; NULL where a split is empty */
    struct us_model *model;               /* kept from job to job while the specification stays */
    struct us_model_spec spec;            /* of that model */
    char name[32];                        /* spec.name points here */
    bool borrows;                         /* pixels and labels belong to another */
    atomic_bool *stop;                    /* set: stop as on an interrupt; may be NULL */
};

/* True if passes are to stop: on an interrupt, or because another thread failed. */
bool us_trainer_stopped(const struct us_trainer *trainer);

/* What the model of `recipe` for this dataset is; its name lies in the recipe. */
struct us_model_spec us_trainer_spec(const struct us_trainer *trainer, const struct unseen_recipe *recipe);

/* The model of `recipe` for this dataset, parameters undefined. Owned by the trainer; valid until the next
 * call with another model, width or batch. */
enum unseen_status us_trainer_model(struct us_trainer *trainer, const struct unseen_recipe *recipe,
                                    struct us_model **model);

/* Device buffers for passes over up to `n` samples. */
struct us_feed {
    struct unseen_device *device;
    int64_t n;
    struct us_buf *order;  /* int32 [n]: the samples of a pass, in its order */
    struct us_buf *rows;   /* int32 [batch]: those of one batch */
    struct us_buf *record; /* float32 [UNSEEN_QUANTITIES + 1][n] */
    int window;            /* batches queued before the host waits */

    /* For an observer, of the batches queued; made when first wanted. */
    struct us_buf *probs, *features;
    float *host_probs, *host_features;
};

enum unseen_status us_feed_new(struct unseen_device *device, int64_t n, int batch, struct us_feed *feed);
uint64_t us_feed_bytes(int64_t n, int batch); /* that one takes from the device */
void us_feed_free(struct us_feed *feed);

/* One pass of a model over samples of a split. */
struct us_pass {
    enum unseen_split split;
    const int64_t *samples; /* [n], in the order in which they are to be fed */
    int64_t n;
    const struct unseen_recipe *recipe;
    uint64_t seed; /* of augmentation */
    int epoch;
    bool training; /* augment, take gradients and step; else evaluate with running statistics */
    int64_t first_step, steps, steps_per_epoch; /* of the schedule; training only */
    struct us_progress *progress;               /* may be NULL */
    uint64_t progress_base;                     /* images done before this pass */
    const char *note;
    enum us_pass_kind kind;
    const struct us_observer *observer; /* NULL: none */
    int see;                            /* what it wants of this pass */
};

/* Run it. `record` [UNSEEN_QUANTITIES + 1][n] (host) receives the per-sample quantities in the order of
 * pass->samples, the last row being the objective. UNSEEN_INTERRUPTED, without a message, if an interrupt
 * came in between: the model is then in the middle of a pass. */
enum unseen_status us_pass_run(struct us_trainer *trainer, struct us_model *model, struct us_feed *feed,
                               const struct us_pass *pass, float *record);

#endif
