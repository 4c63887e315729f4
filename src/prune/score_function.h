/* What a score is to the registry (scores.def): a pure function of one repeat of a trajectory. */
#ifndef US_PRUNE_SCORE_FUNCTION_H
#define US_PRUNE_SCORE_FUNCTION_H

#include "base/status.h"
#include "unseen/score.h"

/* One repeat, with every option resolved to what the trajectory can serve. */
struct us_score_view {
    const struct unseen_trajectory *trajectory;
    int repeat;
    int epoch;  /* chosen by the caller, within the trajectory; -1: the score's default */
    int window; /* 2..epochs where the score uses windows */
    uint64_t seed;
};

/* Fill scores [n], higher = harder, all finite. The registry has checked that the quantities the score names
 * are recorded. */
typedef enum unseen_status us_score_function(const struct us_score_view *view, double *scores);

/* Quantity `quantity` of the view's repeat at `epoch`: [n]. */
static inline const float *us_score_row(const struct us_score_view *view, enum unseen_quantity quantity,
                                        int epoch)
{
    const struct unseen_trajectory *t = view->trajectory;
    return t->value[quantity] + ((size_t)view->repeat * (size_t)t->epochs + (size_t)epoch) * (size_t)t->n;
}

#define US_SCORE(name, function, quantity, epochs, help) us_score_function function;
#include "prune/scores.def"
#undef US_SCORE

#endif
