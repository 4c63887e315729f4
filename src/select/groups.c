#include "config.h"

#include "select/groups.h"

#include <stdlib.h>
#include <string.h>

#include "select/kept.h"
#include "select/quotas.h"

bool us_groups_by_class(const struct unseen_select_options *o)
{
    /* A negative or unordered focus goes there too, where it is refused. */
    return o->quota != UNSEEN_QUOTA_NONE || o->class_focus != 0;
}

static bool by_fold(const struct unseen_select_options *o, int needs)
{
    return (needs & US_NEEDS_FEATURES) && o->fold;
}

bool us_has_groups(const struct unseen_select_options *options, int needs)
{
    return us_groups_by_class(options) || by_fold(options, needs);
}

/* The samples by group: class * folds + fold. */
struct groups {
    int classes, folds, n;
    int64_t *size, *quota, *first; /* [n], [n], [n + 1] */
    int64_t *items;                /* grouped, ascending within each */
};

static int group_of(const struct groups *g, const struct us_rule_input *in, int64_t i)
{
    int class = g->classes > 1 ? (int)us_npy_integer(in->labels, (size_t)i) : 0;
    return class * g->folds + (g->folds > 1 ? in->options->fold[i] : 0);
}

enum unseen_status us_group_quotas(const struct unseen_select_options *options, int classes, int folds,
                                   const int64_t *size, int64_t m, int64_t *quota)
{
    enum unseen_status st = UNSEEN_OK;
    int n = classes * folds;
    int64_t *class_size = us_calloc((size_t)classes, sizeof *class_size);
    double *weight = us_calloc((size_t)n, sizeof *weight);
    double *class_weight = us_calloc((size_t)classes, sizeof *class_weight);
    US_TRY_ALLOC(class_size);
    US_TRY_ALLOC(weight);
    US_TRY_ALLOC(class_weight);
    for (int i = 0; i < n; i++)
        class_size[i / folds] += size[i];
    if (us_groups_by_class(options))
        US_TRY(us_class_weights(class_size, classes, options, class_weight));
    else
        class_weight[0] = 1;
    for (int i = 0; i < n; i++) {
        int64_t all = class_size[i / folds];
        weight[i] = all ? class_weight[i / folds] * (double)size[i] / (double)all : 0;
    }
    US_TRY(us_weighted_quotas(size, weight, n, m, quota));
out:
    free(class_weight);
    free(weight);
    free(class_size);
    return st;
}

static enum unseen_status group(const struct us_rule_input *in, int needs, struct groups *g)
{
    enum unseen_status st = UNSEEN_OK;
    g->classes = us_groups_by_class(in->options) ? in->classes : 1;
    g->folds = 1;
    for (int64_t i = 0; by_fold(in->options, needs) && i < in->n; i++)
        g->folds = in->options->fold[i] >= g->folds ? in->options->fold[i] + 1 : g->folds;
    g->n = g->classes * g->folds;
    US_TRY_ALLOC(g->size = us_calloc((size_t)g->n, sizeof *g->size));
    US_TRY_ALLOC(g->quota = us_calloc((size_t)g->n, sizeof *g->quota));
    US_TRY_ALLOC(g->first = us_calloc((size_t)g->n + 1, sizeof *g->first));
    US_TRY_ALLOC(g->items = us_calloc((size_t)in->n, sizeof *g->items));
    for (int64_t i = 0; i < in->n; i++)
        g->size[group_of(g, in, i)]++;
    for (int i = 0; i < g->n; i++)
        g->first[i + 1] = g->first[i] + g->size[i];
    for (int64_t i = 0; i < in->n; i++)
        g->items[g->first[group_of(g, in, i)]++] = i;
    for (int i = g->n; i > 0; i--)
        g->first[i] = g->first[i - 1];
    g->first[0] = 0;
    US_TRY(us_group_quotas(in->options, g->classes, g->folds, g->size, in->m, g->quota));
out:
    return st;
}

enum unseen_status us_gather_rows(const float *from, int64_t width, const int64_t *items, int64_t n,
                                  const float **rows)
{
    *rows = NULL;
    if (!from)
        return UNSEEN_OK;
    float *to = us_calloc((size_t)(n * width), sizeof *to);
    if (!to)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < n; i++)
        memcpy(to + i * width, from + items[i] * width, (size_t)width * sizeof *to);
    *rows = to;
    return UNSEEN_OK;
}

static enum unseen_status run(us_rule_function *rule, const struct us_rule_input *in, const int64_t *items,
                              int64_t n, int64_t m, uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_rule_input part = *in;
    part.scores = part.hardness = part.p_true = part.features = NULL;
    part.labels = NULL; /* the same for all, or of no matter */
    part.n = n;
    part.m = m;
    part.sample = items;
    uint64_t *flags = us_calloc(us_kept_words(n), sizeof *flags);
    US_TRY_ALLOC(flags);
    US_TRY(us_gather_rows(in->scores, 1, items, n, &part.scores));
    US_TRY(us_gather_rows(in->hardness, 1, items, n, &part.hardness));
    US_TRY(us_gather_rows(in->p_true, 1, items, n, &part.p_true));
    US_TRY(us_gather_rows(in->features, in->dimension, items, n, &part.features));
    US_TRY(rule(&part, flags));
    for (int64_t i = 0; i < n; i++) {
        if (us_is_kept(flags, i))
            us_keep(kept, items[i]);
    }
out:
    free((void *)part.scores);
    free((void *)part.hardness);
    free((void *)part.p_true);
    free((void *)part.features);
    free(flags);
    return st;
}

enum unseen_status us_select_in_groups(us_rule_function *rule, int needs, const struct us_rule_input *in,
                                       uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    struct groups g = {0};
    US_TRY(group(in, needs, &g));
    for (int i = 0; i < g.n; i++) {
        if (g.quota[i] > 0)
            US_TRY(run(rule, in, g.items + g.first[i], g.size[i], g.quota[i], kept));
    }
out:
    free(g.items);
    free(g.first);
    free(g.quota);
    free(g.size);
    return st;
}
