/* How the samples of a training run are cut into steps. */
#ifndef US_NN_STEPS_H
#define US_NN_STEPS_H

#include "nn/loader.h"

/* The steps of a whole schedule. */
struct us_steps {
    int64_t all;
    int epochs;
};

/* Of epochs of `n` samples. UNSEEN_BATCH_KEEP: n / batch an epoch, rounded up. UNSEEN_BATCH_SPREAD: epochs *
 * n / batch in all, rounded up with the probability of what is behind the point, as drawn from `seed`, but
 * one an epoch at least: the mean over seeds is proportional to n. */
struct us_steps us_steps_of(const struct unseen_recipe *recipe, int64_t n, uint64_t seed);

/* Those before an epoch: round(epoch * all / epochs). */
int64_t us_steps_before(const struct us_steps *steps, int64_t epoch);

/* Steps that a pass over `n` samples takes in an epoch that is planned with `planned` of them for `most`. */
int64_t us_steps_own(const struct unseen_recipe *recipe, int64_t planned, int64_t n, int64_t most);

/* Samples that pass through a model together at most, where epochs have `n` of them; and where they have any
 * number from `least` on. */
int us_steps_room(const struct unseen_recipe *recipe, int64_t n);
int us_steps_room_most(const struct unseen_recipe *recipe, int64_t least);

/* What passes through the model at a time. */
struct us_cut {
    int64_t step;     /* of the pass, from 0 */
    int n;            /* samples */
    int of;           /* samples of the whole step */
    bool first, last; /* part of it */
};

/* That from position `at` on, which is 0 or where another ends. */
struct us_cut us_pass_cut(const struct us_pass *pass, int64_t at);

#endif
