/* The first samples of an order: by score, or by draw. */
#include "config.h"

#include <stdlib.h>

#include "select/ranking.h"

static enum unseen_status first_by(enum us_key key, const struct us_rule_input *in, uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_view view = {.in = in, .key = key};
    struct us_limit *limit = us_calloc((size_t)in->groups, sizeof *limit);
    US_TRY_ALLOC(limit);
    US_TRY(us_find_limits(&view, in->quota, limit));
    US_TRY(us_mark(&view, limit, true, kept));
out:
    free(limit);
    return st;
}

enum unseen_status us_rule_top(const struct us_rule_input *in, uint64_t *kept)
{
    return first_by(US_KEY_HIGH_SCORE, in, kept);
}

enum unseen_status us_rule_bottom(const struct us_rule_input *in, uint64_t *kept)
{
    return first_by(US_KEY_LOW_SCORE, in, kept);
}

enum unseen_status us_rule_random(const struct us_rule_input *in, uint64_t *kept)
{
    return first_by(US_KEY_DRAW, in, kept);
}
