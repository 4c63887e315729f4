#include "config.h"

#include "ops/pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "ops/launch.h"

struct us_pool {
    struct unseen_device *device;
    struct us_pool_shape shape;
    size_t in_items, out_items; /* work-items an image: pixels times vectors of channels */
    struct us_kernel *forward, *backward;
};

static enum unseen_status check(const struct us_pool_shape *s)
{
    if (s->h < 1 || s->w < 1 || s->c < 1 || s->kernel < 1 || s->stride < 1 || s->pad < 0)
        return us_fail(UNSEEN_USAGE, "pool", "sizes must be positive: %dx%dx%d, kernel %d, stride %d, pad %d",
                       s->h, s->w, s->c, s->kernel, s->stride, s->pad);
    if (2 * s->pad > s->kernel || s->kernel > s->h + 2 * s->pad || s->kernel > s->w + 2 * s->pad)
        return us_fail(UNSEEN_USAGE, "pool", "a %dx%d window with padding %d does not fit %dx%d pixels",
                       s->kernel, s->kernel, s->pad, s->h, s->w);
    return UNSEEN_OK;
}

enum unseen_status us_pool_new(struct unseen_device *device, const struct us_pool_shape *shape,
                               struct us_pool **pool)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_pool *p = NULL;
    char options[192];
    const bool max = shape->kind == US_POOL_MAX;
    US_TRY(check(shape));
    p = us_calloc(1, sizeof *p);
    US_TRY_ALLOC(p);
    p->device = device;
    p->shape = *shape;
    const int vec = us_channel_vector(device, shape->c);
    const int oh = (shape->h + 2 * shape->pad - shape->kernel) / shape->stride + 1;
    const int ow = (shape->w + 2 * shape->pad - shape->kernel) / shape->stride + 1;
    const size_t groups = (size_t)(shape->c / vec);
    p->in_items = (size_t)shape->h * (size_t)shape->w * groups;
    p->out_items = (size_t)oh * (size_t)ow * groups;
    snprintf(options, sizeof options,
             "-DVEC=%d -DH=%d -DW=%d -DC=%d -DOH=%d -DOW=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d", vec, shape->h,
             shape->w, shape->c, oh, ow, shape->kernel, shape->stride, shape->pad);
    US_TRY(us_kernel_get(device, "pool.cl", options, max ? "pool_max_forward" : "pool_average_forward",
                         &p->forward));
    US_TRY(us_kernel_get(device, "pool.cl", options, max ? "pool_max_backward" : "pool_average_backward",
                         &p->backward));
    *pool = p;
    p = NULL;
out:
    us_pool_free(p);
    return st;
}

void us_pool_free(struct us_pool *pool)
{
    free(pool);
}

enum unseen_status us_pool_forward(struct us_pool *pool, int n, struct us_buf *x, struct us_buf *y)
{
    return us_run(pool->device, pool->forward,
                  us_range_medium_items(pool->device, (size_t)n * pool->out_items), "ibb", n, x, y);
}

enum unseen_status us_pool_backward(struct us_pool *pool, int n, struct us_buf *x, struct us_buf *y,
                                    struct us_buf *dy, bool accumulate, struct us_buf *dx)
{
    const struct us_range range = us_range_medium_items(pool->device, (size_t)n * pool->in_items);
    if (pool->shape.kind == US_POOL_MAX)
        return us_run(pool->device, pool->backward, range, "ibbbib", n, x, y, dy, (int)accumulate, dx);
    return us_run(pool->device, pool->backward, range, "ibib", n, dy, (int)accumulate, dx);
}
