#include "config.h"

#include "ops/conv/conv_algorithm.h"

#include <stdlib.h>

enum {
    IMAGES = 32,    /* that are multiplied together, */
    FEW_IMAGES = 8, /* and that pay for it with the others left empty */
    RING = 393216,  /* numbers of the ring of input rows, which the second cache is to hold with the rest */
    STAGE = 32,     /* pixels between writing sums */
    ITEMS = 16      /* work-items that keep the cores of a CPU evenly busy */
};

/* The convolution that a direction is; see cl/conv/conv_amx.cl. */
struct gather {
    int ih, iw, ic, pixel, line, oh, ow, oc, size, mul, div, off;
    int64_t image;
};

struct amx {
    struct us_kernel *pack, *multiply;
    struct gather g;
    int depth, width;                    /* channels of a step: summed, and written */
    int rows, cols, block, slots, group; /* how it is cut */
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static struct gather gather_of(const struct us_conv *conv, bool data)
{
    const struct us_conv_shape *s = &conv->shape;
    const bool sparse = !data && s->kernel == 1; /* only these pixels of x count */
    const int step = sparse ? s->stride : 1;
    struct gather g = {.ih = s->h,
                       .iw = s->w,
                       .ic = s->cin,
                       .oh = conv->oh,
                       .ow = conv->ow,
                       .oc = s->cout,
                       .size = s->kernel,
                       .mul = sparse ? 1 : s->stride,
                       .div = 1,
                       .off = -s->pad};
    if (data)
        g = (struct gather){.ih = conv->oh,
                            .iw = conv->ow,
                            .ic = s->cout,
                            .oh = s->h,
                            .ow = s->w,
                            .oc = s->cin,
                            .size = s->kernel,
                            .mul = 1,
                            .div = s->stride,
                            .off = s->pad - s->kernel + 1};
    g.pixel = step * g.ic;
    g.line = step * g.iw * g.ic;
    g.image = (int64_t)g.ih * g.iw * g.ic;
    if (sparse) {
        g.ih = conv->oh;
        g.iw = conv->ow;
    }
    return g;
}

/* Rows or columns of the input that `count` of the output need. */
static int needed(const struct gather *g, int count)
{
    return ((count - 1) * g->mul + g->size - 1) / g->div + 1;
}

static int ring_of(const struct gather *g, int cols, int block)
{
    const int columns = needed(g, cols);
    return needed(g, block) * (columns < g->iw ? columns : g->iw) * g->ic * IMAGES;
}

static void cut(struct amx *d, int images)
{
    const struct gather *g = &d->g;
    d->cols = g->ow;
    while (d->cols > 1 && ring_of(g, d->cols, 1) > RING)
        d->cols = ceil_div(d->cols, 2);
    d->block = clamp(STAGE / d->cols, 1, g->oh);
    while (d->block > 1 && ring_of(g, d->cols, d->block) > RING)
        d->block--;
    d->slots = needed(g, d->block);
    const int tiles = g->oc / d->width, others = ceil_div(images, IMAGES) * ceil_div(g->ow, d->cols);
    const int blocks = ceil_div(g->oh, d->block), bands = clamp(ceil_div(ITEMS, others), 1, blocks);
    d->rows = ceil_div(blocks, bands) * d->block;
    d->group = ceil_div(tiles, clamp(ceil_div(ITEMS, others * bands), 1, tiles));
}

static bool suits(const struct us_conv_shape *s, enum us_conv_direction direction)
{
    return direction != US_CONV_BWD_WEIGHTS && s->cin % 16 == 0 && s->cout % 16 == 0 && s->n >= FEW_IMAGES &&
           (s->kernel > 1 || s->pad == 0);
}

static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const bool data = direction == US_CONV_BWD_DATA;
    char *options = NULL;
    struct amx *d = us_calloc(1, sizeof *d);
    plan->state = d;
    US_TRY_ALLOC(d);
    d->g = gather_of(conv, data);
    d->depth = d->g.ic % 32 ? 16 : 32;
    d->width = d->g.oc % 32 ? 16 : 32;
    cut(d, conv->shape.n);
    plan->workspace = (size_t)us_conv_depth(conv) * (size_t)conv->shape.cout * 2;
    US_TRY_ALLOC(options = us_format("-DK=%d -DT=%d -DRING=%d -DSTAGE=%d", d->depth, d->width / 16, (int)RING,
                                     (int)STAGE));
    US_TRY(us_kernel_get(conv->device, "conv/conv_amx.cl", options,
                         data ? "conv_amx_pack_transposed" : "conv_amx_pack", &d->pack));
    US_TRY(us_kernel_get(conv->device, "conv/conv_amx.cl", options, "conv_amx", &d->multiply));
out:
    free(options);
    return st;
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

/* Work-items along the pixels of n images. */
static int items(const struct amx *d, int n)
{
    return ceil_div(n, IMAGES) * ceil_div(d->g.oh, d->rows) * ceil_div(d->g.ow, d->cols);
}

static int moment_blocks(const struct us_conv *conv, const struct us_conv_plan *plan, int n)
{
    (void)conv;
    return items(plan->state, n);
}

static enum unseen_status run(struct us_conv *conv, const struct us_conv_plan *plan,
                              const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct amx *d = plan->state;
    const struct gather *g = &d->g;
    const struct us_conv_epilogue *e = &call->epilogue;
    const int taps = g->size * g->size, tiles = g->oc / d->width;
    US_TRY(us_run(conv->device, d->pack,
                  US_RANGE3L((size_t)tiles, (size_t)taps, (size_t)(g->ic / d->depth), 1, 1, 1), "bbi",
                  call->other, call->work, g->oc));
    US_TRY(us_run(conv->device, d->multiply,
                  US_RANGE2L((size_t)items(d, call->n), (size_t)ceil_div(tiles, d->group), 1, 1),
                  "bbbiiiiiiliiiiiiiiiiiiibbib", call->in, call->work, call->out, call->n, g->ih, g->iw,
                  g->ic, g->pixel, g->line, g->image, g->oh, g->ow, g->oc, g->size, g->mul, g->div, g->off,
                  d->rows, d->cols, d->block, d->slots, d->group, (int)call->accumulate, e->affine,
                  e->residual, (int)e->act, e->moments));
out:
    return st;
}

const struct us_conv_algorithm us_conv_amx = {.name = "amx-bf16",
                                              .made_for = US_CONV_FOR_CPU,
                                              .precision = UNSEEN_BF16,
                                              .usable = us_device_has_tiles,
                                              .suits = suits,
                                              .prepare = prepare,
                                              .release = release,
                                              .run = {[US_CONV_FORWARD] = run, [US_CONV_BWD_DATA] = run},
                                              .moment_blocks = moment_blocks};
