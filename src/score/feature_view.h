/* What scores on features share. */
#ifndef US_SCORE_FEATURE_VIEW_H
#define US_SCORE_FEATURE_VIEW_H

#include "score/score_function.h"
#include "trajectory/trajectory.h"

/* Features [d] of sample i. */
static inline const float *us_score_features(const struct us_score_view *view, int64_t i)
{
    const struct unseen_trajectory *t = view->trajectory;
    return t->features + ((size_t)view->repeat * (size_t)t->n + (size_t)i) * (size_t)t->feature_count;
}

/* For loops over features, to be called with the number of turns: what lies behind leaves memory again every
 * 4 MB. */
static inline void us_score_features_drop_pages(const struct us_score_view *view, int64_t turn)
{
    enum { FLOATS = 1 << 20 };
    if (turn % (FLOATS / view->trajectory->feature_count + 1) == 0)
        us_trajectory_drop_pages(view->trajectory);
}

/* The model that scored sample i, 0 where one model scored all. */
static inline int us_score_fold(const struct us_score_view *view, int64_t i)
{
    const struct unseen_trajectory *t = view->trajectory;
    return t->fold ? t->fold[(size_t)view->repeat * (size_t)t->n + (size_t)i] : 0;
}

#endif
