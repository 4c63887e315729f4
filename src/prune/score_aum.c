/* Area under the margin (Pleiss et al., NeurIPS 2020). */
#include "config.h"

#include "prune/score_function.h"

/* -mean_t margin_t: mislabelled and hard samples have small areas, so the sign is turned. */
enum unseen_status us_score_aum(const struct us_score_view *view, double *scores)
{
    const struct unseen_trajectory *t = view->trajectory;
    for (int64_t i = 0; i < t->n; i++)
        scores[i] = 0;
    for (int e = 0; e < t->epochs; e++) {
        const float *margin = us_score_row(view, UNSEEN_MARGIN, e);
        for (int64_t i = 0; i < t->n; i++)
            scores[i] -= margin[i];
    }
    for (int64_t i = 0; i < t->n; i++)
        scores[i] /= t->epochs;
    return UNSEEN_OK;
}
