#include "config.h"

#include "prune/blocks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"

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
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t parts = n / SAMPLES_A_PART + 1;
    if (parts > cores)
        parts = cores;
    if (parts > US_PARTS_MOST)
        parts = US_PARTS_MOST;
    return parts > 1 ? (int)parts : 1;
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
};

struct part {
    const struct walk *walk;
    int number;
    struct us_block *block;
};

static void let_go(const struct us_rule_input *in, int64_t first, int64_t end)
{
    for (int i = 0; i < US_MAPPED_MOST; i++) {
        if (in->mapped[i])
            us_npy_rest_part(in->mapped[i], (size_t)first, (size_t)(end - first));
    }
}

static void *walk_part(void *context)
{
    const struct part *part = context;
    const struct walk *w = part->walk;
    int64_t n = w->view->in->n, blocks = n / US_BLOCK + (n % US_BLOCK != 0);
    int64_t at = blocks * part->number / w->parts, end = blocks * (part->number + 1) / w->parts;
    while (at < end && !us_interrupted()) {
        int64_t begun = at, stop = end - at > BLOCKS_A_STRETCH ? at + BLOCKS_A_STRETCH : end;
        for (; at < stop; at++) {
            fill(w->view, at * US_BLOCK, part->block);
            w->visit(w->state, part->number, part->block);
        }
        let_go(w->view->in, begun * US_BLOCK, stop == blocks ? n : stop * US_BLOCK);
    }
    return NULL;
}

enum unseen_status us_for_blocks(const struct us_view *view, int parts, us_visit *visit, void *state)
{
    struct walk walk = {view, parts, visit, state};
    struct part part[US_PARTS_MOST];
    pthread_t thread[US_PARTS_MOST];
    struct us_block *blocks = us_calloc((size_t)parts, sizeof *blocks);
    if (!blocks)
        return UNSEEN_FAILED;
    int started = 1; /* this thread has part 0, and those that no thread could be started for */
    for (int i = 0; i < parts; i++)
        part[i] = (struct part){&walk, i, &blocks[i]};
    while (started < parts && pthread_create(&thread[started], NULL, walk_part, &part[started]) == 0)
        started++;
    walk_part(&part[0]);
    for (int i = started; i < parts; i++)
        walk_part(&part[i]);
    for (int i = 1; i < started; i++)
        pthread_join(thread[i], NULL);
    free(blocks);
    return us_interrupted() ? us_fail(UNSEEN_INTERRUPTED, "select", "stopped on request") : UNSEEN_OK;
}
