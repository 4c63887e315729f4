#include "config.h"

#include "select/among.h"

#include <stdlib.h>

#include "select/groups.h"
#include "select/kept.h"

void us_among_free(struct us_among *a)
{
    free((void *)a->in.scores);
    free((void *)a->in.hardness);
    free((void *)a->in.p_true);
    free((void *)a->in.features);
    free(a->labels);
    free(a->fold);
    free(a->items);
}

static enum unseen_status copy_labels(const struct us_rule_input *in, struct us_among *a)
{
    if (!in->labels)
        return UNSEEN_OK;
    if (!(a->labels = us_calloc((size_t)a->n, sizeof *a->labels)))
        return UNSEEN_FAILED;
    for (int64_t k = 0; k < a->n; k++) {
        const int64_t label = us_npy_integer(in->labels, (size_t)a->items[k]);
        a->labels[k] = label == (int32_t)label ? (int32_t)label : -1; /* which is refused */
    }
    a->column = (struct us_npy){
        .dtype = US_I32, .ndim = 1, .shape = {a->n}, .count = (size_t)a->n, .data = a->labels};
    a->in.labels = &a->column;
    return UNSEEN_OK;
}

static enum unseen_status copy_folds(const struct us_rule_input *in, struct us_among *a)
{
    if (!in->options->fold)
        return UNSEEN_OK;
    if (!(a->fold = us_calloc((size_t)a->n, 1)))
        return UNSEEN_FAILED;
    for (int64_t k = 0; k < a->n; k++)
        a->fold[k] = in->options->fold[a->items[k]];
    a->options.fold = a->fold;
    return UNSEEN_OK;
}

enum unseen_status us_among_make(const struct us_rule_input *in, struct us_among *a)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(a->items = us_calloc((size_t)in->n, sizeof *a->items));
    for (int64_t i = 0; i < in->n; i++) {
        if (!in->options->leave_out[i])
            a->items[a->n++] = i;
    }
    a->options = *in->options;
    a->options.leave_out = NULL;
    a->in = (struct us_rule_input){
        .n = a->n, .classes = in->classes, .dimension = in->dimension, .options = &a->options};
    US_TRY(us_gather_rows(in->scores, 1, a->items, a->n, &a->in.scores));
    US_TRY(us_gather_rows(in->hardness, 1, a->items, a->n, &a->in.hardness));
    US_TRY(us_gather_rows(in->p_true, 1, a->items, a->n, &a->in.p_true));
    US_TRY(us_gather_rows(in->features, in->dimension, a->items, a->n, &a->in.features));
    US_TRY(copy_labels(in, a));
    US_TRY(copy_folds(in, a));
out:
    return st;
}

void us_among_keep(const struct us_among *a, const uint64_t *chosen, uint64_t *kept)
{
    for (int64_t k = 0; k < a->n; k++) {
        if (us_is_kept(chosen, k))
            us_keep(kept, a->items[k]);
    }
}
