#include "config.h"

#include "select/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/threads.h"

/* Below this many samples a thread is not worth its start. */
#define SAMPLES_A_PART (1 << 20)

/* Blocks between two looks at what can be let go. */
#define BLOCKS_A_STRETCH 64

int us_view_groups(const struct us_view *view)
{
    return view->in->groups * (view->strata ? view->strata->n : 1);
}

int us_parts(int64_t n)
{
    const int most = us_threads(US_PARTS_MOST);
    const int64_t parts = n / SAMPLES_A_PART + 1;
    return parts < most ? (int)parts : most;
}

/* ---- one block ---- */

static void set_classes(const struct us_rule_input *in, struct us_block *b)
{
    if (in->groups == 1) {
        memset(b->group, 0, sizeof b->group);
        return;
    }
    for (int i = 0; i < b->n; i++)
        b->group[i] = (int32_t)us_npy_integer(in->labels, (size_t)(b->first + i));
}

/* Unsigned numbers in the order of the floats; the two zeros are equal. */
static uint32_t ascending_bits(float value)
{
    uint32_t bits;
    value += 0.0f; /* turns -0 into 0 */
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((uint32_t) - (int32_t)(bits >> 31) | 0x80000000u);
}

static void set_float_keys(const float *values, uint32_t turn, struct us_block *b)
{
    for (int i = 0; i < b->n; i++)
        b->key[i] = ascending_bits(values[i]) ^ turn;
}

static void set_keys(const struct us_rule_input *in, enum us_key key, struct us_block *b)
{
    switch (key) {
    case US_KEY_NONE:
        break;
    case US_KEY_LOW_SCORE:
        set_float_keys(b->scores, 0, b);
        break;
    case US_KEY_HIGH_SCORE:
        set_float_keys(b->scores, UINT32_MAX, b);
        break;
    case US_KEY_LOW_HARDNESS:
        set_float_keys(in->hardness + b->first, 0, b);
        break;
    case US_KEY_DRAW:
        us_philox_keys(in->options->seed, US_STREAM_SELECT, 0, (uint64_t)b->first, (size_t)b->n, b->key);
        break;
    }
}

static void leave_out(const struct us_view *view, struct us_block *b)
{
    set_keys(view->in, US_KEY_LOW_HARDNESS, b);
    for (int i = 0; i < b->n; i++) {
        if (!us_within(&view->cut[b->group[i]], b->key[i], b->first + i))
            b->group[i] = -1;
    }
}

static void stratify(const struct us_strata *strata, struct us_block *b)
{
    for (int i = 0; i < b->n; i++) {
        int32_t g = b->group[i];
        if (g >= 0)
            b->group[i] =
                g * strata->n + us_ccs_stratum(b->scores[i], strata->low[g], strata->high[g], strata->n);
    }
}

static void fill(const struct us_view *view, int64_t first, struct us_block *b)
{
    const struct us_rule_input *in = view->in;
    b->first = first;
    b->n = in->n - first < US_BLOCK ? (int)(in->n - first) : US_BLOCK;
    b->scores = in->scores ? in->scores + first : NULL;
    set_classes(in, b);
    if (view->cut)
        leave_out(view, b);
    if (view->strata)
        stratify(view->strata, b);
    set_keys(in, view->key, b);
}

/* ---- all of them ---- */

struct walk {
    const struct us_view *view;
    int parts;
    us_visit *visit;
    void *state;
    struct us_block *block; /* [parts] */
};

static void let_go(const struct us_rule_input *in, int64_t first, int64_t end)
{
    for (int i = 0; i < US_MAPPED_MOST; i++) {
        if (in->mapped[i])
            us_npy_drop_page_range(in->mapped[i], (size_t)first, (size_t)(end - first));
    }
}

static void walk_part(void *context, int number)
{
    const struct walk *w = context;
    int64_t n = w->view->in->n, blocks = n / US_BLOCK + (n % US_BLOCK != 0);
    int64_t at = blocks * number / w->parts, end = blocks * (number + 1) / w->parts;
    while (at < end && !us_interrupted()) {
        int64_t begun = at, stop = end - at > BLOCKS_A_STRETCH ? at + BLOCKS_A_STRETCH : end;
        for (; at < stop; at++) {
            fill(w->view, at * US_BLOCK, &w->block[number]);
            w->visit(w->state, number, &w->block[number]);
        }
        let_go(w->view->in, begun * US_BLOCK, stop == blocks ? n : stop * US_BLOCK);
    }
}

enum unseen_status us_for_blocks(const struct us_view *view, int parts, us_visit *visit, void *state)
{
    struct walk walk = {view, parts, visit, state, us_calloc((size_t)parts, sizeof *walk.block)};
    if (!walk.block)
        return UNSEEN_FAILED;
    us_threads_run(parts, walk_part, &walk);
    free(walk.block);
    return us_interrupted() ? us_fail(UNSEEN_INTERRUPTED, "select", "stopped on request") : UNSEEN_OK;
}
