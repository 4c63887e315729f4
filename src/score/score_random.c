/* The random baseline as a score. */
#include "config.h"

#include "base/rng.h"
#include "score/score_function.h"

/* Rules draw from epoch 0 of the same stream; apart from them, or a rule's choice within equal scores and the
 * scores themselves would go together. */
#define FIRST_EPOCH 1

enum unseen_status us_score_random(const struct us_score_view *view, double *scores)
{
    for (int64_t i = 0; i < view->n; i++) {
        uint32_t words[4];
        us_philox(view->seed, US_STREAM_SELECT, (uint32_t)view->repeat + FIRST_EPOCH,
                  (uint64_t)(view->first + i), words);
        scores[i] = us_uniform(words[0]);
    }
    return UNSEEN_OK;
}
