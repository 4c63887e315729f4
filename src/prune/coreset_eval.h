/* How good a coreset is: models trained on it, tested on a part of the data that no step trains on. */
#ifndef US_PRUNE_CORESET_EVAL_H
#define US_PRUNE_CORESET_EVAL_H

#include "plan/work_plan.h"
#include "unseen/prune.h"

/* A set of samples, ascending. */
struct us_samples {
    int64_t n;
    int64_t *item;
};

/* What models trained on a coreset get right of the samples held out. */
struct us_eval_result {
    int64_t right, asked;   /* answers of all models after the last epoch */
    double *class_accuracy; /* [classes]; NaN for a class that the part lacks */
};

static inline double us_eval_accuracy(const struct us_eval_result *result)
{
    return (double)result->right / (double)result->asked;
}

struct us_coreset_eval {
    struct unseen_device *device;
    const struct unseen_dataset *data;
    const struct unseen_scoring_options *options; /* recipe, seed, concurrent. Where it stops early, the
                                                     schedule is shortened to end there. */
    int models;                                   /* from the same initial weights for every coreset */
    struct us_samples coreset, heldout;
    const char *folder;        /* for their checkpoints and what they got right; NULL: there are none yet */
    struct us_work_plan *plan; /* has been begun, and counts us_coreset_eval_left; NULL: nothing is shown */
};

/* What is left of it, which depends on the sizes of coreset and held-out part alone. */
struct us_work us_coreset_eval_left(const struct us_coreset_eval *eval);

/* What its workers are for; `recipe` is us_coreset_eval_recipe's. */
struct us_workers_task us_coreset_eval_task(const struct us_coreset_eval *eval,
                                            const struct unseen_recipe *recipe);

/* The recipe of these models: where the scoring models stop early, with a schedule that ends there. */
struct unseen_recipe us_coreset_eval_recipe(const struct unseen_recipe *scoring);

/* Train and test. A killed call goes on from its checkpoints. `class_accuracy` is fresh memory. */
enum unseen_status us_coreset_eval(const struct us_coreset_eval *eval, struct us_eval_result *result);

/* Remove the checkpoints, once the result is safe. */
void us_coreset_eval_clear(const struct us_coreset_eval *eval);

#endif
