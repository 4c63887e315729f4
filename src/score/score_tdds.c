/* TDDS (Zhang et al., CVPR 2024), with the arithmetic of its authors' code. */
#include "config.h"

#include <math.h>

#include "score/score_function.h"

/* scores = (1 - decay) scores + decay R_k, R_k the norm of the window's changes about their mean. The change
 * from epoch t to t + 1 is recorded at t + 1; a window of J epochs holds J - 1. Each window is taken by
 * itself: early changes are so much larger than late ones that a sliding sum would bury the latter. */
static void add_window(const struct us_score_view *view, int k, double *scores)
{
    enum { PIECE = 512 };
    double changes = view->window - 1;
    for (int64_t begin = 0; begin < view->n; begin += PIECE) {
        int count = view->n - begin < PIECE ? (int)(view->n - begin) : PIECE;
        double mean[PIECE] = {0}, square[PIECE] = {0};
        for (int e = k + 1; e < k + view->window; e++) {
            const float *change = us_score_row(view, UNSEEN_CHANGE, e) + begin;
            for (int i = 0; i < count; i++)
                mean[i] += change[i] / changes;
        }
        for (int e = k + 1; e < k + view->window; e++) {
            const float *change = us_score_row(view, UNSEEN_CHANGE, e) + begin;
            for (int i = 0; i < count; i++)
                square[i] += (change[i] - mean[i]) * (change[i] - mean[i]);
        }
        for (int i = 0; i < count; i++)
            scores[begin + i] += view->decay * (sqrt(square[i]) - scores[begin + i]);
    }
}

/* sum_k decay (1 - decay)^(T-J-k) R_k for k = 0..T-J */
enum unseen_status us_score_tdds(const struct us_score_view *view, double *scores)
{
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = 0;
    for (int k = 0; k + view->window <= view->epochs; k++)
        add_window(view, k, scores);
    return UNSEEN_OK;
}
