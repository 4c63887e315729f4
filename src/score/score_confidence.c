/* The label's mean probability over the epochs, which dataset cartography calls confidence (Swayamdipta et
 * al., EMNLP 2020), as a score: 1 - mean. */
#include "config.h"

#include <stdlib.h>

#include "score/epoch_weights.h"
#include "score/score_function.h"
#include "trajectory/trajectory.h"

/* weight [epochs]; NULL: all alike */
static void add_up(const struct us_score_view *view, const double *weight, double *scores)
{
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = 1;
    for (int e = 0; e < view->epochs; e++) {
        const float *p = us_score_row(view, UNSEEN_P_TRUE, e);
        const double w = weight ? weight[e] : 1.0 / view->epochs;
        for (int64_t i = 0; i < view->n; i++)
            scores[i] -= w * p[i];
        us_trajectory_drop_pages(view->trajectory);
    }
}

enum unseen_status us_score_confidence(const struct us_score_view *view, double *scores)
{
    add_up(view, NULL, scores);
    return UNSEEN_OK;
}

/* Models begin to learn wrong labels by heart long before the last epoch, and what they say of other samples
 * from there on is worth less. */
enum unseen_status us_score_unseen_confidence(const struct us_score_view *view, double *scores)
{
    double *weight = us_calloc((size_t)view->epochs, sizeof *weight);
    if (!weight)
        return UNSEEN_FAILED;
    us_epoch_weights(view->trajectory, view->repeat, view->epochs, weight);
    add_up(view, weight, scores);
    free(weight);
    return UNSEEN_OK;
}
