#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include "ops/conv_algorithm.h"
#include "ops/conv_tile.h"
#include "ops/launch.h"

enum {
    ENOUGH_GROUPS = 512,    /* that keep a large GPU busy */
    LEAST_STEPS = 16,       /* of a part of the weight gradient, which must pay for adding it up */
    PARTS_BYTES = 128 << 20 /* most for all parts */
};

/* How the work is cut. For the weight gradient it decides the order of summation, so it follows from the
 * shape and the tile alone. */
struct tiled {
    struct us_kernel *convolve, *sum;
    struct us_conv_tiling tiling;
    int share, parts; /* of the weight gradient's pixels */
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

/* Indices are int in the kernels. */
static bool suits(const struct us_conv_shape *s, enum us_conv_direction direction)
{
    (void)direction;
    const double oh = us_conv_out(s->h, s->kernel, s->stride, s->pad);
    const double ow = us_conv_out(s->w, s->kernel, s->stride, s->pad);
    const double x = (double)s->n * s->h * s->w * s->cin, y = (double)s->n * oh * ow * s->cout;
    const double weights = (double)s->kernel * s->kernel * s->cin * s->cout;
    return x < INT_MAX && y < INT_MAX && weights < INT_MAX;
}

/* Rows and columns of the result, with all images there can be. */
static struct us_conv_product product_of(const struct us_conv *conv, enum us_conv_direction direction)
{
    const struct us_conv_shape *s = &conv->shape;
    const double pixels = (double)s->n * conv->oh * conv->ow;
    switch (direction) {
    case US_CONV_FORWARD:
        return (struct us_conv_product){pixels, s->cout, 1.0, s->cin, s->cout, true, false};
    case US_CONV_DATA: {
        const double classes = (double)s->stride * s->stride;
        return (struct us_conv_product){
            (double)s->n * s->h * s->w / classes, s->cin, classes, s->cout, s->cout, true, true};
    }
    default:
        return (struct us_conv_product){us_conv_depth(conv), s->cout, 1.0, s->cin, s->cout, false, false};
    }
}

static int tiles_of(const struct us_conv_tile *t, double m, int n)
{
    return ceil_div((int)m, t->bm) * ceil_div(n, t->bn);
}

static void cut_weights(const struct us_conv *conv, struct tiled *d)
{
    const struct us_conv_tile *t = &d->tiling.tile;
    const int pixels = conv->shape.n * conv->oh * conv->ow, steps = ceil_div(pixels, t->bk);
    const int tiles = tiles_of(t, us_conv_depth(conv), conv->shape.cout);
    const size_t bytes = (size_t)us_conv_depth(conv) * (size_t)conv->shape.cout * sizeof(float);
    const int fit = PARTS_BYTES / bytes < 1 ? 1 : (int)(PARTS_BYTES / bytes);
    int parts = ceil_div(ENOUGH_GROUPS, tiles);
    parts = parts > fit ? fit : parts;
    parts = parts > ceil_div(steps, LEAST_STEPS) ? ceil_div(steps, LEAST_STEPS) : parts;
    d->share = ceil_div(steps, parts) * t->bk;
    d->parts = ceil_div(pixels, d->share);
}

static enum unseen_status get(struct us_conv *conv, enum us_conv_direction direction, const struct tiled *d,
                              const char *name, struct us_kernel **kernel)
{
    const struct us_conv_shape *s = &conv->shape;
    const struct us_conv_tile *t = &d->tiling.tile;
    char *options =
        us_format("-DDIRECTION=%d -DH=%d -DW=%d -DCIN=%d -DOH=%d -DOW=%d -DCOUT=%d -DKERNEL=%d -DSTRIDE=%d "
                  "-DPAD=%d -DBM=%d -DBN=%d -DBK=%d -DTM=%d -DTN=%d -DVA=%d -DVB=%d",
                  (int)direction, s->h, s->w, s->cin, conv->oh, conv->ow, s->cout, s->kernel, s->stride,
                  s->pad, t->bm, t->bn, t->bk, t->tm, t->tn, d->tiling.va, d->tiling.vb);
    if (!options)
        return UNSEEN_FAILED;
    enum unseen_status st = us_kernel_get(conv->device, "conv_tiled.cl", options, name, kernel);
    free(options);
    return st;
}

static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_part *part)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_product product = product_of(conv, direction);
    struct tiled *d = us_calloc(1, sizeof *d);
    part->state = d;
    US_TRY_ALLOC(d);
    US_TRY(us_conv_tile_usual(conv->device, &product, &d->tiling));
    US_TRY(get(conv, direction, d, "conv_tiled", &d->convolve));
    if (direction == US_CONV_WEIGHTS) {
        cut_weights(conv, d);
        US_TRY(get(conv, direction, d, "conv_tiled_sum", &d->sum));
        if (d->parts > 1)
            part->workspace =
                (size_t)d->parts * (size_t)us_conv_depth(conv) * (size_t)conv->shape.cout * sizeof(float);
    }
out:
    return st;
}

static void release(struct us_conv_part *part)
{
    free(part->state);
}

static enum unseen_status convolve(struct us_conv *conv, const struct tiled *d,
                                   const struct us_conv_call *call, int tiles, int depth, int parts,
                                   struct us_buf *out)
{
    const size_t items = (size_t)us_conv_tile_items(&d->tiling.tile);
    return us_run(conv->device, d->convolve, US_RANGE3L((size_t)tiles * items, 1, (size_t)depth, items, 1, 1),
                  "ibbbiiilll", call->n, call->in, call->other, out, (int)call->accumulate, d->share, parts,
                  (int64_t)0, (int64_t)0, (int64_t)0);
}

static enum unseen_status weights(struct us_conv *conv, const struct tiled *d,
                                  const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const int tiles = tiles_of(&d->tiling.tile, us_conv_depth(conv), conv->shape.cout);
    const int parts = ceil_div(call->n * conv->oh * conv->ow, d->share);
    const int count = us_conv_depth(conv) * conv->shape.cout;
    US_TRY(convolve(conv, d, call, tiles, parts, parts, parts > 1 ? call->work : call->out));
    if (parts > 1)
        US_TRY(us_run(conv->device, d->sum, us_light_items(conv->device, (size_t)count), "bbii", call->work,
                      call->out, parts, count));
out:
    return st;
}

static enum unseen_status run(struct us_conv *conv, enum us_conv_direction direction,
                              const struct us_conv_part *part, const struct us_conv_call *call)
{
    const struct us_conv_shape *s = &conv->shape;
    const struct tiled *d = part->state;
    const struct us_conv_tile *t = &d->tiling.tile;
    if (direction == US_CONV_WEIGHTS)
        return weights(conv, d, call);
    if (direction == US_CONV_FORWARD)
        return convolve(conv, d, call, tiles_of(t, (double)call->n * conv->oh * conv->ow, s->cout), 1, 1,
                        call->out);
    /* Class (0, 0) has the most pixels. */
    const double pixels = (double)call->n * ceil_div(s->h, s->stride) * ceil_div(s->w, s->stride);
    return convolve(conv, d, call, tiles_of(t, pixels, s->cin), s->stride * s->stride, 1, call->out);
}

const struct us_conv_algorithm us_conv_tiled = {.name = "tiled",
                                                .made_for = US_CONV_FOR_GPU,
                                                .suits = suits,
                                                .prepare = prepare,
                                                .release = release,
                                                .run = run};
