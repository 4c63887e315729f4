/* Scores that add a quantity up over epochs. */
#include "config.h"

#include "score/probability.h"
#include "score/score_function.h"

/* Epochs that CCS sums EL2N over. */
#define EL2N_EPOCHS 10

static void clear(const struct us_score_view *view, double *scores)
{
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = 0;
}

/* Area under the margin (Pleiss et al., NeurIPS 2020): -mean_t margin_t. Mislabelled and hard samples have
 * small areas, so the sign is turned. */
enum unseen_status us_score_aum(const struct us_score_view *view, double *scores)
{
    clear(view, scores);
    for (int e = 0; e < view->epochs; e++) {
        const float *margin = us_score_row(view, UNSEEN_MARGIN, e);
        for (int64_t i = 0; i < view->n; i++)
            scores[i] -= margin[i];
    }
    for (int64_t i = 0; i < view->n; i++)
        scores[i] /= view->epochs;
    return UNSEEN_OK;
}

/* CCS's (Zheng et al., ICLR 2023): of probabilities, and a sum. */
enum unseen_status us_score_aum_ccs(const struct us_score_view *view, double *scores)
{
    clear(view, scores);
    for (int e = 0; e < view->epochs; e++) {
        const float *loss = us_score_row(view, UNSEEN_LOSS, e);
        const float *margin = us_score_row(view, UNSEEN_MARGIN, e);
        for (int64_t i = 0; i < view->n; i++)
            scores[i] += us_p_other(loss[i], margin[i]) - us_p_true(loss[i]);
    }
    return UNSEEN_OK;
}

enum unseen_status us_score_el2n_ccs(const struct us_score_view *view, double *scores)
{
    clear(view, scores);
    for (int e = 0; e < view->epochs && e < EL2N_EPOCHS; e++) {
        const float *error = us_score_row(view, UNSEEN_EL2N, e);
        for (int64_t i = 0; i < view->n; i++)
            scores[i] += error[i];
    }
    return UNSEEN_OK;
}
