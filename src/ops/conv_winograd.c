#include "config.h"

#include <stdlib.h>

#include "ops/conv_algorithm.h"

/* The cut decides in what order sums are formed, so it must follow from the shape alone. */
enum {
    ITEMS = 16,            /* work-items that keep the cores of a CPU evenly busy */
    Q = 8,                 /* rows of a register tile of the weight gradient */
    SCRATCH_BYTES = 640000 /* of a work-item: most of a core's second cache */
};

/* How the tiles of M x M outputs are gone through; see cl/conv_winograd.cl. */
struct winograd {
    int m, positions; /* a row of them */
    int pixels, vectors;
    struct us_kernel *pack, *multiply, *sum;
    int tiles, group, items;        /* forward and data gradient */
    int share, parts, rows, groups; /* weight gradient */
    size_t packed, slot;            /* floats */
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
    const bool data = direction == US_CONV_DATA;
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
    char *options = us_format("-DM=%d -DP=%d -DV=%d -DQ=%d", d->m, d->pixels, d->vectors, (int)Q);
    if (!options)
        return UNSEEN_FAILED;
    enum unseen_status st = us_kernel_get(conv->device, "conv_winograd.cl", options, name, kernel);
    free(options);
    return st;
}

/* Blocks as long as scratch holds, so that the packed weights come seldom from beyond it. */
static enum unseen_status prepare_multiply(struct us_conv *conv, enum us_conv_direction direction,
                                           struct winograd *d, struct us_conv_part *part)
{
    enum unseen_status st = UNSEEN_OK;
    const bool data = direction == US_CONV_DATA;
    const int depth = data ? conv->shape.cout : conv->shape.cin;
    const int columns = ceil_div(data ? conv->shape.cin : conv->shape.cout, 16 * d->vectors);
    const int positions = d->positions * d->positions, ld = padded(depth) + 16, width = 16 * d->vectors;
    const int total = count_tiles(conv, d->m, direction, conv->shape.n);
    const int fit = (int)(SCRATCH_BYTES / sizeof(float)) / (positions * (ld + width)) / d->pixels;
    const char *e = getenv("WT");
    d->tiles = (e ? atoi(e) : fit < 2 ? 2 : least(fit, 8)) * d->pixels;
    d->tiles = least(d->tiles, (int)us_round_up((size_t)total, (size_t)d->pixels));
    const int blocks = ceil_div(total, d->tiles);
    d->items = least(blocks, ITEMS);
    d->group = ceil_div(columns, least(columns, ceil_div(ITEMS, d->items)));
    d->packed = (size_t)columns * (size_t)positions * (size_t)depth * (size_t)width;
    d->slot = (size_t)positions * ((size_t)d->tiles * (size_t)(ld + width) + 16);
    part->workspace =
        (d->packed + d->slot * (size_t)d->items * (size_t)ceil_div(columns, d->group)) * sizeof(float);
    US_TRY(get(conv, d, data ? "winograd_pack_transposed" : "winograd_pack", &d->pack));
    US_TRY(get(conv, d, "winograd_convolve", &d->multiply));
out:
    return st;
}

/* A work-item's sums and its scratch share the second cache. */
static enum unseen_status prepare_gradient(struct us_conv *conv, struct winograd *d, struct us_conv_part *part)
{
    enum unseen_status st = UNSEEN_OK;
    const int depth = padded(conv->shape.cin), width = 16 * d->vectors;
    const int columns = ceil_div(conv->shape.cout, width), n = d->positions;
    const int total = count_tiles(conv, d->m, US_CONV_WEIGHTS, conv->shape.n);
    const int budget = (int)(SCRATCH_BYTES / sizeof(float));
    const char *e;
    d->group = least(columns, ceil_div(128, width));
    d->groups = ceil_div(columns, d->group);
    d->rows = n;
    while (d->rows > 1 && (n % d->rows || (long)d->rows * n * depth * d->group * width > budget))
        d->rows--;
    if ((e = getenv("WR")))
        d->rows = atoi(e);
    const int fit = budget / (d->rows * n * (depth + d->group * width + 32)) / 16 * 16;
    d->tiles = fit < 32 ? 32 : least(fit, 128);
    if ((e = getenv("WG")))
        d->tiles = atoi(e);
    d->tiles = least(d->tiles, total);
    d->parts = least(ceil_div(ITEMS, n / d->rows * d->groups), ceil_div(total, d->tiles));
    d->share = (int)us_round_up((size_t)ceil_div(total, d->parts), (size_t)d->tiles);
    d->parts = ceil_div(total, d->share);
    d->packed = (size_t)d->parts * (size_t)(n * n) * (size_t)depth * (size_t)(columns * width);
    d->slot = (size_t)(d->rows * n) * ((size_t)d->tiles * (size_t)(depth + d->group * width + 32) + 32);
    part->workspace =
        (d->packed + d->slot * (size_t)(d->parts * (n / d->rows) * d->groups)) * sizeof(float);
    US_TRY(get(conv, d, "winograd_gradient", &d->multiply));
    US_TRY(get(conv, d, "winograd_gradient_sum", &d->sum));
out:
    return st;
}

static enum unseen_status prepare(struct us_conv *conv, int m, enum us_conv_direction direction,
                                  struct us_conv_part *part)
{
    const int columns = direction == US_CONV_DATA ? conv->shape.cin : conv->shape.cout;
    struct winograd *d = us_calloc(1, sizeof *d);
    part->state = d;
    if (!d)
        return us_fail(UNSEEN_FAILED, "memory", "cannot prepare a convolution");
    d->m = m;
    d->positions = m + 2;
    d->pixels = 12;
    d->vectors = columns <= 16 ? 1 : 2;
    return direction == US_CONV_WEIGHTS ? prepare_gradient(conv, d, part)
                                        : prepare_multiply(conv, direction, d, part);
}

static enum unseen_status prepare2(struct us_conv *conv, enum us_conv_direction direction,
                                   struct us_conv_part *part)
{
    return prepare(conv, 2, direction, part);
}

static enum unseen_status prepare4(struct us_conv *conv, enum us_conv_direction direction,
                                   struct us_conv_part *part)
{
    return prepare(conv, 4, direction, part);
}

static void release(struct us_conv_part *part)
{
    free(part->state);
}

/* The workspace holds the packed weights or the partial sums, then the scratch. */
static enum unseen_status split(struct us_conv *conv, const struct winograd *d, struct us_buf *work,
                                struct us_buf **scratch)
{
    const size_t begin = d->packed * sizeof(float);
    return us_buf_sub(conv->device, work, begin, work->bytes - begin, scratch);
}

static enum unseen_status multiply(struct us_conv *conv, bool data, const struct winograd *d,
                                   const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const int ic = data ? s->cout : s->cin, oc = data ? s->cin : s->cout;
    const int columns = ceil_div(oc, 16 * d->vectors);
    const size_t packs = (size_t)(data ? ceil_div(ic, 16) : ceil_div(ic, 16));
    struct us_buf *scratch = NULL;
    US_TRY(split(conv, d, call->work, &scratch));
    US_TRY(us_run(conv->device, d->pack, US_RANGE2L(packs, (size_t)columns, 1, 1), "bbii", call->other,
                  call->work, s->cin, s->cout));
    US_TRY(us_run(conv->device, d->multiply,
                  US_RANGE2L((size_t)d->items, (size_t)ceil_div(columns, d->group), 1, 1), "bbbbliiiiiiiiiii",
                  call->in, call->work, call->out, scratch, (int64_t)d->slot, call->n,
                  data ? conv->oh : s->h, data ? conv->ow : s->w, ic, data ? s->h : conv->oh,
                  data ? s->w : conv->ow, oc, data ? 2 - s->pad : s->pad, d->tiles, d->group,
                  (int)call->accumulate));
out:
    us_buf_free(conv->device, scratch);
    return st;
}

static enum unseen_status gradient(struct us_conv *conv, const struct winograd *d,
                                   const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const int parts = ceil_div(count_tiles(conv, d->m, US_CONV_WEIGHTS, call->n), d->share);
    struct us_buf *scratch = NULL;
    US_TRY(split(conv, d, call->work, &scratch));
    US_TRY(us_run(conv->device, d->multiply,
                  US_RANGE3L((size_t)parts, (size_t)(d->positions / d->rows), (size_t)d->groups, 1, 1, 1),
                  "bbbbliiiiiiiiiiii", call->in, call->other, call->work, scratch, (int64_t)d->slot, call->n,
                  s->h, s->w, s->cin, conv->oh, conv->ow, s->cout, s->pad, d->share, d->tiles, d->rows,
                  d->group));
    US_TRY(us_run(conv->device, d->sum, US_RANGE2L((size_t)s->cin, (size_t)ceil_div(s->cout, 16), 1, 1),
                  "bbiii", call->work, call->out, parts, s->cin, s->cout));
out:
    us_buf_free(conv->device, scratch);
    return st;
}

static enum unseen_status run(struct us_conv *conv, enum us_conv_direction direction,
                              const struct us_conv_part *part, const struct us_conv_call *call)
{
    if (direction == US_CONV_WEIGHTS)
        return gradient(conv, part->state, call);
    return multiply(conv, direction == US_CONV_DATA, part->state, call);
}

const struct us_conv_algorithm us_conv_winograd2 = {
    .name = "winograd2", .suits = suits, .prepare = prepare2, .release = release, .run = run};
const struct us_conv_algorithm us_conv_winograd4 = {
    .name = "winograd4", .suits = suits, .prepare = prepare4, .release = release, .run = run};
