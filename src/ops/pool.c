#include "config.h"

#include "ops/pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "ops/launch.h"

struct us_pool {
    struct unseen_device *device;
    struct us_pool_shape shape;
    size_t forward_items, backward_items; /* an image: pixels, or windows, times vectors of channels */
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

/* Whether windows lie side by side, or there is but one: then no pixel is in two. */
static bool apart(const struct us_pool_shape *s, int oh, int ow)
{
    return s->pad == 0 && (s->stride == s->kernel || (oh == 1 && ow == 1));
}

static size_t windows_along(int size, int kernel)
{
    return (size_t)((size + kernel - 1) / kernel);
}

static enum unseen_status get_kernels(struct us_pool *p)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_pool_shape *s = &p->shape;
    const bool max = s->kind == US_POOL_MAX;
    const int vec = us_channel_vector(p->device, s->c);
    const int oh = (s->h + 2 * s->pad - s->kernel) / s->stride + 1;
    const int ow = (s->w + 2 * s->pad - s->kernel) / s->stride + 1;
    const bool side_by_side = apart(s, oh, ow);
    const size_t groups = (size_t)(s->c / vec);
    char options[192], backward[64];
    p->forward_items = (size_t)oh * (size_t)ow * groups;
    p->backward_items = (side_by_side ? windows_along(s->h, s->kernel) * windows_along(s->w, s->kernel)
                                      : (size_t)s->h * (size_t)s->w) *
                        groups;
    snprintf(options, sizeof options,
             "-DVEC=%d -DH=%d -DW=%d -DC=%d -DOH=%d -DOW=%d -DKERNEL=%d -DSTRIDE=%d -DPAD=%d", vec, s->h,
             s->w, s->c, oh, ow, s->kernel, s->stride, s->pad);
    snprintf(backward, sizeof backward, "pool_%s_backward%s", max ? "max" : "average",
             side_by_side ? "_apart" : "");
    US_TRY(us_kernel_get(p->device, "pool.cl", options, max ? "pool_max_forward" : "pool_average_forward",
                         &p->forward));
    US_TRY(us_kernel_get(p->device, "pool.cl", options, backward, &p->backward));
out:
    return st;
}

enum unseen_status us_pool_new(struct unseen_device *device, const struct us_pool_shape *shape,
                               struct us_pool **pool)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_pool *p = NULL;
    US_TRY(check(shape));
    p = us_calloc(1, sizeof *p);
    US_TRY_ALLOC(p);
    p->device = device;
    p->shape = *shape;
    US_TRY(get_kernels(p));
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
                  us_range_medium_items(pool->device, (size_t)n * pool->forward_items), "ibb", n, x, y);
}

enum unseen_status us_pool_backward(struct us_pool *pool, int n, struct us_buf *x, struct us_buf *y,
                                    struct us_buf *dy, bool accumulate, struct us_buf *dx)
{
    const struct us_range range = us_range_medium_items(pool->device, (size_t)n * pool->backward_items);
    if (pool->shape.kind == US_POOL_MAX)
        return us_run(pool->device, pool->backward, range, "ibbbib", n, x, y, dy, (int)accumulate, dx);
    return us_run(pool->device, pool->backward, range, "ibib", n, dy, (int)accumulate, dx);
}
