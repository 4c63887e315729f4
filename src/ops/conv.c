#include "config.h"

#include "ops/conv_algorithm.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

int us_conv_out(int size, int kernel, int stride, int pad)
{
    return (size + 2 * pad - kernel) / stride + 1;
}

double us_conv_flops(const struct us_conv_shape *s, int n)
{
    const double oh = us_conv_out(s->h, s->kernel, s->stride, s->pad);
    const double ow = us_conv_out(s->w, s->kernel, s->stride, s->pad);
    return 2.0 * n * oh * ow * s->cout * s->cin * s->kernel * s->kernel;
}

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

static enum unseen_status choose(struct unseen_device *device, enum us_conv_algorithm algorithm,
                                 const struct us_conv_methods **methods)
{
    const char *wish = algorithm == US_CONV_AUTO ? getenv("UNSEEN_CONV") : NULL;
    if (algorithm == US_CONV_DIRECT || (wish && !strcmp(wish, us_conv_direct.name)))
        *methods = &us_conv_direct;
    else if (algorithm == US_CONV_IM2COL || (wish && !strcmp(wish, us_conv_im2col.name)))
        *methods = &us_conv_im2col;
    else if (wish && *wish)
        return us_fail(UNSEEN_USAGE, "UNSEEN_CONV", "'%s' is neither direct nor im2col", wish);
    else
        *methods = us_device_is_cpu(device) ? &us_conv_direct : &us_conv_im2col;
    return UNSEEN_OK;
}

enum unseen_status us_conv_new(struct unseen_device *device, const struct us_conv_shape *shape,
                               enum us_conv_algorithm algorithm, struct us_conv **conv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_conv *c = NULL;
    const struct us_conv_methods *methods = NULL;
    US_TRY(check_shape(shape));
    US_TRY(choose(device, algorithm, &methods));
    c = us_calloc(1, sizeof *c);
    US_TRY_ALLOC(c);
    c->device = device;
    c->shape = *shape;
    c->oh = us_conv_out(shape->h, shape->kernel, shape->stride, shape->pad);
    c->ow = us_conv_out(shape->w, shape->kernel, shape->stride, shape->pad);
    c->methods = methods;
    US_TRY(methods->prepare(c));
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
    conv->methods->release(conv);
    free(conv);
}

const char *us_conv_algorithm_name(const struct us_conv *conv)
{
    return conv->methods->name;
}

size_t us_conv_workspace(const struct us_conv *conv)
{
    return conv->methods->workspace(conv);
}

static enum unseen_status check_call(const struct us_conv *conv, int n, const struct us_buf *workspace)
{
    if (n < 1 || n > conv->shape.n)
        return us_fail(UNSEEN_USAGE, "convolution", "%d images where 1 to %d are prepared for", n,
                       conv->shape.n);
    const size_t need = us_conv_workspace(conv);
    if (need && (!workspace || workspace->bytes < need))
        return us_fail(UNSEEN_USAGE, "convolution", "a workspace of %zu bytes where %zu are needed",
                       workspace ? workspace->bytes : 0, need);
    return UNSEEN_OK;
}

enum unseen_status us_conv_forward(struct us_conv *conv, int n, struct us_buf *x, struct us_buf *weights,
                                   struct us_buf *workspace, struct us_buf *y)
{
    enum unseen_status st = check_call(conv, n, workspace);
    return st ? st : conv->methods->forward(conv, n, x, weights, workspace, y);
}

enum unseen_status us_conv_backward_data(struct us_conv *conv, int n, struct us_buf *dy,
                                         struct us_buf *weights, struct us_buf *workspace, bool accumulate,
                                         struct us_buf *dx)
{
    enum unseen_status st = check_call(conv, n, workspace);
    return st ? st : conv->methods->backward_data(conv, n, dy, weights, workspace, accumulate, dx);
}

enum unseen_status us_conv_backward_weights(struct us_conv *conv, int n, struct us_buf *x, struct us_buf *dy,
                                            struct us_buf *workspace, struct us_buf *dweights)
{
    enum unseen_status st = check_call(conv, n, workspace);
    return st ? st : conv->methods->backward_weights(conv, n, x, dy, workspace, dweights);
}
