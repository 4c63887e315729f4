/* DUAL's beta sampling (Cho et al., ICML 2025): a draw without replacement, weighted by the score and by a
 * beta density over the mean probability of the label, whose peak moves to easier samples as less is kept. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"
#include "select/kept.h"
#include "select/rule.h"

#define ANCHORS 10   /* highest scores whose mean probability places the density */
#define TOTAL   16.0 /* a + b */
#define SPAN    15.0 /* the largest b */
#define EDGE    1e-6 /* the logarithms' arguments stay this far from 0 and 1 */

static double exponent(const struct unseen_select_options *o)
{
    static const double published[] = {
        [UNSEEN_TABLE_CIFAR10] = 5.5, [UNSEEN_TABLE_CIFAR100] = 4, [UNSEEN_TABLE_IMAGENET] = 11};
    return o->beta > 0 ? o->beta : published[us_known_table(o->table)];
}

static double clamp(double x)
{
    return fmin(fmax(x, EDGE), 1 - EDGE);
}

/* A standard Gumbel number of the sample's own. */
static double gumbel(const struct us_rule_input *in, int64_t i)
{
    uint64_t draw = us_rule_draw(in->options->seed, in->sample ? in->sample[i] : i);
    double u = ((double)(draw >> 11) + 0.5) * 0x1p-53;
    return -log(-log(u));
}

/* Scores as weights: as they are, or, where one is negative, their ranks in (0,1). `order` [n] is descending.
 */
static void weigh(const struct us_rule_input *in, const int64_t *order, double *weight)
{
    bool negative = in->scores[order[in->n - 1]] < 0;
    for (int64_t i = 0; i < in->n; i++)
        weight[order[i]] =
            negative ? ((double)(in->n - i) - 0.5) / (double)in->n : (double)in->scores[order[i]];
}

/* Weighted sampling without replacement: the m largest of ln w + Gumbel noise. Samples of weight 0 come after
 * all others. */
enum unseen_status us_rule_beta(const struct us_rule_input *in, uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *order = us_calloc((size_t)in->n, sizeof *order);
    double *key = us_calloc((size_t)in->n, sizeof *key);
    US_TRY_ALLOC(order);
    US_TRY_ALLOC(key);
    US_TRY(us_order_f32(in->scores, in->n, true, order));
    weigh(in, order, key);
    int64_t anchors = in->n < ANCHORS ? in->n : ANCHORS;
    double anchor = 0;
    for (int64_t i = 0; i < anchors; i++)
        anchor += in->p_true[order[i]] / (double)anchors;
    double pruned = 1 - (double)in->m / (double)in->n;
    double b = SPAN * (1 - anchor) * (1 - pow(pruned, exponent(in->options)));
    double a = TOTAL - b;
    for (int64_t i = 0; i < in->n; i++) {
        double p = clamp(in->p_true[i]);
        /* Smaller than any float's logarithm, and still finite for the sort. */
        double log_weight = key[i] > 0 ? log(key[i]) : -1e6;
        key[i] = (a - 1) * log(p) + (b - 1) * log(1 - p) + log_weight + gumbel(in, i);
    }
    US_TRY(us_order(key, in->n, true, order));
    for (int64_t i = 0; i < in->m; i++)
        us_keep(kept, order[i]);
out:
    free(key);
    free(order);
    return st;
}
