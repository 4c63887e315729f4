/* Memorisation (Feldman, STOC 2020; Feldman and Zhang, NeurIPS 2020), estimated from one pair of models:
 * those of a fold run that trained on the sample and those that did not. */
#include "config.h"

#include "score/score_function.h"
#include "trajectory/trajectory.h"

/* p(label) by a model that trained on the sample minus p(label) by one that did not. One-fold runs have
 * several of the latter, a repeat each, for one of the former. */
enum unseen_status us_score_memorisation(const struct us_score_view *view, double *scores)
{
    const struct unseen_trajectory *seen;
    enum unseen_status st = us_trajectory_seen(view->trajectory, &seen);
    if (st)
        return st;
    struct us_score_view other = *view;
    other.trajectory = seen;
    other.repeat = view->repeat / (view->trajectory->repeats / seen->repeats);
    int epoch = us_score_epoch(view, US_LAST_EPOCH);
    if (!us_trajectory_holds(seen, UNSEEN_P_TRUE) || epoch >= seen->epochs)
        return us_fail(UNSEEN_USAGE, "--metric",
                       "memorisation needs epoch %d of p_true.npy on the seen side too", epoch);
    const float *p_seen = us_score_row(&other, UNSEEN_P_TRUE, epoch);
    const float *p_unseen = us_score_row(view, UNSEEN_P_TRUE, epoch);
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = (double)p_seen[i] - p_unseen[i];
    us_trajectory_drop_pages(seen);
    return UNSEEN_OK;
}
