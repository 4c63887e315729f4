/* The draws of a rule: by sample, so that they depend neither on order nor on threads. */
#include "config.h"

#include "base/order.h"
#include "base/rng.h"
#include "select/rule.h"

uint64_t us_rule_draw(uint64_t seed, int64_t sample)
{
    uint32_t words[4];
    us_philox(seed, US_STREAM_SELECT, 0, (uint64_t)sample, words);
    return (uint64_t)words[1] << 32 | words[0];
}

/* Where `sample` lies in the ascending list. */
static int64_t position(const int64_t *list, int64_t n, int64_t sample)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (list[middle] < sample)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum unseen_status us_rule_shuffle(const struct us_rule_input *in, int64_t *items)
{
    for (int64_t i = 0; i < in->n; i++)
        items[i] = in->sample ? in->sample[i] : i;
    enum unseen_status st = us_shuffle(in->options->seed, US_STREAM_SELECT, 0, (size_t)in->n, items);
    for (int64_t i = 0; st == UNSEEN_OK && in->sample && i < in->n; i++)
        items[i] = position(in->sample, in->n, items[i]);
    return st;
}
