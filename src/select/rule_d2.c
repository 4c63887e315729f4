/* D2 pruning (Maharana et al., ICLR 2024): scores spread over a graph of nearest neighbours in feature space,
 * then samples are taken by the highest score, each lowering its neighbours'. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/vectors.h"
#include "select/kept.h"
#include "select/rule.h"

#define DEFAULT_NEIGHBOURS 10

/* Each sample's k nearest others, nearest first. */
struct graph {
    int k;
    int64_t *to;     /* [n][k] */
    float *distance; /* [n][k] squared at first, then the edge's weight */
};

/* Put sample j into the sorted list of i if it is near enough; equally near: the lower index stays first. */
static void offer(struct graph *g, int64_t i, int64_t j, int count, float distance)
{
    float *d = g->distance + i * g->k;
    int64_t *to = g->to + i * g->k;
    int at = count < g->k ? count : g->k - 1;
    if (count >= g->k && distance >= d[at])
        return;
    for (; at > 0 && d[at - 1] > distance; at--) {
        d[at] = d[at - 1];
        to[at] = to[at - 1];
    }
    d[at] = distance;
    to[at] = j;
}

static void find_neighbours(const struct us_rule_input *in, struct graph *g)
{
    for (int64_t i = 0; i < in->n; i++) {
        const float *x = in->features + i * in->dimension;
        int count = 0;
        for (int64_t j = 0; j < in->n; j++) {
            if (j == i)
                continue;
            offer(g, i, j, count, us_squared_distance(x, in->features + j * in->dimension, in->dimension));
            count += count < g->k;
        }
    }
}

/* exp(-gamma d^2), with d^2 in units of the graph's mean, so that gamma does not depend on the features'
 * scale.
 */
static void weigh_edges(struct graph *g, int64_t n, double gamma)
{
    double mean = 0;
    for (int64_t e = 0; e < n * g->k; e++)
        mean += (double)g->distance[e] / (double)(n * g->k);
    for (int64_t e = 0; e < n * g->k; e++)
        g->distance[e] = mean > 0 ? (float)exp(-gamma * (double)g->distance[e] / mean) : 1;
}

/* Scores scaled to [0,1], each with its neighbours' added by the edges' weights. */
static void spread_forward(const struct us_rule_input *in, const struct graph *g, double *value)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < in->n; i++) {
        low = fmin(low, in->scores[i]);
        high = fmax(high, in->scores[i]);
    }
    double range = high > low ? high - low : 1;
    for (int64_t i = 0; i < in->n; i++) {
        value[i] = (in->scores[i] - low) / range;
        for (int e = 0; e < g->k; e++)
            value[i] += g->distance[i * g->k + e] * (in->scores[g->to[i * g->k + e]] - low) / range;
    }
}

static void take_greedily(const struct us_rule_input *in, const struct graph *g, double *value,
                          uint64_t *kept)
{
    for (int64_t taken = 0; taken < in->m; taken++) {
        int64_t best = -1;
        for (int64_t i = 0; i < in->n; i++) {
            if (!us_is_kept(kept, i) && (best < 0 || value[i] > value[best]))
                best = i;
        }
        us_keep(kept, best);
        for (int e = 0; e < g->k; e++)
            value[g->to[best * g->k + e]] -= g->distance[best * g->k + e] * value[best];
    }
}

enum unseen_status us_rule_d2(const struct us_rule_input *in, uint64_t *kept)
{
    const struct unseen_select_options *o = in->options;
    enum unseen_status st = UNSEEN_OK;
    struct graph g = {.k = o->neighbours ? o->neighbours : DEFAULT_NEIGHBOURS};
    double *value = NULL;
    if (g.k > in->n - 1)
        g.k = (int)(in->n - 1);
    US_TRY_ALLOC(g.to = us_calloc((size_t)in->n * (size_t)g.k, sizeof *g.to));
    US_TRY_ALLOC(g.distance = us_calloc((size_t)in->n * (size_t)g.k, sizeof *g.distance));
    US_TRY_ALLOC(value = us_calloc((size_t)in->n, sizeof *value));
    find_neighbours(in, &g);
    weigh_edges(&g, in->n, o->gamma > 0 ? o->gamma : 1);
    spread_forward(in, &g, value);
    take_greedily(in, &g, value, kept);
out:
    free(value);
    free(g.distance);
    free(g.to);
    return st;
}
