#include "config.h"

#include "select/ranking.h"

#include <stdlib.h>
#include <string.h>

#include "select/kept.h"

#define MOST_WIDTH 16        /* bits of a digit: half a megabyte of counts still fits most caches */
#define COUNTERS   (1 << 18) /* of all groups' digits, as long as there is a bit for each group */

/* A key's known upper bits and what is still wanted of the samples that have them. */
struct search {
    uint64_t prefix;
    int64_t left; /* 0: the limit is known */
};

struct radix {
    const struct us_view *view;
    int groups, parts;
    int shift, width;      /* the digit counted now */
    bool first;            /* no upper bits are known yet */
    struct search *search; /* [groups] */
    int64_t *count;        /* [parts][groups][1 << width] */
    struct us_limit *limit;
};

static int digit_width(int groups)
{
    int width = 1;
    while (width < MOST_WIDTH && (int64_t)groups << (width + 1) <= COUNTERS)
        width++;
    return width;
}

static void count_digits(void *state, int part, const struct us_block *b)
{
    const struct radix *r = state;
    int64_t *count = r->count + ((int64_t)part * r->groups << r->width);
    uint64_t mask = (UINT64_C(1) << r->width) - 1;
    for (int i = 0; i < b->n; i++) {
        int32_t g = b->group[i];
        if (g < 0 || r->search[g].left == 0)
            continue;
        uint64_t digits = b->key[i] >> r->shift;
        if (r->first || digits >> r->width == r->search[g].prefix)
            count[((int64_t)g << r->width) + (int64_t)(digits & mask)]++;
    }
}

/* The digit of a group's limit; the limit itself where all samples that have the digit are wanted. Returns
 * whether it is still open. */
static bool narrow(struct radix *r, int g)
{
    struct search *s = &r->search[g];
    int64_t of_digit = 0, digits = INT64_C(1) << r->width, digit = -1;
    if (s->left == 0)
        return false;
    while (of_digit < s->left && ++digit < digits) {
        s->left -= of_digit;
        of_digit = 0;
        for (int part = 0; part < r->parts; part++)
            of_digit += r->count[((int64_t)part * r->groups + g) * digits + digit];
    }
    s->prefix = s->prefix << r->width | (uint64_t)digit;
    if (of_digit == s->left) {
        /* One less than the next prefix, also where the shift leaves nothing of it. */
        r->limit[g] = (struct us_limit){((s->prefix + 1) << r->shift) - 1, INT64_MAX};
        s->left = 0;
    }
    return s->left > 0;
}

/* Where equal keys straddle the limit, the last of those to keep ends it. In one part: by ascending index. */
static void take_ties(void *state, int part, const struct us_block *b)
{
    const struct radix *r = state;
    (void)part;
    for (int i = 0; i < b->n; i++) {
        int32_t g = b->group[i];
        if (g < 0 || r->search[g].left == 0 || b->key[i] != r->search[g].prefix)
            continue;
        if (--r->search[g].left == 0)
            r->limit[g] = (struct us_limit){b->key[i], b->first + i};
    }
}

static enum unseen_status search_digits(struct radix *r, int bits, int most_width, bool *open)
{
    enum unseen_status st = UNSEEN_OK;
    size_t counters = (size_t)r->parts * (size_t)r->groups << most_width;
    US_TRY_ALLOC(r->count = us_calloc(counters, sizeof *r->count));
    for (r->shift = bits; r->shift > 0 && *open;) {
        r->first = r->shift == bits;
        r->width = r->shift < most_width ? r->shift : most_width;
        r->shift -= r->width;
        memset(r->count, 0, counters * sizeof *r->count);
        US_TRY(us_for_blocks(r->view, r->parts, count_digits, r));
        *open = false;
        for (int g = 0; g < r->groups; g++)
            *open |= narrow(r, g);
    }
out:
    free(r->count);
    return st;
}

enum unseen_status us_find_limits(const struct us_view *view, const int64_t *quota, struct us_limit *limit)
{
    enum unseen_status st = UNSEEN_OK;
    struct radix r = {
        .view = view, .groups = us_view_groups(view), .parts = us_parts(view->in->n), .limit = limit};
    bool open = false;
    US_TRY_ALLOC(r.search = us_calloc((size_t)r.groups, sizeof *r.search));
    for (int g = 0; g < r.groups; g++) {
        r.search[g].left = quota[g];
        limit[g] = (struct us_limit){0, -1};
        open |= quota[g] > 0;
    }
    US_TRY(search_digits(&r, view->key == US_KEY_DRAW ? 64 : 32, digit_width(r.groups), &open));
    if (open)
        US_TRY(us_for_blocks(view, 1, take_ties, &r));
out:
    free(r.search);
    return st;
}

/* ---- counting and marking ---- */

struct population {
    int groups;
    int64_t *count; /* [parts][groups] */
};

static void count_block(void *state, int part, const struct us_block *b)
{
    const struct population *p = state;
    int64_t *count = p->count + (int64_t)part * p->groups;
    for (int i = 0; i < b->n; i++) {
        if (b->group[i] >= 0)
            count[b->group[i]]++;
    }
}

enum unseen_status us_count_groups(const struct us_view *view, int64_t *population)
{
    enum unseen_status st = UNSEEN_OK;
    int parts = us_parts(view->in->n);
    struct population p = {.groups = us_view_groups(view)};
    US_TRY_ALLOC(p.count = us_calloc((size_t)parts * (size_t)p.groups, sizeof *p.count));
    US_TRY(us_for_blocks(view, parts, count_block, &p));
    for (int g = 0; g < p.groups; g++) {
        population[g] = 0;
        for (int part = 0; part < parts; part++)
            population[g] += p.count[(int64_t)part * p.groups + g];
    }
out:
    free(p.count);
    return st;
}

struct marking {
    const struct us_limit *limit;
    bool keep;
    uint64_t *kept;
};

static void mark_block(void *state, int part, const struct us_block *b)
{
    const struct marking *m = state;
    (void)part;
    for (int at = 0; at < b->n; at += 64) {
        uint64_t word = 0, *kept = &m->kept[(b->first + at) / 64];
        for (int i = at; i < at + 64 && i < b->n; i++) {
            int32_t g = b->group[i];
            if (g >= 0 && us_within(&m->limit[g], b->key[i], b->first + i))
                word |= UINT64_C(1) << (i - at);
        }
        *kept = m->keep ? *kept | word : *kept & ~word;
    }
}

enum unseen_status us_mark(const struct us_view *view, const struct us_limit *limit, bool keep,
                           uint64_t *kept)
{
    struct marking m = {limit, keep, kept};
    return us_for_blocks(view, us_parts(view->in->n), mark_block, &m);
}
