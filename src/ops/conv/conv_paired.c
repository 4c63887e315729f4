#include "config.h"

#include "ops/conv/conv_algorithm.h"

#include <stdlib.h>

enum {
    TILE = 16,         /* channels */
    CIGROUP = 4,       /* most tiles of input channels, */
    COGROUP = 8,       /* and of output channels, that a work-item owns in all taps */
    BLOCK = 256,       /* pixels between which a tile's sums stay in registers */
    ENOUGH_ITEMS = 64, /* work-items that keep the cores of a CPU evenly busy */
    PAIR_BYTES = 4 * TILE
};

/* How the work is cut. It decides the order of summation, so it follows from the shape alone. */
struct paired {
    struct us_kernel *pairs, *paired, *sum;
    int cin, cout;        /* tiles */
    int cigroup, cogroup; /* tiles of a work-item */
    int parts, share;     /* image pairs of a part */
    int rows, together;   /* of a block */
    int64_t x, dy;        /* where they begin in the workspace, in PAIR_BYTES */
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static void cut(const struct us_conv *conv, struct paired *p)
{
    const struct us_conv_shape *s = &conv->shape;
    const int count = ceil_div(s->n, 2);
    p->cin = s->cin / TILE;
    p->cout = s->cout / TILE;
    const int cogroups = ceil_div(p->cout, COGROUP), least = ceil_div(BLOCK / 2, conv->oh * conv->ow);
    int cigroups = ceil_div(p->cin, CIGROUP);
    p->share = ceil_div(count, ceil_div(ENOUGH_ITEMS, cigroups * cogroups));
    p->share = p->share < least ? clamp(least, 1, count) : p->share;
    p->parts = ceil_div(count, p->share);
    if (p->parts * cigroups * cogroups < ENOUGH_ITEMS)
        cigroups = clamp(ceil_div(ENOUGH_ITEMS, p->parts * cogroups), 1, p->cin);
    p->cigroup = ceil_div(p->cin, cigroups);
    p->cogroup = ceil_div(p->cout, cogroups);
    p->rows = clamp(BLOCK / conv->ow, 1, conv->oh);
    p->together = clamp(BLOCK / (conv->oh * conv->ow), 1, p->share);
    p->x = (int64_t)us_conv_depth(conv) * p->cout * p->parts;
    p->dy = p->x + (int64_t)count * s->h * s->w * p->cin;
}

static bool suits(const struct us_conv_shape *shape, enum us_conv_direction direction)
{
    return direction == US_CONV_BWD_WEIGHTS && shape->cin % TILE == 0 && shape->cout % TILE == 0;
}

static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    (void)direction;
    enum unseen_status st = UNSEEN_OK;
    struct paired *p = us_calloc(1, sizeof *p);
    plan->state = p;
    US_TRY_ALLOC(p);
    US_TRY(us_kernel_get(conv->device, "conv/conv_paired.cl", "", "conv_pairs", &p->pairs));
    US_TRY(us_kernel_get(conv->device, "conv/conv_paired.cl", "", "conv_paired", &p->paired));
    US_TRY(us_kernel_get(conv->device, "conv/conv_paired.cl", "", "conv_weights_sum", &p->sum));
    cut(conv, p);
    plan->workspace =
        ((size_t)p->dy + (size_t)ceil_div(conv->shape.n, 2) * (size_t)(conv->oh * conv->ow * p->cout)) *
        PAIR_BYTES;
out:
    return st;
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

/* Weave `pixels` pixels of n images of `tiles` tiles of channels. */
static enum unseen_status weave(struct us_conv *conv, const struct paired *p, const struct us_conv_call *call,
                                struct us_buf *from, int64_t begin, int pixels, int tiles)
{
    const int block = clamp(BLOCK, 1, pixels);
    const struct us_range range =
        US_RANGE2L((size_t)ceil_div(call->n, 2), (size_t)ceil_div(pixels, block), 1, 1);
    return us_run(conv->device, p->pairs, range, "bbliiii", from, call->work, begin, call->n, pixels, tiles,
                  block);
}

static enum unseen_status run(struct us_conv *conv, const struct us_conv_plan *plan,
                              const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const struct paired *p = plan->state;
    const int count = ceil_div(call->n, 2), parts = ceil_div(count, p->share), depth = us_conv_depth(conv);
    const size_t cigroups = (size_t)ceil_div(p->cin, p->cigroup),
                 cogroups = (size_t)ceil_div(p->cout, p->cogroup);
    US_TRY(weave(conv, p, call, call->in, p->x, s->h * s->w, p->cin));
    US_TRY(weave(conv, p, call, call->other, p->dy, conv->oh * conv->ow, p->cout));
    US_TRY(us_run(conv->device, p->paired, US_RANGE3L((size_t)parts, cigroups, cogroups, 1, 1, 1),
                  "blliiiiiiiiiiiiiii", call->work, p->x, p->dy, count, p->share, p->rows, p->together, s->h,
                  s->w, p->cin, conv->oh, conv->ow, p->cout, s->kernel, s->stride, s->pad, p->cigroup,
                  p->cogroup));
    US_TRY(us_run(conv->device, p->sum, US_RANGE2L((size_t)(depth / TILE), (size_t)p->cout, 1, 1), "bbiii",
                  call->work, call->out, parts, depth, s->cout));
out:
    return st;
}

const struct us_conv_algorithm us_conv_paired = {.name = "paired-bf16",
                                                 .made_for = US_CONV_FOR_CPU,
                                                 .precision = UNSEEN_BF16,
                                                 .usable = us_device_has_bf16,
                                                 .pays = us_device_bf16_pays,
                                                 .suits = suits,
                                                 .prepare = prepare,
                                                 .release = release,
                                                 .run = {[US_CONV_BWD_WEIGHTS] = run}};
