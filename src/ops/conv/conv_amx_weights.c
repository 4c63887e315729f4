#include "config.h"

#include "ops/conv/conv_algorithm.h"

#include <stdlib.h>

enum {
    SIDE = 16,      /* channels of a tile */
    IMAGES = 32,    /* that are multiplied together, */
    FEW_IMAGES = 8, /* and that pay for it with the others left empty */
    RING = 768,     /* tiles of x */
    ROWS = 512,     /* and of dy that a work-item keeps in the second cache */
    GROUP = 8,      /* most tiles of channels on either side that a work-item owns, */
    PIXELS = 64,    /* and pixels whose products it adds before it stores sums */
    ITEMS = 16      /* work-items that keep the cores of a CPU evenly busy */
};

/* How the work is cut. It decides the order of summation, so it follows from the shape alone. */
struct weights {
    struct us_kernel *multiply, *sum;
    int w, h, step; /* of x as it is read: of a 1x1 kernel every step-th pixel */
    int stride;
    int cigroup, cogroup, block, slots, share, parts;
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Rows of x that `block` rows of outputs need. */
static int needed(const struct weights *d, const struct us_conv_shape *s, int oh, int block)
{
    return block < oh ? least(d->h, (block - 1) * d->stride + s->kernel) : block / oh * d->h;
}

static bool fits(const struct weights *d, const struct us_conv_shape *s, int oh, int ow, int block)
{
    return needed(d, s, oh, block) * d->w * d->cigroup <= RING && block * ow * d->cogroup <= ROWS;
}

/* Blocks and groups; false where not even single tiles of one row fit. */
static bool cut(const struct us_conv_shape *s, struct weights *d)
{
    const int oh = us_conv_out(s->h, s->kernel, s->stride, s->pad),
              ow = us_conv_out(s->w, s->kernel, s->stride, s->pad);
    const int cin = s->cin / SIDE, cout = s->cout / SIDE, groups = ceil_div(s->n, IMAGES);
    const bool sparse = s->kernel == 1;
    d->step = sparse ? s->stride : 1;
    d->stride = sparse ? 1 : s->stride;
    d->h = sparse ? oh : s->h;
    d->w = sparse ? ow : s->w;
    const int ti = cin % 2 ? 1 : 2, to = cout % 2 ? 1 : 2;
    d->cigroup = ceil_div(cin / ti, ceil_div(cin, GROUP)) * ti;
    d->cogroup = ceil_div(cout / to, ceil_div(cout, GROUP)) * to;
    while (d->cigroup > ti && !fits(d, s, oh, ow, 1))
        d->cigroup = ceil_div(d->cigroup / ti, 2) * ti;
    while (d->cogroup > to && !fits(d, s, oh, ow, 1))
        d->cogroup = ceil_div(d->cogroup / to, 2) * to;
    d->block = 1;
    while (d->block < oh && d->block * ow < PIXELS && fits(d, s, oh, ow, d->block + 1))
        d->block++;
    if (d->block == oh)
        while (d->block < groups * oh && d->block * ow < PIXELS && fits(d, s, oh, ow, d->block + oh))
            d->block += oh;
    d->slots = needed(d, s, oh, d->block);
    const int blocks = ceil_div(groups * oh, d->block);
    const int others = ceil_div(cin, d->cigroup) * ceil_div(cout, d->cogroup);
    d->share = ceil_div(blocks, least(blocks, ceil_div(ITEMS, others))) * d->block;
    d->parts = ceil_div(groups * oh, d->share);
    return fits(d, s, oh, ow, 1);
}

static bool suits(const struct us_conv_shape *s, enum us_conv_direction direction)
{
    struct weights d;
    return direction == US_CONV_BWD_WEIGHTS && s->cin % SIDE == 0 && s->cout % SIDE == 0 &&
           s->n >= FEW_IMAGES && (s->kernel > 1 || s->pad == 0) && cut(s, &d);
}

static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    (void)direction;
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    char *options = NULL;
    struct weights *d = us_calloc(1, sizeof *d);
    plan->state = d;
    US_TRY_ALLOC(d);
    cut(s, d);
    plan->workspace = (size_t)d->parts * (size_t)us_conv_depth(conv) * (size_t)s->cout * sizeof(float);
    US_TRY_ALLOC(options = us_format("-DTI=%d -DTO=%d -DRING=%d -DROWS=%d", s->cin / SIDE % 2 ? 1 : 2,
                                     s->cout / SIDE % 2 ? 1 : 2, (int)RING, (int)ROWS));
    US_TRY(
        us_kernel_get(conv->device, "conv/conv_amx_weights.cl", options, "conv_amx_weights", &d->multiply));
    US_TRY(us_kernel_get(conv->device, "conv/conv_amx_weights.cl", options, "conv_weights_sum", &d->sum));
out:
    free(options);
    return st;
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

static enum unseen_status run(struct us_conv *conv, const struct us_conv_plan *plan,
                              const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const struct weights *d = plan->state;
    const int depth = us_conv_depth(conv), tiles = s->cout / SIDE;
    const int parts = ceil_div(ceil_div(call->n, IMAGES) * conv->oh, d->share);
    US_TRY(us_run(conv->device, d->multiply,
                  US_RANGE3L((size_t)parts, (size_t)ceil_div(s->cin / SIDE, d->cigroup),
                             (size_t)ceil_div(tiles, d->cogroup), 1, 1, 1),
                  "bbbiiiiiiliiiiiiiiiii", call->in, call->other, call->work, call->n, d->h, d->w, s->cin,
                  d->step * s->cin, d->step * s->w * s->cin, (int64_t)s->h * s->w * s->cin, conv->oh,
                  conv->ow, s->cout, s->kernel, d->stride, s->pad, d->share, d->block, d->slots, d->cigroup,
                  d->cogroup));
    US_TRY(us_run(conv->device, d->sum, US_RANGE2L((size_t)(depth / SIDE), (size_t)tiles, 1, 1), "bbiii",
                  call->work, call->out, parts, depth, s->cout));
out:
    return st;
}

const struct us_conv_algorithm us_conv_amx_weights = {.name = "amx-bf16-weights",
                                                      .made_for = US_CONV_FOR_CPU,
                                                      .precision = UNSEEN_BF16,
                                                      .usable = us_device_has_tiles,
                                                      .suits = suits,
                                                      .prepare = prepare,
                                                      .release = release,
                                                      .run = {[US_CONV_BWD_WEIGHTS] = run}};
