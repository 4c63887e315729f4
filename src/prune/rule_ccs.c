/* Coverage-centric coreset selection (Zheng et al., ICLR 2023): the hardest samples, mislabelled ones among
 * them, are cut off; the rest is divided into strata of equal width in score, and each gives about the same
 * number. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "prune/order.h"
#include "prune/rule.h"

#define DEFAULT_STRATA 50
#define MAX_STRATA     1000000

enum unseen_status us_ccs_strata(const struct unseen_select_options *options, int *strata)
{
    if (options->strata < 0 || options->strata > MAX_STRATA)
        return us_fail(UNSEEN_USAGE, "--strata", "%d is not in 1..%d", options->strata, MAX_STRATA);
    *strata = options->strata ? options->strata : DEFAULT_STRATA;
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

/* One stratum a sample, -1 for those cut off. */
static enum unseen_status stratify(const struct us_rule_input *in, int strata, int64_t *items,
                                   int32_t *stratum)
{
    int64_t left;
    enum unseen_status st = us_cut_hardest(in, items, &left);
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; st == UNSEEN_OK && i < left; i++) {
        low = fmin(low, in->scores[items[i]]);
        high = fmax(high, in->scores[items[i]]);
    }
    for (int64_t i = 0; st == UNSEEN_OK && i < in->n; i++)
        stratum[items[i]] = i >= left ? -1 : us_ccs_stratum(in->scores[items[i]], low, high, strata);
    return st;
}

enum unseen_status us_rule_ccs(const struct us_rule_input *in, uint8_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int strata = 0;
    int32_t *stratum = NULL;
    int64_t *items = NULL, *population = NULL, *budget = NULL;
    US_TRY(us_ccs_strata(in->options, &strata));
    US_TRY_ALLOC(stratum = us_calloc((size_t)in->n, sizeof *stratum));
    US_TRY_ALLOC(items = us_calloc((size_t)in->n, sizeof *items));
    US_TRY_ALLOC(population = us_calloc((size_t)strata, sizeof *population));
    US_TRY_ALLOC(budget = us_calloc((size_t)strata, sizeof *budget));
    US_TRY(stratify(in, strata, items, stratum));
    for (int64_t i = 0; i < in->n; i++) {
        if (stratum[i] >= 0)
            population[stratum[i]]++;
    }
    US_TRY(us_ccs_budgets(population, strata, in->m, budget));
    US_TRY(us_rule_shuffle(in, items));
    us_keep_by_quota(items, stratum, in->n, budget, kept);
out:
    free(budget);
    free(population);
    free(items);
    free(stratum);
    return st;
}
