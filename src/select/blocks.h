/* Going through all samples of a selection block by block, on every processor: what lets rules choose among
 * more samples than memory holds. */
#ifndef US_SELECT_BLOCKS_H
#define US_SELECT_BLOCKS_H

#include "select/rule.h"

/* Samples of a block; a multiple of 64, so that no two threads write to the same word of a set. */
#define US_BLOCK 4096

/* Threads at most. */
#define US_PARTS_MOST 8

/* What samples are ordered by: the lower key comes first. */
enum us_key {
    US_KEY_NONE,
    US_KEY_LOW_SCORE,    /* 32 bits */
    US_KEY_HIGH_SCORE,   /* 32 bits, the highest score first */
    US_KEY_LOW_HARDNESS, /* 32 bits */
    US_KEY_DRAW,         /* 64 bits: us_rule_draw */
};

/* The beginning of an order: keys below `key`, and those equal to it up to sample `index`. */
struct us_limit {
    uint64_t key;
    int64_t index;
};

static inline bool us_within(const struct us_limit *limit, uint64_t key, int64_t sample)
{
    return key < limit->key || (key == limit->key && sample <= limit->index);
}

/* CCS's strata of each class: `n` of equal width over [low, high]. */
struct us_strata {
    int n;
    double *low, *high; /* [in->groups] */
};

/* How a pass sees the samples. */
struct us_view {
    const struct us_rule_input *in;
    enum us_key key;
    const struct us_limit *cut;     /* [in->groups] leave out whose hardness lies beyond; NULL: nobody */
    const struct us_strata *strata; /* divide each group further; NULL: no */
};

/* in->groups, or groups * strata: stratum s of group g is group g * strata + s. */
int us_view_groups(const struct us_view *view);

struct us_block {
    int64_t first;
    int n;
    const float *scores;     /* [n], or NULL where there are none */
    int32_t group[US_BLOCK]; /* [n]; negative: left out */
    uint64_t key[US_BLOCK];  /* [n], unless the view's key is none */
};

/* Is given each block once; the blocks of one `part` in order, those of others at the same time. */
typedef void us_visit(void *state, int part, const struct us_block *block);

/* In how many parts n samples are gone through at once. */
int us_parts(int64_t n);

/* Visit all samples in `parts` parts. Lets go of mapped pages behind it. UNSEEN_INTERRUPTED on request,
 * UNSEEN_FAILED if memory runs out. */
enum unseen_status us_for_blocks(const struct us_view *view, int parts, us_visit *visit, void *state);

#endif
