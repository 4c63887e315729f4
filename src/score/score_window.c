/* Scores from the label's probability in sliding windows of J epochs: Dyn-Unc (He et al., CVPR 2024
 * workshops) and DUAL (Cho et al., ICML 2025). */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "score/score_function.h"

/* Both papers' code scales by ten; kept, so that numbers can be compared. */
#define SCALE 10.0

/* scores += SCALE * std * (1 - mean, if `certainty`), of the window whose sums are given. `base` [n] was
 * taken off every probability. std divides by J - 1. */
static void add_window(const struct us_score_view *view, bool certainty, const float *base, const double *sum,
                       const double *square, double *scores)
{
    double j = view->window;
    for (int64_t i = 0; i < view->n; i++) {
        double mean = sum[i] / j;
        double variance = (square[i] - sum[i] * mean) / (j - 1);
        double deviation = variance > 0 ? sqrt(variance) : 0;
        scores[i] += SCALE * deviation * (certainty ? 1 - (base[i] + mean) : 1);
    }
}

/* Mean over the T - J + 1 windows, in O(T) a sample: sums slide. They are of differences to the first epoch,
 * so that a constant trajectory has no deviation at all and rounding stays small. */
static enum unseen_status windows(const struct us_score_view *view, bool certainty, double *scores)
{
    enum unseen_status st = UNSEEN_OK;
    const float *base = us_score_row(view, UNSEEN_P_TRUE, 0);
    double *sum = us_calloc((size_t)view->n, sizeof *sum);
    double *square = us_calloc((size_t)view->n, sizeof *square);
    US_TRY_ALLOC(sum);
    US_TRY_ALLOC(square);
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = 0;
    for (int e = 0; e < view->epochs; e++) {
        const float *in = us_score_row(view, UNSEEN_P_TRUE, e);
        /* Until a window is full the first epoch leaves instead, which is a difference of 0. */
        const float *out = e < view->window ? base : us_score_row(view, UNSEEN_P_TRUE, e - view->window);
        for (int64_t i = 0; i < view->n; i++) {
            double entering = (double)in[i] - base[i], leaving = (double)out[i] - base[i];
            sum[i] += entering - leaving;
            square[i] += entering * entering - leaving * leaving;
        }
        if (e >= view->window - 1)
            add_window(view, certainty, base, sum, square, scores);
    }
    for (int64_t i = 0; i < view->n; i++)
        scores[i] /= view->epochs - view->window + 1;
out:
    free(square);
    free(sum);
    return st;
}

/* mean_k 10 std_k(p) */
enum unseen_status us_score_dynunc(const struct us_score_view *view, double *scores)
{
    return windows(view, false, scores);
}

/* mean_k 10 std_k(p) (1 - mean_k(p)) */
enum unseen_status us_score_dual(const struct us_score_view *view, double *scores)
{
    return windows(view, true, scores);
}
