/* Coverage-centric coreset selection (Zheng et al., ICLR 2023): the hardest samples, mislabelled ones among
 * them, are cut off; the rest is divided into strata of equal width in score, and each gives about the same
 * number. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"
#include "select/ranking.h"

#define DEFAULT_STRATA 50
#define MOST_GROUPS    (1 << 24) /* strata of all classes together */

int us_ccs_strata(const struct unseen_select_options *options)
{
    return options->strata ? options->strata : DEFAULT_STRATA;
}

enum unseen_status us_ccs_check_strata(const struct unseen_select_options *options, int groups)
{
    int strata = us_ccs_strata(options);
    if ((int64_t)strata * groups > MOST_GROUPS)
        return us_fail(UNSEEN_USAGE, "--strata", "%d of each of %d classes are more than %d in all", strata,
                       groups, MOST_GROUPS);
    return UNSEEN_OK;
}

enum unseen_status us_ccs_budgets(const int64_t *population, int strata, int64_t m, int64_t *budget)
{
    enum unseen_status st = UNSEEN_OK;
    double *key = us_calloc((size_t)strata, sizeof *key);
    int64_t *order = us_calloc((size_t)strata, sizeof *order);
    US_TRY_ALLOC(key);
    US_TRY_ALLOC(order);
    for (int s = 0; s < strata; s++)
        key[s] = (double)population[s];
    US_TRY(us_order(key, strata, false, order));
    for (int i = 0; i < strata; i++) {
        int64_t share = m / (strata - i), all = population[order[i]];
        budget[order[i]] = share < all ? share : all;
        m -= budget[order[i]];
    }
out:
    free(order);
    free(key);
    return st;
}

/* ---- the range of scores ---- */

struct range {
    int groups;
    double *low, *high; /* [parts][groups] */
};

static void widen(void *state, int part, const struct us_block *b)
{
    const struct range *r = state;
    double *low = r->low + (int64_t)part * r->groups, *high = r->high + (int64_t)part * r->groups;
    for (int i = 0; i < b->n; i++) {
        int32_t g = b->group[i];
        if (g < 0)
            continue;
        low[g] = b->scores[i] < low[g] ? b->scores[i] : low[g];
        high[g] = b->scores[i] > high[g] ? b->scores[i] : high[g];
    }
}

/* Of each group, over what the cut leaves. The caller frees both. */
static enum unseen_status find_range(const struct us_view *view, struct range *r)
{
    enum unseen_status st = UNSEEN_OK;
    int parts = us_parts(view->in->n);
    r->groups = view->in->groups;
    US_TRY_ALLOC(r->low = us_calloc((size_t)parts * (size_t)r->groups, sizeof *r->low));
    US_TRY_ALLOC(r->high = us_calloc((size_t)parts * (size_t)r->groups, sizeof *r->high));
    for (int i = 0; i < parts * r->groups; i++) {
        r->low[i] = INFINITY;
        r->high[i] = -INFINITY;
    }
    US_TRY(us_for_blocks(view, parts, widen, r));
    for (int i = r->groups; i < parts * r->groups; i++) {
        r->low[i % r->groups] = fmin(r->low[i % r->groups], r->low[i]);
        r->high[i % r->groups] = fmax(r->high[i % r->groups], r->high[i]);
    }
out:
    return st;
}

/* ---- the rule ---- */

/* budget and limit [groups of `view`] */
static enum unseen_status draw(const struct us_view *view, int64_t *budget, struct us_limit *limit,
                               uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_rule_input *in = view->in;
    int strata = view->strata->n;
    struct us_view without_keys = *view;
    without_keys.key = US_KEY_NONE;
    int64_t *population = us_calloc((size_t)us_view_groups(view), sizeof *population);
    US_TRY_ALLOC(population);
    US_TRY(us_count_groups(&without_keys, population));
    for (int g = 0; g < in->groups; g++)
        US_TRY(us_ccs_budgets(population + (int64_t)g * strata, strata, in->quota[g],
                              budget + (int64_t)g * strata));
    US_TRY(us_find_limits(view, budget, limit));
    US_TRY(us_mark(view, limit, true, kept));
out:
    free(population);
    return st;
}

enum unseen_status us_rule_ccs(const struct us_rule_input *in, uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_limit *cut = NULL, *limit = NULL;
    int64_t *budget = NULL;
    struct range range = {0};
    struct us_strata strata = {.n = us_ccs_strata(in->options)};
    struct us_view view = {.in = in};
    US_TRY(us_ccs_check_strata(in->options, in->groups));
    US_TRY_ALLOC(cut = us_calloc((size_t)in->groups, sizeof *cut));
    US_TRY_ALLOC(limit = us_calloc((size_t)(in->groups * strata.n), sizeof *limit));
    US_TRY_ALLOC(budget = us_calloc((size_t)(in->groups * strata.n), sizeof *budget));
    US_TRY(us_cut_hardest(in, cut));
    view.cut = cut;
    US_TRY(find_range(&view, &range));
    strata.low = range.low;
    strata.high = range.high;
    view.strata = &strata;
    view.key = US_KEY_DRAW;
    US_TRY(draw(&view, budget, limit, kept));
out:
    free(range.low);
    free(range.high);
    free(budget);
    free(limit);
    free(cut);
    return st;
}
