/* Several models trained side by side, each by a thread with a queue of its own, on all devices behind a
 * handle. A small model leaves a device idle between kernels and in their last work-groups; another's kernels
 * fill that. What becomes of a model depends neither on how many there are nor on which device trains it. */
#ifndef US_NN_WORKERS_H
#define US_NN_WORKERS_H

#include "nn/loader.h"
#include "nn/trial.h"

enum { US_WORKERS_MOST = 8 }; /* on one device */

struct us_workers; /* a session for each thread; the dataset is on each device once */

/* What workers are for. */
struct us_workers_task {
    const struct unseen_recipe *recipe;
    int wanted;     /* models at once on each device; 0: as many as pay */
    int models;     /* in all */
    int64_t steps;  /* of training, of each */
    int64_t least;  /* samples that any of them trains on in an epoch */
    int see;        /* of US_SEE_*: what the models' observers want */
    bool gradients; /* each model's us_gradient_norms are taken when it is trained */
};

/* `wanted` 0: as many at once as a short measurement on the first device finds to do at least a tenth more a
 * second than fewer; 1 without measuring more than a step where steps are long or all of them take less than
 * a minute. UNSEEN_USAGE if `wanted` is out of range, UNSEEN_FAILED if so many do not fit a device's memory
 * with all that they need there, with a hint how many would. Devices, dataset and recipe must outlive the
 * workers. */
enum unseen_status us_workers_new(struct unseen_device *device, const struct unseen_dataset *data,
                                  const struct us_workers_task *task, struct us_workers **workers);
void us_workers_free(struct us_workers *workers);
int us_workers_size(const struct us_workers *workers); /* models at once, on all devices together */

/* Steps for us_trial_pass, as the task's models take them. */
struct us_trial us_workers_trial(const struct us_workers *workers, int64_t steps, bool training);

/* The largest loader that a model of a task has: an epoch runs at most over the training split thrice
 * (training and held-out samples, probe, review, which is not recorded) and over the test split. */
struct us_loader_size us_workers_loader(const struct us_workers_task *task, const struct unseen_dataset *data,
                                        int feature_count);

/* Call work(context, i, session) once for each i in 0..n-1, as many at once as there are sessions, lower ones
 * first. The first failure stops all the others as an interrupt would, and is what the call fails with, after
 * the name of its device if there are several; after an interrupt it is the lowest i's. */
enum unseen_status
us_workers_run(struct us_workers *workers, int n,
               enum unseen_status (*work)(void *context, int i, struct us_session *session), void *context);

#endif
