#include "config.h"

#include "prune/coreset_update.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"
#include "score/calibrate.h"
#include "select/groups.h"
#include "select/quotas.h"

void us_step_budgets(int64_t m, int steps, int grow, int64_t *budget)
{
    for (int t = 0; t < steps; t++) {
        budget[t] = t < grow ? llround((double)m * (t + 1) / grow) : m;
        budget[t] = budget[t] < 1 ? 1 : budget[t];
    }
}

/* ---- who leaves ---- */

/* Could come in: neither held out nor a member, and not cut off. */
static bool may_come(const struct us_coreset_update *in, const uint8_t *cut, int64_t i)
{
    return !in->held_out[i] && !in->previous[i] && !cut[i];
}

/* Of those that could come in; the lower of the two in the middle of an even number. */
static enum unseen_status median_outside(const struct us_coreset_update *in, const uint8_t *cut,
                                         float *median, int64_t *count)
{
    enum unseen_status st = UNSEEN_OK;
    float *scores = us_calloc((size_t)in->n, sizeof *scores);
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    US_TRY_ALLOC(scores);
    US_TRY_ALLOC(items);
    *count = 0;
    for (int64_t i = 0; i < in->n; i++) {
        if (may_come(in, cut, i))
            scores[(*count)++] = in->scores[i];
    }
    US_TRY(us_order_f32(scores, *count, false, items));
    *median = *count ? scores[items[(*count - 1) / 2]] : -INFINITY;
out:
    free(items);
    free(scores);
    return st;
}

static const float *hardness_of(const struct us_coreset_update *in)
{
    return in->select->hardness ? in->select->hardness : in->scores;
}

enum unseen_status us_coreset_evict(const struct us_coreset_update *in, const uint8_t *cut, uint8_t *retained)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t outside, members = 0;
    float median;
    int64_t *easiest = us_calloc((size_t)in->n, sizeof *easiest);
    int64_t *hardest = us_calloc((size_t)in->n, sizeof *hardest);
    US_TRY_ALLOC(easiest);
    US_TRY_ALLOC(hardest);
    US_TRY(median_outside(in, cut, &median, &outside));
    US_TRY(us_order_f32(in->scores, in->n, false, easiest));
    US_TRY(us_order_f32(hardness_of(in), in->n, true, hardest));
    for (int64_t i = 0; i < in->n; i++) {
        retained[i] = in->previous[i];
        members += in->previous[i];
    }
    int64_t left = (int64_t)(in->evict * (double)members + 1e-6), spare = outside + members - in->m;
    left = left < spare ? left : spare;
    for (int64_t k = 0; k < in->n && left > 0; k++) {
        left -= retained[hardest[k]] && cut[hardest[k]];
        retained[hardest[k]] &= !cut[hardest[k]];
    }
    for (int64_t k = 0; k < in->n && left > 0 && in->scores[easiest[k]] < median; k++) {
        left -= retained[easiest[k]];
        retained[easiest[k]] = 0;
    }
out:
    free(hardest);
    free(easiest);
    return st;
}

/* ---- what each class is due ---- */

enum unseen_status us_coreset_refill_quotas(const int64_t *retained, const int64_t *pool,
                                            const double *weight, int classes, int64_t m, int64_t *quota)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *both = us_calloc((size_t)classes, sizeof *both);
    int64_t *due = us_calloc((size_t)classes, sizeof *due);
    double *missing = us_calloc((size_t)classes, sizeof *missing);
    US_TRY_ALLOC(both);
    US_TRY_ALLOC(due);
    US_TRY_ALLOC(missing);
    int64_t refill = m;
    for (int c = 0; c < classes; c++) {
        both[c] = retained[c] + pool[c];
        refill -= retained[c];
    }
    US_TRY(us_weighted_quotas(both, weight, classes, m, due));
    for (int c = 0; c < classes; c++)
        missing[c] = due[c] > retained[c] ? (double)(due[c] - retained[c]) : 0;
    US_TRY(us_weighted_quotas(pool, missing, classes, refill, quota));
out:
    free(missing);
    free(due);
    free(both);
    return st;
}

/* ---- who comes ---- */

/* Samples that are not held out, by group: the class, or 0 for all. */
struct groups {
    int n;
    int64_t *first; /* [n + 1] */
    int64_t *item;  /* grouped, ascending within each */
    uint8_t *cut;   /* [samples] 1: among the hardest of its group, which are cut off */
};

static void groups_free(struct groups *g)
{
    free(g->first);
    free(g->item);
    free(g->cut);
}

static int group_of(const struct us_coreset_update *in, const struct groups *g, int64_t i)
{
    return g->n > 1 ? in->labels[i] : 0;
}

/* The cut-off is of members and others together: what is left outside is no easier for it. */
static enum unseen_status cut_hardest(const struct us_coreset_update *in, struct groups *g)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *order = us_calloc((size_t)in->n, sizeof *order);
    int64_t *left = us_calloc((size_t)g->n, sizeof *left);
    US_TRY_ALLOC(order);
    US_TRY_ALLOC(left);
    for (int c = 0; c < g->n; c++)
        left[c] = (int64_t)(in->select->cutoff * (double)(g->first[c + 1] - g->first[c]) + 1e-6);
    US_TRY(us_order_f32(hardness_of(in), in->n, false, order));
    for (int64_t k = in->n - 1; k >= 0; k--) {
        int64_t i = order[k];
        if (!in->held_out[i] && left[group_of(in, g, i)]-- > 0)
            g->cut[i] = 1;
    }
out:
    free(left);
    free(order);
    return st;
}

static enum unseen_status groups_make(const struct us_coreset_update *in, struct groups *g)
{
    enum unseen_status st = UNSEEN_OK;
    g->n = us_groups_by_class(in->select) ? in->classes : 1;
    int64_t *next = us_calloc((size_t)g->n, sizeof *next);
    US_TRY_ALLOC(next);
    US_TRY_ALLOC(g->first = us_calloc((size_t)g->n + 1, sizeof *g->first));
    US_TRY_ALLOC(g->item = us_calloc((size_t)in->n, sizeof *g->item));
    US_TRY_ALLOC(g->cut = us_calloc((size_t)in->n, 1));
    for (int64_t i = 0; i < in->n; i++)
        g->first[group_of(in, g, i) + 1] += !in->held_out[i];
    for (int c = 0; c < g->n; c++) {
        g->first[c + 1] += g->first[c];
        next[c] = g->first[c];
    }
    for (int64_t i = 0; i < in->n; i++) {
        if (!in->held_out[i])
            g->item[next[group_of(in, g, i)]++] = i;
    }
    US_TRY(cut_hardest(in, g));
out:
    free(next);
    return st;
}

/* Of each group, how many members stay and how many others could come; quota [groups->n] receives how many
 * do. */
static enum unseen_status share_out(const struct us_coreset_update *in, const struct groups *g,
                                    const uint8_t *current, int64_t *quota)
{
    enum unseen_status st = UNSEEN_OK;
    size_t n = (size_t)g->n;
    int64_t *retained = us_calloc(n, sizeof *retained);
    int64_t *pool = us_calloc(n, sizeof *pool);
    int64_t *size = us_calloc(n, sizeof *size);
    double *weight = us_calloc(n, sizeof *weight);
    US_TRY_ALLOC(retained);
    US_TRY_ALLOC(pool);
    US_TRY_ALLOC(size);
    US_TRY_ALLOC(weight);
    for (int c = 0; c < g->n; c++) {
        size[c] = g->first[c + 1] - g->first[c];
        for (int64_t k = g->first[c]; k < g->first[c + 1]; k++) {
            retained[c] += current[g->item[k]];
            pool[c] += !in->previous[g->item[k]];
        }
        weight[c] = 1;
    }
    if (us_groups_by_class(in->select))
        US_TRY(us_class_weights(size, g->n, in->select, weight));
    US_TRY(us_coreset_refill_quotas(retained, pool, weight, g->n, in->m, quota));
out:
    free(weight);
    free(size);
    free(pool);
    free(retained);
    return st;
}

/* Those of a group that may come in, with what the rule looks at. */
struct pool {
    int64_t n, cut; /* cut: how many of them are cut off */
    int64_t *item;
    float *scores, *hardness, *p_true;
    int32_t *labels;
};

static void pool_free(struct pool *p)
{
    free(p->item);
    free(p->scores);
    free(p->hardness);
    free(p->p_true);
    free(p->labels);
}

static enum unseen_status pool_make(const struct us_coreset_update *in, const struct groups *g, int group,
                                    struct pool *p)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_select_options *s = in->select;
    const float *hardness = hardness_of(in);
    size_t most = (size_t)(g->first[group + 1] - g->first[group]);
    US_TRY_ALLOC(p->item = us_calloc(most, sizeof *p->item));
    US_TRY_ALLOC(p->scores = us_calloc(most, sizeof *p->scores));
    US_TRY_ALLOC(p->hardness = us_calloc(most, sizeof *p->hardness));
    US_TRY_ALLOC(p->p_true = us_calloc(most, sizeof *p->p_true));
    US_TRY_ALLOC(p->labels = us_calloc(most, sizeof *p->labels));
    for (int64_t k = g->first[group]; k < g->first[group + 1]; k++) {
        int64_t i = g->item[k];
        if (in->previous[i])
            continue;
        p->scores[p->n] = in->scores[i];
        p->hardness[p->n] = hardness[i];
        p->p_true[p->n] = s->p_true ? s->p_true[i] : 0;
        p->labels[p->n] = in->labels[i];
        p->cut += g->cut[i];
        p->item[p->n++] = i;
    }
out:
    return st;
}

static enum unseen_status take(const struct us_coreset_update *in, const struct groups *g, int group,
                               int64_t quota, uint8_t *current)
{
    enum unseen_status st = UNSEEN_OK;
    struct pool p = {0};
    struct unseen_select_options select = *in->select;
    int64_t *kept = NULL, m = 0;
    US_TRY(pool_make(in, g, group, &p));
    int64_t most = p.n - quota;
    select.keep = (double)quota / (double)p.n;
    select.cutoff = (double)(p.cut < most ? p.cut : most) / (double)p.n;
    select.quota = UNSEEN_QUOTA_NONE;
    select.class_focus = 0;
    select.hardness = p.hardness;
    select.p_true = in->select->p_true ? p.p_true : NULL;
    US_TRY(unseen_select(in->rule, p.scores, p.labels, p.n, in->classes, &select, &kept, &m));
    for (int64_t k = 0; k < m; k++)
        current[p.item[kept[k]]] = 1;
out:
    free(kept);
    pool_free(&p);
    return st;
}

enum unseen_status us_coreset_update(const struct us_coreset_update *in, uint8_t *current)
{
    enum unseen_status st = UNSEEN_OK;
    struct groups g = {0};
    int64_t *quota = NULL;
    US_TRY(groups_make(in, &g));
    US_TRY(us_coreset_evict(in, g.cut, current));
    US_TRY_ALLOC(quota = us_calloc((size_t)g.n, sizeof *quota));
    US_TRY(share_out(in, &g, current, quota));
    for (int c = 0; c < g.n; c++) {
        if (quota[c] > 0)
            US_TRY(take(in, &g, c, quota[c], current));
    }
out:
    free(quota);
    groups_free(&g);
    return st;
}

/* ---- several scorings ---- */

static enum unseen_status rank(const float *scores, int64_t n, double **ranks)
{
    double *r = us_calloc((size_t)n, sizeof *r);
    if (!r)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < n; i++)
        r[i] = scores[i];
    *ranks = r;
    return us_calibrate(UNSEEN_CALIBRATE_RANK, NULL, n, r);
}

enum unseen_status us_average_ranks(const double *rank_sum, const int32_t *rank_count, int64_t n,
                                    float *scores)
{
    enum unseen_status st = UNSEEN_OK;
    double *mean = NULL;
    int64_t *by_score = us_calloc((size_t)n, sizeof *by_score);
    int64_t *by_mean = us_calloc((size_t)n, sizeof *by_mean);
    float *sorted = us_calloc((size_t)n, sizeof *sorted);
    US_TRY_ALLOC(by_score);
    US_TRY_ALLOC(by_mean);
    US_TRY_ALLOC(sorted);
    US_TRY(rank(scores, n, &mean));
    for (int64_t i = 0; i < n; i++)
        mean[i] = (mean[i] + rank_sum[i]) / (1 + rank_count[i]);
    US_TRY(us_order_f32(scores, n, false, by_score));
    US_TRY(us_order(mean, n, false, by_mean));
    for (int64_t k = 0; k < n; k++)
        sorted[k] = scores[by_score[k]];
    for (int64_t k = 0; k < n; k++)
        scores[by_mean[k]] = sorted[k];
out:
    free(sorted);
    free(by_mean);
    free(by_score);
    free(mean);
    return st;
}

enum unseen_status us_add_ranks(const float *scores, const uint8_t *inside, int64_t n, double *rank_sum,
                                int32_t *rank_count)
{
    enum unseen_status st = UNSEEN_OK;
    double *ranks = NULL;
    US_TRY(rank(scores, n, &ranks));
    for (int64_t i = 0; i < n; i++) {
        if (inside[i])
            continue;
        rank_sum[i] += ranks[i];
        rank_count[i]++;
    }
out:
    free(ranks);
    return st;
}
