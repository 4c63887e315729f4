/* How good a coreset is: models trained on it, tested on a part of the data that no step trains on. */
#ifndef US_PRUNE_JUDGE_H
#define US_PRUNE_JUDGE_H

#include "unseen/prune.h"

/* A set of samples, ascending. */
struct us_samples {
    int64_t n;
    int64_t *item;
};

/* What the judges found. */
struct us_verdict {
    int64_t right, asked;   /* answers of all judges after the last epoch */
    double *class_accuracy; /* [classes]; NaN for a class that the part lacks */
};

static inline double us_verdict_accuracy(const struct us_verdict *verdict)
{
    return (double)verdict->right / (double)verdict->asked;
}

struct us_judge {
    struct unseen_device *device;
    const struct unseen_dataset *data;
    const struct unseen_scoring_options *options; /* recipe, seed, concurrent. Where it stops early, the
                                                     schedule is shortened to end there. */
    int judges;                                   /* models; the same initial weights for every coreset */
    struct us_samples coreset, heldout;
    const char *folder; /* for their checkpoints and what they got right */
};

/* The recipe of judges: where the scoring models stop early, with a schedule that ends there. */
struct unseen_recipe us_judge_recipe(const struct unseen_recipe *scoring);

/* Train and test. A killed call goes on from its checkpoints. `class_accuracy` is fresh memory. */
enum unseen_status us_judge(const struct us_judge *judge, struct us_verdict *verdict);

/* Remove the checkpoints, once the verdict is safe. */
void us_judge_clear(const struct us_judge *judge);

#endif
