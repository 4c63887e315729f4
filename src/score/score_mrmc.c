/* Maximum reduction as maximum contribution (Chen, "Efficient Core-set Selection for Deep Learning Through
 * Squared Loss Minimization", ICML 2025, openreview.net/forum?id=UeGo9RmpRY): the samples whose loss falls
 * most in early training contribute most to convergence.
 *
 * The losses after epochs r = 1..R follow l_r = q w^-r, and the score is the reduction l_0 - l_R = q (1 -
 * w^-R), as accounts of the paper have it. They do not tell how q and w are fitted: here by least squares of
 * ln l_r, which has one solution. Negative where the loss rises. The paper's variant with a proxy model that
 * spreads contributions out is not part of it. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "score/score_function.h"

/* The paper's R. */
#define MRMC_EPOCHS 20

/* What a fitted sample's loss, which may be 0, counts as. */
#define LEAST_LOSS 1e-8

enum unseen_status us_score_mrmc(const struct us_score_view *view, double *scores)
{
    const int epochs = view->epochs < MRMC_EPOCHS ? view->epochs : MRMC_EPOCHS;
    const double middle = (epochs + 1) / 2.0;
    const double squares = epochs * ((double)epochs * epochs - 1) / 12; /* sum of (r - middle)^2 */
    double *slope = us_calloc((size_t)view->n, sizeof *slope);
    if (!slope)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = 0;
    for (int e = 0; e < epochs; e++) {
        const float *loss = us_score_row(view, UNSEEN_LOSS, e);
        for (int64_t i = 0; i < view->n; i++) {
            const double y = log(fmax((double)loss[i], LEAST_LOSS));
            scores[i] += y / epochs;
            slope[i] += (e + 1 - middle) * y / squares;
        }
    }
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = -exp(scores[i] - slope[i] * middle) * expm1(slope[i] * epochs);
    free(slope);
    return UNSEEN_OK;
}
