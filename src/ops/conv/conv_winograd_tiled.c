#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ops/conv/tiled.h"
#include "ops/launch.h"

enum {
    CHUNK_BYTES = 64 << 20, /* of transformed inputs and outputs, so that a large cache can pass them on */
    LINE = 32,    /* floats of a pixel that a row of work-items writes at least, where there are as many */
    REGION = 1024 /* floats that a region of the workspace is rounded up to: every device's alignment */
};

struct winograd {
    int m, positions, vec_in, vec_out, vec_weights;
    int chunk;                 /* tiles at a time */
    struct us_sum_group group; /* that makes outputs */
    struct us_tiled product;
    struct us_kernel *inputs, *outputs; /* the latter of gradients in direction WEIGHTS */
    struct us_kernel *weights;          /* their transform, or that of their gradient */
    size_t transformed_weights, transformed_inputs, transformed_outputs; /* floats */
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int edge(const struct us_conv_algorithm *algorithm)
{
    return strncmp(algorithm->name, "winograd4", strlen("winograd4")) == 0 ? 4 : 2;
}

static bool suits(const struct us_conv_shape *s, enum us_conv_direction direction)
{
    (void)direction;
    return s->kernel == 3 && s->stride == 1 && s->pad <= 2 && us_tiled_suits(s);
}

/* Tiles of M x M results of n images. */
static int count_tiles(const struct us_conv_shape *s, enum us_conv_direction direction, int m, int n)
{
    const bool data = direction == US_CONV_BWD_DATA;
    const int h = data ? s->h : us_conv_out(s->h, s->kernel, s->stride, s->pad);
    const int w = data ? s->w : us_conv_out(s->w, s->kernel, s->stride, s->pad);
    return n * ceil_div(h, m) * ceil_div(w, m);
}

/* The product at each position, as a convolution of images of one pixel, one a tile. Chunks are of equal
 * length; they decide in what order weights' gradients are summed, so they follow from the shape alone. */
static struct us_conv_shape product_of(const struct us_conv_shape *s, enum us_conv_direction direction, int m)
{
    const int total = count_tiles(s, direction, m, s->n);
    const double tile = (double)((m + 2) * (m + 2)) * (s->cin + s->cout) * sizeof(float);
    const int most = CHUNK_BYTES / tile < 1.0 ? 1 : (int)(CHUNK_BYTES / tile);
    return (struct us_conv_shape){.n = ceil_div(total, ceil_div(total, most)),
                                  .h = 1,
                                  .w = 1,
                                  .cin = s->cin,
                                  .cout = s->cout,
                                  .kernel = 1,
                                  .stride = 1};
}

static bool offers2(const struct unseen_device *device, const struct us_conv_shape *shape,
                    enum us_conv_direction direction, int i, char values[US_CONV_NAME])
{
    const struct us_conv_shape product = product_of(shape, direction, 2);
    return us_tiled_offers(device, &product, direction, 16, i, values);
}

static bool offers4(const struct unseen_device *device, const struct us_conv_shape *shape,
                    enum us_conv_direction direction, int i, char values[US_CONV_NAME])
{
    const struct us_conv_shape product = product_of(shape, direction, 4);
    return us_tiled_offers(device, &product, direction, 36, i, values);
}

static bool accepts2(const struct unseen_device *device, const struct us_conv_shape *shape,
                     enum us_conv_direction direction, const char *values)
{
    const struct us_conv_shape product = product_of(shape, direction, 2);
    return us_tiled_accepts(device, &product, direction, 16, values);
}

static bool accepts4(const struct unseen_device *device, const struct us_conv_shape *shape,
                     enum us_conv_direction direction, const char *values)
{
    const struct us_conv_shape product = product_of(shape, direction, 4);
    return us_tiled_accepts(device, &product, direction, 36, values);
}

static int vector(const struct us_conv *conv, int m, int channels)
{
    const int widest = us_channel_vector(conv->device, channels),
              room = 8 / m; /* for N * N of them in registers */
    return widest < room ? widest : room;
}

static enum unseen_status get(struct us_conv *conv, const struct winograd *d, int vec, const char *name,
                              struct us_kernel **kernel)
{
    char *options =
        us_format("-DM=%d -DVEC=%d -DITEMS=%d -DACROSS=%d", d->m, vec, d->group.items, d->group.across);
    if (!options)
        return UNSEEN_FAILED;
    enum unseen_status st = us_kernel_get(conv->device, "conv/conv_winograd_tiled.cl", options, name, kernel);
    free(options);
    return st;
}

static size_t region(int positions, double floats)
{
    return us_round_up((size_t)positions * (size_t)floats, REGION);
}

static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const bool data = direction == US_CONV_BWD_DATA, gradient = direction == US_CONV_BWD_WEIGHTS;
    const int in = data ? s->cout : s->cin, out = data ? s->cin : s->cout, m = edge(plan->algorithm);
    const struct us_conv_shape product = product_of(s, direction, m);
    struct winograd *d = us_calloc(1, sizeof *d);
    plan->state = d;
    US_TRY_ALLOC(d);
    d->m = m;
    d->positions = (m + 2) * (m + 2);
    d->chunk = product.n;
    US_TRY(us_tiled_prepare(conv->device, &product, direction, d->positions, plan, &d->product));
    d->vec_in = vector(conv, m, in);
    d->vec_out = vector(conv, m, out);
    d->vec_weights = vector(conv, m, s->cout);
    d->group = us_sum_group(conv->device, out / d->vec_out, LINE / d->vec_out);
    US_TRY(get(conv, d, d->vec_in, "winograd_inputs", &d->inputs));
    US_TRY(
        get(conv, d, d->vec_out, gradient ? "winograd_output_gradients" : "winograd_outputs", &d->outputs));
    US_TRY(get(conv, d, d->vec_weights, gradient ? "winograd_weight_gradients" : "winograd_weights_forward",
               &d->weights));
    d->transformed_weights = region(d->positions, (double)d->product.parts * s->cin * s->cout);
    d->transformed_inputs = region(d->positions, (double)d->chunk * in);
    d->transformed_outputs = region(d->positions, (double)d->chunk * out);
    plan->workspace =
        (d->transformed_weights + d->transformed_inputs + d->transformed_outputs) * sizeof(float);
out:
    return st;
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

/* The workspace's regions. */
struct scratch {
    struct us_buf *weights, *inputs, *outputs;
};

static enum unseen_status cut(struct us_conv *conv, const struct winograd *d, struct us_buf *work,
                              struct scratch *scratch)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t a = d->transformed_weights * sizeof(float), b = d->transformed_inputs * sizeof(float);
    *scratch = (struct scratch){NULL, NULL, NULL};
    US_TRY(us_buf_sub(conv->device, work, 0, a, &scratch->weights));
    US_TRY(us_buf_sub(conv->device, work, a, b, &scratch->inputs));
    US_TRY(us_buf_sub(conv->device, work, a + b, d->transformed_outputs * sizeof(float), &scratch->outputs));
out:
    return st;
}

static struct us_range items(struct us_conv *conv, double count, int vec)
{
    return us_range_medium_items(conv->device, (size_t)(count / vec));
}

/* Tiles first.. of call->in, whose tiles make results of h x w. */
static enum unseen_status transform_inputs(struct us_conv *conv, bool data, const struct winograd *d,
                                           const struct us_conv_call *call, struct us_buf *to, int first,
                                           int count)
{
    const struct us_conv_shape *s = &conv->shape;
    const int channels = data ? s->cout : s->cin;
    return us_run(conv->device, d->inputs, items(conv, (double)count * channels, d->vec_in), "bbiiiiiiiii",
                  call->in, to, data ? conv->oh : s->h, data ? conv->ow : s->w, channels,
                  data ? s->h : conv->oh, data ? s->w : conv->ow, data ? 2 - s->pad : s->pad, first, count,
                  d->chunk);
}

static enum unseen_status multiply(struct us_conv *conv, const struct winograd *d, int count,
                                   struct us_buf *in, struct us_buf *other, struct us_buf *out)
{
    const struct us_conv_shape *s = &conv->shape;
    const enum us_conv_direction direction = d->product.direction;
    const int64_t x = (int64_t)d->chunk * s->cin, y = (int64_t)d->chunk * s->cout,
                  w = (int64_t)s->cin * s->cout;
    struct us_tiled_call call = {.n = count, .in = in, .other = other, .out = out};
    call.in_step = direction == US_CONV_BWD_DATA ? y : x;
    call.other_step = direction == US_CONV_BWD_WEIGHTS ? y : w;
    call.out_step = direction == US_CONV_FORWARD ? y : x;
    if (direction == US_CONV_BWD_WEIGHTS)
        call.out_step = w * us_tiled_parts(&d->product, count);
    return us_tiled_run(conv->device, &d->product, &call);
}

/* Groups that make the outputs of so many tiles, chunk by chunk; each leaves a block of moments. */
static int blocks(const struct winograd *d, int tiles)
{
    const int each = d->group.items / d->group.across;
    return tiles / d->chunk * ceil_div(d->chunk, each) + ceil_div(tiles % d->chunk, each);
}

static int moment_blocks(const struct us_conv *conv, const struct us_conv_plan *plan, int n)
{
    const struct winograd *d = plan->state;
    return blocks(d, count_tiles(&conv->shape, US_CONV_FORWARD, d->m, n));
}

/* Tiles first.. of call->out, of `total`. */
static enum unseen_status make_outputs(struct us_conv *conv, bool data, const struct winograd *d,
                                       const struct us_conv_call *call, struct us_buf *products, int first,
                                       int count, int total)
{
    const struct us_conv_shape *s = &conv->shape;
    const struct us_conv_epilogue *e = &call->epilogue;
    const int channels = data ? s->cin : s->cout;
    const size_t items = (size_t)d->group.items,
                 columns = (size_t)ceil_div(channels, d->group.across * d->vec_out);
    return us_run(conv->device, d->outputs, US_RANGE2L((size_t)blocks(d, count) * items, columns, items, 1),
                  "bbiiiiiiibbibii", products, call->out, data ? s->h : conv->oh, data ? s->w : conv->ow,
                  channels, first, count, d->chunk, (int)call->accumulate, e->affine, e->residual,
                  (int)e->act, e->moments, blocks(d, first), blocks(d, total));
}

static enum unseen_status convolve(struct us_conv *conv, bool data, const struct winograd *d,
                                   const struct us_conv_call *call, const struct scratch *scratch)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const int total = count_tiles(s, d->product.direction, d->m, call->n), size = s->cin * s->cout;
    US_TRY(us_run(conv->device, d->weights, items(conv, size, d->vec_weights), "bbii", call->other,
                  scratch->weights, size, (int)data));
    for (int first = 0; first < total; first += d->chunk) {
        const int count = d->chunk < total - first ? d->chunk : total - first;
        US_TRY(transform_inputs(conv, data, d, call, scratch->inputs, first, count));
        US_TRY(multiply(conv, d, count, scratch->inputs, scratch->weights, scratch->outputs));
        US_TRY(make_outputs(conv, data, d, call, scratch->outputs, first, count, total));
    }
out:
    return st;
}

static enum unseen_status gradient(struct us_conv *conv, const struct winograd *d,
                                   const struct us_conv_call *call, const struct scratch *scratch)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const int total = count_tiles(s, US_CONV_BWD_WEIGHTS, d->m, call->n), size = s->cin * s->cout;
    for (int first = 0; first < total; first += d->chunk) {
        const int count = d->chunk < total - first ? d->chunk : total - first;
        US_TRY(transform_inputs(conv, false, d, call, scratch->inputs, first, count));
        US_TRY(us_run(conv->device, d->outputs, items(conv, (double)count * s->cout, d->vec_out), "bbiiiiii",
                      call->other, scratch->outputs, conv->oh, conv->ow, s->cout, first, count, d->chunk));
        US_TRY(multiply(conv, d, count, scratch->inputs, scratch->outputs, scratch->weights));
        US_TRY(us_run(conv->device, d->weights, items(conv, size, d->vec_weights), "bbiii", scratch->weights,
                      call->out, size, us_tiled_parts(&d->product, count), (int)(first > 0)));
    }
out:
    return st;
}

static enum unseen_status run(struct us_conv *conv, const struct us_conv_plan *plan,
                              const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct winograd *d = plan->state;
    struct scratch scratch;
    US_TRY(cut(conv, d, call->work, &scratch));
    if (d->product.direction == US_CONV_BWD_WEIGHTS)
        US_TRY(gradient(conv, d, call, &scratch));
    else
        US_TRY(convolve(conv, d->product.direction == US_CONV_BWD_DATA, d, call, &scratch));
out:
    us_buf_free(conv->device, scratch.weights);
    us_buf_free(conv->device, scratch.inputs);
    us_buf_free(conv->device, scratch.outputs);
    return st;
}

const struct us_conv_algorithm us_conv_winograd2_tiled = {.name = "winograd2-tiled",
                                                          .made_for = US_CONV_FOR_GPU,
                                                          .suits = suits,
                                                          .offers = offers2,
                                                          .accepts = accepts2,
                                                          .prepare = prepare,
                                                          .release = release,
                                                          .run = {run, run, run},
                                                          .moment_blocks = moment_blocks};
const struct us_conv_algorithm us_conv_winograd4_tiled = {.name = "winograd4-tiled",
                                                          .made_for = US_CONV_FOR_GPU,
                                                          .suits = suits,
                                                          .offers = offers4,
                                                          .accepts = accepts4,
                                                          .prepare = prepare,
                                                          .release = release,
                                                          .run = {run, run, run},
                                                          .moment_blocks = moment_blocks};
