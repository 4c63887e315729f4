#include "config.h"

#include <stdlib.h>

#include "ops/conv/conv_algorithm.h"

enum {
    ITEMS = 64,   /* work-items that keep the cores of a CPU evenly busy */
    CHANNELS = 8, /* the most that it is meant for; more fill vectors along the channels */
    WIDTH = 512   /* longest row of an image that a work-item copies */
};

/* Register tiles: pixels and vectors of the forward pass, and the most values of the weight gradient. */
struct registers {
    int pixels, vectors, values;
};
static const struct registers wide = {8, 2, 9}, usual = {6, 1, 6};

struct stem {
    struct us_kernel *pack, *forward, *weights, *sum;
    int vectors, share;
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static bool suits(const struct us_conv_shape *s, enum us_conv_direction direction)
{
    return direction != US_CONV_BWD_DATA && s->cin <= CHANNELS && s->w <= WIDTH && s->kernel <= 11;
}

static const struct registers *registers_of(const struct us_conv *conv)
{
    return us_device_has_wide_registers(conv->device) ? &wide : &usual;
}

/* The most values of a patch's row, of `width`, that with their vectors fit the registers. */
static int values(int width, int most)
{
    int q = width < most ? width : most;
    while (width % q)
        q--;
    return q;
}

static enum unseen_status get(struct us_conv *conv, const struct stem *d, const char *name,
                              struct us_kernel **kernel)
{
    const struct us_conv_shape *s = &conv->shape;
    char *options = us_format("-DCIN=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d -DW=%d -DP=%d -DV=%d -DQ=%d", s->cin,
                              s->kernel, s->stride, s->pad, s->w, registers_of(conv)->pixels, d->vectors,
                              values(s->kernel * s->cin, registers_of(conv)->values));
    if (!options)
        return UNSEEN_FAILED;
    enum unseen_status st = us_kernel_get(conv->device, "conv/conv_stem.cl", options, name, kernel);
    free(options);
    return st;
}

static size_t padded_columns(const struct us_conv *conv, const struct stem *d)
{
    return us_round_up((size_t)conv->shape.cout, 16 * (size_t)d->vectors);
}

/* `share` decides in what order sums are formed, so it must follow from the shape alone. */
static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    struct stem *d = us_calloc(1, sizeof *d);
    plan->state = d;
    US_TRY_ALLOC(d);
    d->vectors = conv->shape.cout <= 16 ? 1 : registers_of(conv)->vectors;
    d->share = ceil_div(conv->shape.n * conv->oh, ITEMS);
    const size_t floats = (size_t)us_conv_depth(conv) * padded_columns(conv, d);
    if (direction == US_CONV_FORWARD) {
        plan->workspace = floats * sizeof(float);
        US_TRY(get(conv, d, "stem_pack", &d->pack));
        US_TRY(get(conv, d, "stem_forward", &d->forward));
    } else {
        plan->workspace = floats * ITEMS * sizeof(float);
        US_TRY(get(conv, d, "stem_weights", &d->weights));
        US_TRY(get(conv, d, "stem_weights_sum", &d->sum));
    }
out:
    return st;
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

static int moment_blocks(const struct us_conv *conv, const struct us_conv_plan *plan, int n)
{
    const struct stem *d = plan->state;
    return ceil_div(n * conv->oh, d->share);
}

static enum unseen_status forward(struct us_conv *conv, const struct us_conv_plan *plan,
                                  const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct stem *d = plan->state;
    const struct us_conv_shape *s = &conv->shape;
    const struct us_conv_epilogue *e = &call->epilogue;
    const size_t items = (size_t)moment_blocks(conv, plan, call->n);
    const size_t columns = padded_columns(conv, d) / (16 * (size_t)d->vectors);
    US_TRY(us_run(conv->device, d->pack, US_RANGE1L(columns, 1), "bbi", call->other, call->work, s->cout));
    US_TRY(us_run(conv->device, d->forward, US_RANGE1L(items, 1), "bbbiiiiibbib", call->in, call->work,
                  call->out, call->n, s->h, conv->oh, s->cout, d->share, e->affine, e->residual, (int)e->act,
                  e->moments));
out:
    return st;
}

static enum unseen_status weights(struct us_conv *conv, const struct us_conv_plan *plan,
                                  const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct stem *d = plan->state;
    const struct us_conv_shape *s = &conv->shape;
    const int parts = ceil_div(call->n * conv->oh, d->share);
    US_TRY(us_run(conv->device, d->weights, US_RANGE1L((size_t)parts, 1), "bbbiiiii", call->in, call->other,
                  call->work, call->n, s->h, conv->oh, s->cout, d->share));
    US_TRY(us_run(conv->device, d->sum,
                  US_RANGE2L((size_t)us_conv_depth(conv), (size_t)ceil_div(s->cout, 16), 1, 1), "bbii",
                  call->work, call->out, parts, s->cout));
out:
    return st;
}

const struct us_conv_algorithm us_conv_stem = {
    .name = "stem",
    .made_for = US_CONV_FOR_CPU,
    .suits = suits,
    .prepare = prepare,
    .release = release,
    .run = {[US_CONV_FORWARD] = forward, [US_CONV_BWD_WEIGHTS] = weights},
    .moment_blocks = moment_blocks};
