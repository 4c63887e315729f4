/* What the tests of scores share: trajectories in memory, and scores held to what they should be. */
#ifndef US_T_SUPPORT_SCORE_H
#define US_T_SUPPORT_SCORE_H

#include "support/cmocka.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trajectory/trajectory.h"
#include "unseen/score.h"

static const struct unseen_score_options defaults = {.epoch = -1};

/* Of two classes, all seen by one model. */
static inline struct us_trajectory_build *seen(int64_t n, int repeats, int epochs)
{
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_SEEN, n, repeats, epochs, 2, 0, &b));
    return b;
}

static inline void assert_scores(const struct us_trajectory_build *b, const char *metric,
                                 const struct unseen_score_options *options, const double *want)
{
    float *got = calloc((size_t)b->view.n, sizeof *got);
    assert_non_null(got);
    assert_ok(unseen_score(&b->view, metric, options, got));
    for (int64_t i = 0; i < b->view.n; i++) {
        if (!(fabs(got[i] - want[i]) <= 1e-6 * fmax(1, fabs(want[i]))))
            fail_msg("%s[%d] is %.9g instead of %.9g", metric, (int)i, (double)got[i], want[i]);
    }
    free(got);
}

#endif
