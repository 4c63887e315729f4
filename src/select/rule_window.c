/* Windows of the samples sorted by score. */
#include "config.h"

#include <stdlib.h>

#include "select/ranking.h"

/* The highest scores that are left once the hardest are cut off. */
enum unseen_status us_rule_window(const struct us_rule_input *in, uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_limit *cut = us_calloc((size_t)in->groups, sizeof *cut);
    struct us_limit *limit = us_calloc((size_t)in->groups, sizeof *limit);
    const struct us_view view = {.in = in, .key = US_KEY_HIGH_SCORE, .cut = cut};
    US_TRY_ALLOC(cut);
    US_TRY_ALLOC(limit);
    US_TRY(us_cut_hardest(in, cut));
    US_TRY(us_find_limits(&view, in->quota, limit));
    US_TRY(us_mark(&view, limit, true, kept));
out:
    free(limit);
    free(cut);
    return st;
}

/* Moderate-DS (Xia et al., ICLR 2023): the quantiles of width m/n around the median. */
enum unseen_status us_rule_moderate(const struct us_rule_input *in, uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_view view = {.in = in, .key = US_KEY_LOW_SCORE};
    struct us_limit *limit = us_calloc((size_t)in->groups, sizeof *limit);
    int64_t *count = us_calloc((size_t)in->groups, sizeof *count);
    US_TRY_ALLOC(limit);
    US_TRY_ALLOC(count);
    for (int g = 0; g < in->groups; g++)
        count[g] = (in->size[g] - in->quota[g]) / 2 + in->quota[g];
    US_TRY(us_find_limits(&view, count, limit));
    US_TRY(us_mark(&view, limit, true, kept));
    for (int g = 0; g < in->groups; g++)
        count[g] -= in->quota[g];
    US_TRY(us_find_limits(&view, count, limit));
    US_TRY(us_mark(&view, limit, false, kept));
out:
    free(count);
    free(limit);
    return st;
}
