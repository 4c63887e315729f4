/* Coverage-centric coreset selection (Zheng et al., ICLR 2023): the hardest samples, mislabelled ones among
 * them, are cut off; the rest is divided into strata of equal width in score, and each gives about the same
 * number. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "prune/order.h"
#include "prune/rule.h"

#define DEFAULT_STRATA 50
#define MAX_STRATA     1000000

double us_ccs_cutoff(double keep)
{
    static const double table[][2] = {{0.1, 0.3}, {0.2, 0.2}, {0.3, 0.1}, {0.5, 0}};
    const int rows = sizeof table / sizeof table[0];
    if (keep <= table[0][0])
        return table[0][1];
    for (int i = 1; i < rows; i++) {
        const double *low = table[i - 1], *high = table[i];
        if (keep <= high[0])
            return low[1] + (high[1] - low[1]) * (keep - low[0]) / (high[0] - low[0]);
    }
    return 0;
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

/* One stratum a sample, -1 for those cut off. */
static enum unseen_status stratify(const struct us_rule_input *in, int strata, int32_t *stratum)
{
    const struct unseen_select_options *o = in->options;
    double cutoff = o->cutoff < 0 ? us_ccs_cutoff(o->keep) : o->cutoff;
    /* The ratio times n may fall just short of the whole number that is meant. */
    int64_t left = in->n - (int64_t)(cutoff * (double)in->n + 1e-6);
    if (left < in->m)
        left = in->m; /* the ratio to keep goes before the cut */
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    if (!items)
        return UNSEEN_FAILED;
    /* Ascending, so that of equally hard samples the lower index stays. */
    enum unseen_status st = us_order_f32(o->hardness ? o->hardness : in->scores, in->n, false, items);
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; st == UNSEEN_OK && i < left; i++) {
        low = fmin(low, in->scores[items[i]]);
        high = fmax(high, in->scores[items[i]]);
    }
    for (int64_t i = 0; st == UNSEEN_OK && i < in->n; i++) {
        double at = high > low ? (in->scores[items[i]] - low) / (high - low) * strata : 0;
        /* The highest score would fall just outside the last stratum, which is closed at that end. */
        stratum[items[i]] = i >= left ? -1 : at < strata ? (int32_t)at : strata - 1;
    }
    free(items);
    return st;
}

enum unseen_status us_rule_ccs(const struct us_rule_input *in, uint8_t *kept)
{
    const struct unseen_select_options *o = in->options;
    if (o->strata < 0 || o->strata > MAX_STRATA)
        return us_fail(UNSEEN_USAGE, "--strata", "%d is not in 1..%d", o->strata, MAX_STRATA);
    if (isnan(o->cutoff) || o->cutoff >= 1)
        return us_fail(UNSEEN_USAGE, "--cutoff", "%g is not in [0,1)", o->cutoff);
    enum unseen_status st = UNSEEN_OK;
    int strata = o->strata ? o->strata : DEFAULT_STRATA;
    int32_t *stratum = us_calloc((size_t)in->n, sizeof *stratum);
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    int64_t *population = us_calloc((size_t)strata, sizeof *population);
    int64_t *budget = us_calloc((size_t)strata, sizeof *budget);
    US_TRY_ALLOC(stratum);
    US_TRY_ALLOC(items);
    US_TRY_ALLOC(population);
    US_TRY_ALLOC(budget);
    if (o->hardness)
        US_TRY(us_check_finite("hardness", o->hardness, in->n));
    US_TRY(stratify(in, strata, stratum));
    for (int64_t i = 0; i < in->n; i++) {
        items[i] = i;
        if (stratum[i] >= 0)
            population[stratum[i]]++;
    }
    US_TRY(us_ccs_budgets(population, strata, in->m, budget));
    US_TRY(us_shuffle(o->seed, US_STREAM_SELECT, 0, (size_t)in->n, items));
    us_keep_by_quota(items, stratum, in->n, budget, kept);
out:
    free(budget);
    free(population);
    free(items);
    free(stratum);
    return st;
}
