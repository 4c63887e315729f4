#include "config.h"

#include "base/order.h"

#include <stdlib.h>

struct keyed {
    double key;
    int64_t item;
};

static int compare(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

/* Exactly one of `wide` and `narrow` is there. */
static enum unseen_status order(const double *wide, const float *narrow, int64_t n, bool descending,
                                int64_t *items)
{
    struct keyed *keyed = us_calloc((size_t)n, sizeof *keyed);
    if (!keyed)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < n; i++) {
        double key = wide ? wide[i] : narrow[i];
        keyed[i] = (struct keyed){descending ? -key : key, i};
    }
    qsort(keyed, (size_t)n, sizeof *keyed, compare);
    for (int64_t i = 0; i < n; i++)
        items[i] = keyed[i].item;
    free(keyed);
    return UNSEEN_OK;
}

enum unseen_status us_order(const double *key, int64_t n, bool descending, int64_t *items)
{
    return order(key, NULL, n, descending, items);
}

enum unseen_status us_order_f32(const float *key, int64_t n, bool descending, int64_t *items)
{
    return order(NULL, key, n, descending, items);
}
