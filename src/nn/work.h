/* What models take: images that pass through them, which plans and progress are counted in. */
#ifndef US_NN_WORK_H
#define US_NN_WORK_H

#include "base/progress.h"
#include "nn/train.h"

/* All counts are of what is still to be done. */
struct us_work {
    int64_t models;    /* that train for an epoch or more */
    int64_t epochs;    /* of all of them together */
    int64_t trained;   /* images, each as often as a model trains on it */
    int64_t evaluated; /* the same in passes that record or test */
    int64_t gradients; /* the same of which the gradient is taken alone, behind training */
};

/* What an image of each kind costs, in seconds or in any other measure. */
struct us_price {
    double trained, evaluated, gradients;
};

void us_work_add(struct us_work *sum, const struct us_work *more);

/* `times` such, of equal models. */
struct us_work us_work_times(const struct us_work *work, int64_t times);

/* Images and what they cost. `price` NULL: in forward passes, of which a training step takes three. */
struct us_amount us_work_amount(const struct us_work *work, const struct us_price *price);

/* The same of `n` images that are trained on, or evaluated. */
struct us_amount us_pass_amount(int64_t n, bool training, const struct us_price *price);

/* What us_train has to do for a job whose first `done` epochs are done; at most, where a sampler goes by
 * losses: what an epoch takes less is then no part of the display's total any longer. */
struct us_work us_train_work(const struct unseen_dataset *data, const struct us_train_job *job, int done);

/* The same, `done` being what the state of the job tells: what a call would go on from. */
struct us_work us_train_left(const struct unseen_dataset *data, const struct us_train_job *job);

#endif
