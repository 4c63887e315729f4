#include "config.h"

#include "scoring/folds.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/rng.h"

/* first [classes + 1]: where each class begins once samples are grouped by class. */
static enum unseen_status count_classes(const int32_t *labels, int64_t n, int classes, int64_t *first)
{
    for (int64_t i = 0; i < n; i++) {
        if (labels[i] < 0 || labels[i] >= classes)
            return us_fail(UNSEEN_BAD_DATA, "labels", "%" PRId32 " of sample %" PRId64 " is not in 0..%d",
                           labels[i], i, classes - 1);
        first[labels[i] + 1]++;
    }
    for (int c = 0; c < classes; c++)
        first[c + 1] += first[c];
    return UNSEEN_OK;
}

/* What is dealt, and to whom. */
struct deal {
    const int32_t *labels;
    const int64_t *duplicate_of; /* may be NULL */
    int folds;
    int64_t *copy;     /* [n] the next sample of the same content, 0: none; NULL without duplicates */
    int64_t *in_all;   /* [folds] samples that each fold has */
    int64_t *in_class; /* [classes][folds] */
    uint8_t *fold;     /* [n] */
};

static bool is_first(const struct deal *d, int64_t i)
{
    return !d->duplicate_of || d->duplicate_of[i] == i;
}

/* Chain the samples of each content, and count the contents. */
static enum unseen_status chain_copies(struct deal *d, int64_t n, int64_t *contents)
{
    *contents = n;
    if (!d->duplicate_of)
        return UNSEEN_OK;
    if (!(d->copy = us_calloc((size_t)n, sizeof *d->copy)))
        return UNSEEN_FAILED;
    for (int64_t i = n - 1; i >= 0; i--) {
        int64_t first = d->duplicate_of[i];
        if (first == i)
            continue;
        d->copy[i] = d->copy[first];
        d->copy[first] = i;
        --*contents;
    }
    return UNSEEN_OK;
}

/* Sample i and its copies go to the fold that has the fewest of its class, of equals the one with the fewest
 * in all, of equals the first. Single samples are dealt in turn by that. */
static void deal_content(struct deal *d, int64_t i)
{
    const int64_t *in_class = d->in_class + (size_t)d->labels[i] * (size_t)d->folds;
    int best = 0;
    for (int f = 1; f < d->folds; f++) {
        if (in_class[f] < in_class[best] || (in_class[f] == in_class[best] && d->in_all[f] < d->in_all[best]))
            best = f;
    }
    do {
        d->fold[i] = (uint8_t)best;
        d->in_all[best]++;
        d->in_class[(size_t)d->labels[i] * (size_t)d->folds + (size_t)best]++;
        i = d->copy ? d->copy[i] : 0;
    } while (i != 0);
}

/* Samples with copies first, so that single ones even the sizes out. */
static void deal_all(struct deal *d, const int64_t *items, int64_t n)
{
    for (int64_t k = 0; k < n && d->copy; k++) {
        if (is_first(d, items[k]) && d->copy[items[k]] != 0)
            deal_content(d, items[k]);
    }
    for (int64_t k = 0; k < n; k++) {
        if (is_first(d, items[k]) && (!d->copy || d->copy[items[k]] == 0))
            deal_content(d, items[k]);
    }
}

/* The samples by class, those of each class shuffled. */
static enum unseen_status order_items(const int32_t *labels, int64_t n, int classes, uint64_t seed,
                                      int repeat, int64_t *items)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *first = us_calloc((size_t)classes + 1, sizeof *first);
    int64_t *next = us_calloc((size_t)classes, sizeof *next);
    US_TRY_ALLOC(first);
    US_TRY_ALLOC(next);
    US_TRY(count_classes(labels, n, classes, first));
    for (int64_t i = 0; i < n; i++)
        items[first[labels[i]] + next[labels[i]]++] = i;
    for (int c = 0; c < classes; c++)
        US_TRY(us_shuffle(seed, US_STREAM_FOLD, (uint32_t)repeat, (size_t)next[c], items + first[c]));
out:
    free(next);
    free(first);
    return st;
}

enum unseen_status us_folds(const int32_t *labels, const int64_t *duplicate_of, int64_t n, int classes,
                            int folds, uint64_t seed, int repeat, uint8_t *fold)
{
    if (folds < 2 || folds > 255 || folds > n)
        return us_fail(UNSEEN_USAGE, "--folds", "%d is not in 2..255 or more than the %" PRId64 " samples",
                       folds, n);
    enum unseen_status st = UNSEEN_OK;
    struct deal deal = {.labels = labels, .duplicate_of = duplicate_of, .folds = folds, .fold = fold};
    int64_t contents = 0, *items = us_calloc((size_t)n, sizeof *items);
    US_TRY_ALLOC(items);
    US_TRY_ALLOC(deal.in_all = us_calloc((size_t)folds, sizeof *deal.in_all));
    US_TRY_ALLOC(deal.in_class = us_calloc((size_t)classes * (size_t)folds, sizeof *deal.in_class));
    US_TRY(order_items(labels, n, classes, seed, repeat, items));
    US_TRY(chain_copies(&deal, n, &contents));
    if (folds > contents) {
        st = us_fail(UNSEEN_USAGE, "--folds", "%d is more than the %" PRId64 " samples that differ", folds,
                     contents);
        goto out;
    }
    deal_all(&deal, items, n);
out:
    free(deal.copy);
    free(deal.in_class);
    free(deal.in_all);
    free(items);
    return st;
}
