#include "config.h"

#include "ops/conv/tiled.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

bool us_tiled_suits(const struct us_conv_shape *s)
{
    const double oh = us_conv_out(s->h, s->kernel, s->stride, s->pad);
    const double ow = us_conv_out(s->w, s->kernel, s->stride, s->pad);
    const double x = (double)s->n * s->h * s->w * s->cin, y = (double)s->n * oh * ow * s->cout;
    const double weights = (double)s->kernel * s->kernel * s->cin * s->cout;
    return x < INT_MAX && y < INT_MAX && weights < INT_MAX;
}

/* Rows and columns of the result, with all images there can be. */
static struct us_conv_product product_of(const struct us_conv_shape *s, enum us_conv_direction direction,
                                         int times)
{
    const double oh = us_conv_out(s->h, s->kernel, s->stride, s->pad);
    const double ow = us_conv_out(s->w, s->kernel, s->stride, s->pad);
    const double pixels = s->n * oh * ow, classes = (double)s->stride * s->stride;
    struct us_conv_product p = {.m = pixels,
                                .n = s->cout,
                                .times = times,
                                .a_channels = s->cin,
                                .b_channels = s->cout,
                                .a_along_k = true};
    if (direction == US_CONV_BWD_DATA) {
        p.m = (double)s->n * s->h * s->w / classes;
        p.n = s->cin;
        p.times = times * classes;
        p.a_channels = s->cout;
        p.b_along_k = true;
    } else if (direction == US_CONV_BWD_WEIGHTS) {
        p.m = (double)s->kernel * s->kernel * s->cin;
        p.a_along_k = false;
        p.k = pixels;
    }
    return p;
}

bool us_tiled_offers(const struct unseen_device *device, const struct us_conv_shape *shape,
                     enum us_conv_direction direction, int times, int i, char values[US_CONV_NAME])
{
    const struct us_conv_product product = product_of(shape, direction, times);
    struct us_conv_tile tile;
    if (!us_conv_tile_offer(device, &product, i, &tile))
        return false;
    us_conv_tile_write(&tile, values);
    return true;
}

bool us_tiled_accepts(const struct unseen_device *device, const struct us_conv_shape *shape,
                      enum us_conv_direction direction, int times, const char *values)
{
    const struct us_conv_product product = product_of(shape, direction, times);
    struct us_conv_tile tile;
    struct us_conv_tiling tiling;
    return us_conv_tile_read(values, &tile) && us_conv_tile_legal(device, &product, &tile, &tiling);
}

static enum unseen_status find_tile(const struct unseen_device *device, struct us_tiled *t,
                                    struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_product product = product_of(&t->shape, t->direction, t->times);
    const char *values = us_conv_values(plan->name);
    struct us_conv_tile tile;
    char text[US_CONV_NAME];
    if (values && us_conv_tile_read(values, &tile) && us_conv_tile_legal(device, &product, &tile, &t->tiling))
        return UNSEEN_OK;
    US_TRY(us_conv_tile_usual(device, &product, &t->tiling));
    us_conv_tile_write(&t->tiling.tile, text);
    snprintf(plan->name, sizeof plan->name, "%.15s:%.31s", plan->algorithm->name, text);
out:
    return st;
}

/* Tiles of a product with m rows. */
static int count_tiles(const struct us_tiled *t, double m)
{
    const int n = t->direction == US_CONV_BWD_DATA ? t->shape.cin : t->shape.cout;
    return ceil_div((int)m, t->tiling.tile.bm) * ceil_div(n, t->tiling.tile.bn);
}

static int depth(const struct us_tiled *t)
{
    return t->shape.kernel * t->shape.kernel * t->shape.cin;
}

static void cut_weights(struct us_tiled *t)
{
    const struct us_conv_product product = product_of(&t->shape, t->direction, t->times);
    const int pixels = t->shape.n * t->oh * t->ow, steps = ceil_div(pixels, t->tiling.tile.bk);
    t->share = ceil_div(steps, us_conv_tile_parts(&product, &t->tiling.tile)) * t->tiling.tile.bk;
    t->parts = ceil_div(pixels, t->share);
}

enum unseen_status us_tiled_prepare(struct unseen_device *device, const struct us_conv_shape *s,
                                    enum us_conv_direction direction, int times, struct us_conv_plan *plan,
                                    struct us_tiled *t)
{
    enum unseen_status st = UNSEEN_OK;
    char *options = NULL;
    *t = (struct us_tiled){.shape = *s, .direction = direction, .times = times, .share = 1, .parts = 1};
    t->oh = us_conv_out(s->h, s->kernel, s->stride, s->pad);
    t->ow = us_conv_out(s->w, s->kernel, s->stride, s->pad);
    US_TRY(find_tile(device, t, plan));
    if (direction == US_CONV_BWD_WEIGHTS)
        cut_weights(t);
    const struct us_conv_tile *tile = &t->tiling.tile;
    options = us_format("-DDIRECTION=%d -DH=%d -DW=%d -DCIN=%d -DOH=%d -DOW=%d -DCOUT=%d -DKERNEL=%d "
                        "-DSTRIDE=%d -DPAD=%d -DBM=%d -DBN=%d -DBK=%d -DTM=%d -DTN=%d -DVA=%d -DVB=%d",
                        (int)direction, s->h, s->w, s->cin, t->oh, t->ow, s->cout, s->kernel, s->stride,
                        s->pad, tile->bm, tile->bn, tile->bk, tile->tm, tile->tn, t->tiling.va, t->tiling.vb);
    US_TRY_ALLOC(options);
    US_TRY(us_kernel_get(device, "conv/conv_tiled.cl", options, "conv_tiled", &t->convolve));
out:
    free(options);
    return st;
}

int us_tiled_moment_blocks(const struct us_tiled *t, int n)
{
    return ceil_div(n * t->oh * t->ow, t->tiling.tile.bm);
}

int us_tiled_parts(const struct us_tiled *t, int n)
{
    return ceil_div(n * t->oh * t->ow, t->share);
}

enum unseen_status us_tiled_run(struct unseen_device *device, const struct us_tiled *t,
                                const struct us_tiled_call *c)
{
    const struct us_conv_shape *s = &t->shape;
    const int parts = t->direction == US_CONV_BWD_WEIGHTS ? us_tiled_parts(t, c->n) : 1;
    const int classes = t->direction == US_CONV_BWD_DATA ? s->stride * s->stride : 1;
    double rows = (double)c->n * t->oh * t->ow;
    if (t->direction == US_CONV_BWD_DATA) /* class (0, 0) has the most */
        rows = (double)c->n * ceil_div(s->h, s->stride) * ceil_div(s->w, s->stride);
    else if (t->direction == US_CONV_BWD_WEIGHTS)
        rows = depth(t);
    const size_t items = (size_t)us_conv_tile_items(&t->tiling.tile);
    const struct us_range range = US_RANGE3L((size_t)count_tiles(t, rows) * items, 1,
                                             (size_t)(t->times * parts * classes), items, 1, 1);
    return us_run(device, t->convolve, range, "ibbbiiilllbbib", c->n, c->in, c->other, c->out,
                  (int)c->accumulate, t->share, parts, c->in_step, c->other_step, c->out_step,
                  c->epilogue.affine, c->epilogue.residual, (int)c->epilogue.act, c->epilogue.moments);
}
