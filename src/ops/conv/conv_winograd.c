#include "config.h"

#include <stdlib.h>

#include "ops/conv/conv_algorithm.h"

enum {
    ITEMS = 16,             /* work-items that keep the cores of a CPU evenly busy */
    SHARE = 8,              /* tiles that a work-item transforms */
    ROWS = 64,              /* input channels of a work-item of the weight gradient */
    CHUNK_BYTES = 10000000, /* of transformed tiles, which the third cache is to keep from kernel to kernel */
    CHUNK_TILES = 128,      /* that make up for loading and storing all sums */
    SUMS_BYTES = 600000,    /* the most that a work-item sums up in the second cache, */
    BLOCK_BYTES = 400000,   /* beside so much of transformed tiles */
    LEAST_SHARE = 128,      /* tiles that make up for adding up own sums, but */
    FEW_ITEMS = 4,          /* work-items are better than fewer */
    PIXELS = 12             /* tiles of a block of the forward pass */
};

/* Register tiles: rows and vectors of the forward pass, products of vectors in the weight gradient. */
struct registers {
    int rows, vectors, products;
};
static const struct registers wide = {PIXELS, 2, 16}, usual = {PIXELS / 2, 1, 4};

/* How the tiles of M x M outputs are gone through; see cl/conv/conv_winograd.cl. */
struct winograd {
    int m, positions; /* a row of them */
    int step;         /* numbers that are multiplied at a time: 2 of bf16, 1 of float32 */
    int vectors;
    struct registers registers;
    struct us_kernel *pack, *multiply;                        /* forward and data gradient */
    struct us_kernel *inputs, *outputs, *products, *gradient; /* weight gradient, */
    struct us_kernel *shares;                                 /* where work-items have their own sums */
    int group, items;
    int chunk, share;                    /* tiles */
    size_t packed, slot;                 /* floats */
    size_t transformed_x, transformed_y; /* floats of a chunk */
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static bool suits(const struct us_conv_shape *s, enum us_conv_direction direction)
{
    (void)direction;
    return s->kernel == 3 && s->stride == 1 && s->pad <= 2;
}

static int count_tiles(const struct us_conv *conv, int m, enum us_conv_direction direction, int n)
{
    const bool data = direction == US_CONV_BWD_DATA;
    const int h = data ? conv->shape.h : conv->oh, w = data ? conv->shape.w : conv->ow;
    return n * ceil_div(h, m) * ceil_div(w, m);
}

static int padded(int channels)
{
    return (int)us_round_up((size_t)channels, 16);
}

static enum unseen_status get(struct us_conv *conv, const struct winograd *d, const char *name,
                              struct us_kernel **kernel)
{
    char *options = us_format("-DM=%d -DP=%d -DR=%d -DV=%d -DQ=%d%s", d->m, (int)PIXELS, d->registers.rows,
                              d->vectors, d->registers.products / d->vectors, d->step > 1 ? " -DBF16" : "");
    if (!options)
        return UNSEEN_FAILED;
    enum unseen_status st = us_kernel_get(conv->device, "conv/conv_winograd.cl", options, name, kernel);
    free(options);
    return st;
}

static enum unseen_status prepare_multiply(struct us_conv *conv, enum us_conv_direction direction,
                                           struct winograd *d, struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const bool data = direction == US_CONV_BWD_DATA;
    const int depth = data ? conv->shape.cout : conv->shape.cin, width = 16 * d->vectors;
    const int columns = ceil_div(data ? conv->shape.cin : conv->shape.cout, width);
    const int positions = d->positions * d->positions, ld = padded(depth) + 16 * d->step;
    const int blocks = ceil_div(count_tiles(conv, d->m, direction, conv->shape.n), PIXELS);
    d->items = least(blocks, ITEMS);
    d->group = ceil_div(columns, least(columns, ceil_div(ITEMS, d->items)));
    d->packed = (size_t)columns * (size_t)positions * (size_t)depth * (size_t)width / (size_t)d->step;
    d->slot = (size_t)ld + (size_t)positions * ((size_t)PIXELS * (size_t)(ld + width) + 16 * (size_t)d->step);
    plan->workspace =
        (d->packed + d->slot * (size_t)d->items * (size_t)ceil_div(columns, d->group)) * sizeof(float);
    US_TRY(get(conv, d, data ? "winograd_pack_transposed" : "winograd_pack", &d->pack));
    US_TRY(get(conv, d, "winograd_convolve", &d->multiply));
out:
    return st;
}

/* Floats of `rows` rows of so many channels for each position. */
static size_t transformed(const struct winograd *d, int rows, int channels)
{
    return (size_t)(d->positions * d->positions) * ((size_t)rows * (size_t)channels + 16);
}

static int padded_columns(const struct winograd *d, int channels)
{
    return (int)us_round_up((size_t)channels, (size_t)(16 * d->vectors));
}

/* Chunks of equal length. */
static int cut(const struct us_conv *conv, const struct winograd *d, size_t bytes, int least_tiles)
{
    const size_t row =
        transformed(d, 1, padded(conv->shape.cin)) + transformed(d, 1, padded_columns(d, conv->shape.cout));
    const int total = count_tiles(conv, d->m, US_CONV_BWD_WEIGHTS, conv->shape.n);
    const int most = (int)(bytes / sizeof(float) / row);
    return ceil_div(total, ceil_div(total, most < least_tiles ? least_tiles : most));
}

/* The cut decides in what order sums are formed, so it must follow from the shape alone. */
static enum unseen_status prepare_gradient(struct us_conv *conv, struct winograd *d,
                                           struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const int depth = padded(conv->shape.cin), columns = padded_columns(d, conv->shape.cout);
    const int total = count_tiles(conv, d->m, US_CONV_BWD_WEIGHTS, conv->shape.n);
    const bool own_sums =
        (size_t)(d->positions * d->positions) * (size_t)depth * (size_t)columns <= SUMS_BYTES / sizeof(float);
    d->chunk = own_sums ? cut(conv, d, BLOCK_BYTES, 1) : cut(conv, d, CHUNK_BYTES, CHUNK_TILES);
    d->transformed_x = transformed(d, d->chunk, depth);
    d->transformed_y = transformed(d, d->chunk, columns);
    d->packed = (size_t)(d->positions * d->positions) * (size_t)depth * (size_t)columns;
    d->slot = (size_t)depth;
    US_TRY(get(conv, d, "winograd_gradient", &d->gradient));
    if (own_sums) {
        const int even = ceil_div(total, ITEMS), few = least(ceil_div(total, FEW_ITEMS), LEAST_SHARE);
        d->share = even > few ? even : few;
        d->items = ceil_div(total, d->share);
        d->slot += d->transformed_x + d->transformed_y;
        d->packed *= (size_t)d->items;
        plan->workspace = (d->packed + d->slot * (size_t)d->items) * sizeof(float);
        US_TRY(get(conv, d, "winograd_shares", &d->shares));
    } else {
        plan->workspace =
            (d->packed + d->transformed_x + d->transformed_y + d->slot * (size_t)ceil_div(d->chunk, SHARE)) *
            sizeof(float);
        US_TRY(get(conv, d, "winograd_inputs", &d->inputs));
        US_TRY(get(conv, d, "winograd_outputs", &d->outputs));
        US_TRY(get(conv, d, "winograd_products", &d->products));
    }
out:
    return st;
}

static enum unseen_status prepare(struct us_conv *conv, int m, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    const int columns = direction == US_CONV_BWD_DATA ? conv->shape.cin : conv->shape.cout;
    struct winograd *d = us_calloc(1, sizeof *d);
    plan->state = d;
    if (!d)
        return us_fail(UNSEEN_FAILED, "memory", "cannot prepare a convolution");
    d->m = m;
    d->step = plan->algorithm->precision == UNSEEN_BF16 ? 2 : 1;
    d->positions = m + 2;
    d->registers = us_device_has_wide_registers(conv->device) ? wide : usual;
    d->vectors = columns <= 16 ? 1 : d->registers.vectors;
    return direction == US_CONV_BWD_WEIGHTS ? prepare_gradient(conv, d, plan)
                                            : prepare_multiply(conv, direction, d, plan);
}

static enum unseen_status prepare2(struct us_conv *conv, enum us_conv_direction direction,
                                   struct us_conv_plan *plan)
{
    return prepare(conv, 2, direction, plan);
}

static enum unseen_status prepare4(struct us_conv *conv, enum us_conv_direction direction,
                                   struct us_conv_plan *plan)
{
    return prepare(conv, 4, direction, plan);
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

/* What the workspace holds from float `begin` on. */
static enum unseen_status behind(struct us_conv *conv, struct us_buf *work, size_t begin, struct us_buf **sub)
{
    begin *= sizeof(float);
    return us_buf_sub(conv->device, work, begin, work->bytes - begin, sub);
}

/* Work-items that go through the blocks of n images. */
static int items(const struct us_conv *conv, enum us_conv_direction direction, const struct winograd *d,
                 int n)
{
    return least(ceil_div(count_tiles(conv, d->m, direction, n), PIXELS), d->items);
}

static int moment_blocks(const struct us_conv *conv, const struct us_conv_plan *plan, int n)
{
    return items(conv, US_CONV_FORWARD, plan->state, n);
}

static enum unseen_status multiply(struct us_conv *conv, bool data, const struct winograd *d,
                                   const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const int ic = data ? s->cout : s->cin, oc = data ? s->cin : s->cout;
    const int columns = ceil_div(oc, 16 * d->vectors);
    const int rows = items(conv, data ? US_CONV_BWD_DATA : US_CONV_FORWARD, d, call->n);
    const struct us_conv_epilogue *e = &call->epilogue;
    struct us_buf *scratch = NULL;
    US_TRY(behind(conv, call->work, d->packed, &scratch));
    US_TRY(us_run(conv->device, d->pack, US_RANGE2L((size_t)ceil_div(ic, 16), (size_t)columns, 1, 1), "bbii",
                  call->other, call->work, s->cin, s->cout));
    US_TRY(us_run(conv->device, d->multiply,
                  US_RANGE2L((size_t)rows, (size_t)ceil_div(columns, d->group), 1, 1), "bbbbliiiiiiiiiibbib",
                  call->in, call->work, call->out, scratch, (int64_t)d->slot, call->n, data ? conv->oh : s->h,
                  data ? conv->ow : s->w, ic, data ? s->h : conv->oh, data ? s->w : conv->ow, oc,
                  data ? 2 - s->pad : s->pad, d->group, (int)call->accumulate, e->affine, e->residual,
                  (int)e->act, e->moments));
out:
    us_buf_free(conv->device, scratch);
    return st;
}

/* Sums of chunks, which follow one another in the workspace's transformed tiles. */
static enum unseen_status sum_chunks(struct us_conv *conv, const struct winograd *d,
                                     const struct us_conv_call *call, int total)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    struct us_buf *x = NULL, *dy = NULL, *zeros = NULL;
    US_TRY(behind(conv, call->work, d->packed, &x));
    US_TRY(behind(conv, call->work, d->packed + d->transformed_x, &dy));
    US_TRY(behind(conv, call->work, d->packed + d->transformed_x + d->transformed_y, &zeros));
    for (int first = 0; first < total; first += d->chunk) {
        const int count = least(d->chunk, total - first);
        const size_t items = (size_t)ceil_div(count, SHARE),
                     positions = (size_t)(d->positions * d->positions);
        US_TRY(us_run(conv->device, d->inputs, US_RANGE1L(items, 1), "bbbiiiiiiiiii", call->in, x, zeros,
                      s->h, s->w, s->cin, conv->oh, conv->ow, s->pad, first, count, d->chunk, (int)SHARE));
        US_TRY(us_run(conv->device, d->outputs, US_RANGE1L(items, 1), "bbiiiiiii", call->other, dy, conv->oh,
                      conv->ow, s->cout, first, count, d->chunk, (int)SHARE));
        US_TRY(us_run(conv->device, d->products, US_RANGE2L(positions, (size_t)ceil_div(s->cin, ROWS), 1, 1),
                      "bbbiiiiii", x, dy, call->work, s->cin, s->cout, count, d->chunk, (int)ROWS,
                      (int)(first > 0)));
    }
out:
    us_buf_free(conv->device, x);
    us_buf_free(conv->device, dy);
    us_buf_free(conv->device, zeros);
    return st;
}

/* Sums of work-items, each over a share of the tiles. */
static enum unseen_status sum_shares(struct us_conv *conv, const struct winograd *d,
                                     const struct us_conv_call *call, int total, int items)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    struct us_buf *scratch = NULL;
    US_TRY(behind(conv, call->work, d->packed, &scratch));
    US_TRY(us_run(conv->device, d->shares, US_RANGE1L((size_t)items, 1), "bbbbliiiiiiiiii", call->in,
                  call->other, call->work, scratch, (int64_t)d->slot, s->h, s->w, s->cin, conv->oh, conv->ow,
                  s->cout, s->pad, total, d->share, d->chunk));
out:
    us_buf_free(conv->device, scratch);
    return st;
}

static enum unseen_status backward_weights(struct us_conv *conv, const struct us_conv_plan *plan,
                                           const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct winograd *d = plan->state;
    const struct us_conv_shape *s = &conv->shape;
    const int total = count_tiles(conv, d->m, US_CONV_BWD_WEIGHTS, call->n);
    const int parts = d->shares ? ceil_div(total, d->share) : 1;
    if (d->shares)
        US_TRY(sum_shares(conv, d, call, total, parts));
    else
        US_TRY(sum_chunks(conv, d, call, total));
    US_TRY(us_run(conv->device, d->gradient, US_RANGE2L((size_t)s->cin, (size_t)ceil_div(s->cout, 16), 1, 1),
                  "bbiii", call->work, call->out, parts, s->cin, s->cout));
out:
    return st;
}

static enum unseen_status forward(struct us_conv *conv, const struct us_conv_plan *plan,
                                  const struct us_conv_call *call)
{
    return multiply(conv, false, plan->state, call);
}

static enum unseen_status backward_data(struct us_conv *conv, const struct us_conv_plan *plan,
                                        const struct us_conv_call *call)
{
    return multiply(conv, true, plan->state, call);
}

static bool suits_bf16(const struct us_conv_shape *s, enum us_conv_direction direction)
{
    return direction != US_CONV_BWD_WEIGHTS && suits(s, direction) && s->cin % 16 == 0 && s->cout % 16 == 0;
}

const struct us_conv_algorithm us_conv_winograd2 = {.name = "winograd2",
                                                    .made_for = US_CONV_FOR_CPU,
                                                    .suits = suits,
                                                    .prepare = prepare2,
                                                    .release = release,
                                                    .run = {forward, backward_data, backward_weights},
                                                    .moment_blocks = moment_blocks};
const struct us_conv_algorithm us_conv_winograd4 = {.name = "winograd4",
                                                    .made_for = US_CONV_FOR_CPU,
                                                    .suits = suits,
                                                    .prepare = prepare4,
                                                    .release = release,
                                                    .run = {forward, backward_data, backward_weights},
                                                    .moment_blocks = moment_blocks};
const struct us_conv_algorithm us_conv_winograd4_bf16 = {.name = "winograd4-bf16",
                                                         .made_for = US_CONV_FOR_CPU,
                                                         .precision = UNSEEN_BF16,
                                                         .usable = us_device_has_bf16,
                                                         .pays = us_device_bf16_pays,
                                                         .suits = suits_bf16,
                                                         .prepare = prepare4,
                                                         .release = release,
                                                         .run = {forward, backward_data},
                                                         .moment_blocks = moment_blocks};
