/* A test split for data that have none. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "datasets/index/index.h"

struct drawn {
    uint64_t key;
    int64_t entry;
    int32_t label;
};

static int compare_drawn(const void *first, const void *second)
{
    const struct drawn *a = first, *b = second;
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->entry > b->entry) - (a->entry < b->entry);
}

/* Set held [n] for the first of each class in the order of draws; the number that is set. */
static int64_t hold_out(const struct drawn *drawn, int64_t n, double share, uint8_t *held)
{
    int64_t all = 0;
    for (int64_t first = 0, end; first < n; first = end) {
        for (end = first; end < n && drawn[end].label == drawn[first].label;)
            end++;
        int64_t m = (int64_t)llround(share * (double)(end - first));
        m = m < end - first ? m : end - first - 1;
        for (int64_t k = first; k < first + m; k++)
            held[drawn[k].entry] = 1;
        all += m;
    }
    return all;
}

/* Entries that are held out go behind the others, both in their order. */
static enum unseen_status reorder(struct us_index *index, int64_t n, const uint8_t *held)
{
    struct us_entry *entries = us_calloc((size_t)n, sizeof *entries);
    int32_t *labels = us_calloc((size_t)n, sizeof *labels);
    enum unseen_status st = UNSEEN_OK;
    int64_t to = 0;
    US_TRY_ALLOC(entries);
    US_TRY_ALLOC(labels);
    for (int part = 0; part < 2; part++) {
        for (int64_t i = 0; i < n; i++) {
            if (held[i] != part)
                continue;
            entries[to] = index->entries[i];
            labels[to++] = index->labels[i];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        index->entries[i] = entries[i];
        index->labels[i] = labels[i];
    }
out:
    free(entries);
    free(labels);
    return st;
}

enum unseen_status us_index_hold_out(struct us_index *index, double share)
{
    const int64_t n = index->n[UNSEEN_TRAIN];
    struct drawn *drawn = us_calloc((size_t)n, sizeof *drawn);
    uint8_t *held = us_calloc((size_t)n, 1);
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(drawn);
    US_TRY_ALLOC(held);
    for (int64_t i = 0; i < n; i++) {
        drawn[i] = (struct drawn){.entry = i, .label = index->labels[i]};
        us_philox_keys(0, US_STREAM_DATA, 2, (uint64_t)i, 1, &drawn[i].key);
    }
    qsort(drawn, (size_t)n, sizeof *drawn, compare_drawn);
    const int64_t test = hold_out(drawn, n, share, held);
    US_TRY(reorder(index, n, held));
    index->n[UNSEEN_TRAIN] = n - test;
    index->n[UNSEEN_TEST] = test;
    index->class_at[UNSEEN_TEST] = index->class_at[UNSEEN_TRAIN];
out:
    free(held);
    free(drawn);
    return st;
}
