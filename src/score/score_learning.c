/* Scores from the epochs at which a sample was right, or from what it was taken for. */
#include "config.h"

#include <stdlib.h>

#include "score/score_function.h"

/* Forgetting events (Toneva et al., ICLR 2019): number of t with correct(t) = 1 and correct(t+1) = 0;
 * `never` for a sample that never was right. */
static enum unseen_status forgetting(const struct us_score_view *view, double never, double *scores)
{
    uint8_t *learnt = us_calloc((size_t)view->n, sizeof *learnt);
    if (!learnt)
        return UNSEEN_FAILED;
    const uint8_t *before = us_score_correct(view, 0);
    for (int64_t i = 0; i < view->n; i++) {
        scores[i] = 0;
        learnt[i] = before[i];
    }
    for (int e = 1; e < view->epochs; e++) {
        const uint8_t *now = us_score_correct(view, e);
        for (int64_t i = 0; i < view->n; i++) {
            scores[i] += before[i] && !now[i];
            learnt[i] |= now[i];
        }
        before = now;
    }
    for (int64_t i = 0; i < view->n; i++) {
        if (!learnt[i])
            scores[i] = never;
    }
    free(learnt);
    return UNSEEN_OK;
}

/* A sample that never was right has infinitely many in the paper; here it has epochs + 1, more than any count
 * can be, so that calibrating and averaging stay possible. */
enum unseen_status us_score_forgetting(const struct us_score_view *view, double *scores)
{
    return forgetting(view, view->epochs + 1, scores);
}

enum unseen_status us_score_forgetting_ccs(const struct us_score_view *view, double *scores)
{
    return forgetting(view, 0, scores);
}

enum unseen_status us_score_first_learnt(const struct us_score_view *view, double *scores)
{
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = view->epochs;
    for (int e = view->epochs - 1; e >= 0; e--) {
        const uint8_t *correct = us_score_correct(view, e);
        for (int64_t i = 0; i < view->n; i++)
            scores[i] = correct[i] ? e : scores[i];
    }
    return UNSEEN_OK;
}

enum unseen_status us_score_correctness(const struct us_score_view *view, double *scores)
{
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = 0;
    for (int e = 0; e < view->epochs; e++) {
        const uint8_t *correct = us_score_correct(view, e);
        for (int64_t i = 0; i < view->n; i++)
            scores[i] -= correct[i];
    }
    return UNSEEN_OK;
}

enum unseen_status us_score_flips(const struct us_score_view *view, double *scores)
{
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = 0;
    for (int e = 1; e < view->epochs; e++) {
        const float *before = us_score_row(view, UNSEEN_PREDICTED, e - 1);
        const float *now = us_score_row(view, UNSEEN_PREDICTED, e);
        for (int64_t i = 0; i < view->n; i++)
            scores[i] += now[i] != before[i];
    }
    return UNSEEN_OK;
}
