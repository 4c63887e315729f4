#include "config.h"

#include "ops/conv/conv_algorithm.h"

#include <limits.h>
#include <stdlib.h>

static enum unseen_status check_shape(const struct us_conv_shape *s)
{
    if (s->n < 1 || s->h < 1 || s->w < 1 || s->cin < 1 || s->cout < 1 || s->kernel < 1 || s->stride < 1 ||
        s->pad < 0)
        return us_fail(UNSEEN_USAGE, "convolution", "a size is not positive");
    if (s->kernel > s->h + 2 * s->pad || s->kernel > s->w + 2 * s->pad)
        return us_fail(UNSEEN_USAGE, "convolution", "%dx%d images are smaller than the %dx%d kernel", s->h,
                       s->w, s->kernel, s->kernel);
    /* Kernels count pixels and rows of the weight matrix in int. */
    const double pixels = (double)s->n * s->h * s->w;
    const double depth = (double)s->kernel * s->kernel * (s->cin > s->cout ? s->cin : s->cout);
    if (pixels > INT_MAX / 2 || depth > INT_MAX / 2)
        return us_fail(UNSEEN_USAGE, "convolution", "%d images of %dx%d are too many pixels", s->n, s->h,
                       s->w);
    return UNSEEN_OK;
}

enum unseen_status us_conv_new(struct unseen_device *device, const struct us_conv_shape *shape,
                               const char *const wish[US_CONV_DIRECTIONS], struct us_conv **conv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_conv *c = NULL;
    US_TRY(check_shape(shape));
    US_TRY(us_device_precision(device, shape->precision));
    c = us_calloc(1, sizeof *c);
    US_TRY_ALLOC(c);
    c->device = device;
    c->shape = *shape;
    c->oh = us_conv_out(shape->h, shape->kernel, shape->stride, shape->pad);
    c->ow = us_conv_out(shape->w, shape->kernel, shape->stride, shape->pad);
    for (int i = 0; i < US_CONV_DIRECTIONS; i++) {
        enum us_conv_direction direction = (enum us_conv_direction)i;
        struct us_conv_plan *plan = &c->plan[i];
        US_TRY(us_conv_choose(device, shape, direction, wish ? wish[i] : NULL, plan));
        US_TRY(plan->algorithm->prepare(c, direction, plan));
    }
    *conv = c;
    c = NULL;
out:
    us_conv_free(c);
    return st;
}

void us_conv_free(struct us_conv *conv)
{
    if (!conv)
        return;
    for (int i = 0; i < US_CONV_DIRECTIONS; i++)
        if (conv->plan[i].state)
            conv->plan[i].algorithm->release(&conv->plan[i]);
    free(conv);
}

const char *us_conv_algorithm_name(const struct us_conv *conv, enum us_conv_direction direction)
{
    return conv->plan[direction].name;
}

enum us_conv_why us_conv_why(const struct us_conv *conv, enum us_conv_direction direction)
{
    return conv->plan[direction].why;
}

size_t us_conv_workspace(const struct us_conv *conv)
{
    size_t most = 0;
    for (int i = 0; i < US_CONV_DIRECTIONS; i++)
        most = conv->plan[i].workspace > most ? conv->plan[i].workspace : most;
    return most;
}

static enum unseen_status run(struct us_conv *conv, enum us_conv_direction direction,
                              const struct us_conv_call *call)
{
    const struct us_conv_plan *plan = &conv->plan[direction];
    if (call->n < 1 || call->n > conv->shape.n)
        return us_fail(UNSEEN_USAGE, "convolution", "%d images where 1 to %d are prepared for", call->n,
                       conv->shape.n);
    if (plan->workspace && (!call->work || call->work->bytes < plan->workspace))
        return us_fail(UNSEEN_USAGE, "convolution", "a workspace of %zu bytes where %zu are needed",
                       call->work ? call->work->bytes : 0, plan->workspace);
    return plan->algorithm->run[direction](conv, plan, call);
}

enum unseen_status us_conv_forward(struct us_conv *conv, int n, struct us_buf *x, struct us_buf *weights,
                                   struct us_buf *workspace, struct us_buf *y)
{
    return run(conv, US_CONV_FORWARD,
               &(struct us_conv_call){.n = n, .in = x, .other = weights, .work = workspace, .out = y});
}

int us_conv_moment_blocks(const struct us_conv *conv, int n)
{
    const struct us_conv_plan *plan = &conv->plan[US_CONV_FORWARD];
    return plan->algorithm->moment_blocks ? plan->algorithm->moment_blocks(conv, plan, n) : 0;
}

enum unseen_status us_conv_forward_fused(struct us_conv *conv, int n, struct us_buf *x,
                                         struct us_buf *weights, struct us_buf *workspace,
                                         const struct us_conv_epilogue *epilogue, struct us_buf *y)
{
    if (!us_conv_moment_blocks(conv, n))
        return us_fail(UNSEEN_USAGE, "convolution", "%s can do no epilogue",
                       us_conv_algorithm_name(conv, US_CONV_FORWARD));
    return run(conv, US_CONV_FORWARD,
               &(struct us_conv_call){
                   .n = n, .in = x, .other = weights, .work = workspace, .out = y, .epilogue = *epilogue});
}

enum unseen_status us_conv_backward_data(struct us_conv *conv, int n, struct us_buf *dy,
                                         struct us_buf *weights, struct us_buf *workspace, bool accumulate,
                                         struct us_buf *dx)
{
    return run(
        conv, US_CONV_BWD_DATA,
        &(struct us_conv_call){
            .n = n, .in = dy, .other = weights, .work = workspace, .out = dx, .accumulate = accumulate});
}

enum unseen_status us_conv_backward_weights(struct us_conv *conv, int n, struct us_buf *x, struct us_buf *dy,
                                            struct us_buf *workspace, struct us_buf *dweights)
{
    return run(conv, US_CONV_BWD_WEIGHTS,
               &(struct us_conv_call){.n = n, .in = x, .other = dy, .work = workspace, .out = dweights});
}
