/* Forgetting events (Toneva et al., ICLR 2019). */
#include "config.h"

#include <stdlib.h>

#include "prune/score_function.h"

/* Number of t with correct(t) = 1 and correct(t+1) = 0. A sample that never was right has infinitely many
 * in the paper; here it has epochs + 1, more than any count can be, so that calibrating and averaging stay
 * possible. */
enum unseen_status us_score_forgetting(const struct us_score_view *view, double *scores)
{
    const struct unseen_trajectory *t = view->trajectory;
    const uint8_t *correct = t->correct + (size_t)view->repeat * (size_t)t->epochs * (size_t)t->n;
    uint8_t *learnt = us_calloc((size_t)t->n, sizeof *learnt);
    if (!learnt)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < t->n; i++) {
        scores[i] = 0;
        learnt[i] = correct[i];
    }
    for (int e = 1; e < t->epochs; e++) {
        const uint8_t *now = correct + (size_t)e * (size_t)t->n, *before = now - t->n;
        for (int64_t i = 0; i < t->n; i++) {
            scores[i] += before[i] && !now[i];
            learnt[i] |= now[i];
        }
    }
    for (int64_t i = 0; i < t->n; i++) {
        if (!learnt[i])
            scores[i] = t->epochs + 1;
    }
    free(learnt);
    return UNSEEN_OK;
}
