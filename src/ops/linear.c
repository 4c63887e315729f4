#include "config.h"

#include "ops/linear.h"

#include <stdio.h>
#include <stdlib.h>

#include "ops/elementwise.h"
#include "ops/launch.h"

struct us_linear {
    struct unseen_device *device;
    int in, out;
    int width; /* of the bias gradient's vectors */
    float scale;
    struct us_conv *conv;
    struct us_kernel *bias, *bias_backward, *rescale;
};

enum { GROUP = 64 }; /* work-items that sum a column of the bias gradient on GPUs */

static enum unseen_status get(struct unseen_device *device, const char *name, int width,
                              struct us_kernel **kernel)
{
    char options[32];
    snprintf(options, sizeof options, "-DVEC=%d -DITEMS=%d", width, us_device_is_cpu(device) ? 1 : GROUP);
    return us_kernel_get(device, "linear.cl", options, name, kernel);
}

struct us_conv_shape us_linear_shape(int n, int in, int out_features)
{
    return (struct us_conv_shape){
        .n = n, .h = 1, .w = 1, .cin = out_features, .cout = in, .kernel = 1, .stride = 1};
}

enum unseen_status us_linear_new(struct unseen_device *device, int n, int in, int out_features, float scale,
                                 struct us_linear **linear)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape shape = us_linear_shape(n, in, out_features);
    struct us_linear *l = us_calloc(1, sizeof *l);
    US_TRY_ALLOC(l);
    l->device = device;
    l->in = in;
    l->out = out_features;
    l->scale = scale;
    l->width = us_channel_vector(device, out_features);
    US_TRY(us_conv_new(device, &shape, NULL, &l->conv));
    US_TRY(get(device, "linear_bias", l->width, &l->bias));
    US_TRY(get(device, "linear_bias_backward", l->width, &l->bias_backward));
    US_TRY(get(device, "linear_scale", l->width, &l->rescale));
    *linear = l;
    l = NULL;
out:
    us_linear_free(l);
    return st;
}

void us_linear_free(struct us_linear *linear)
{
    if (!linear)
        return;
    us_conv_free(linear->conv);
    free(linear);
}

const struct us_conv *us_linear_conv(const struct us_linear *linear)
{
    return linear->conv;
}

size_t us_linear_workspace(const struct us_linear *linear)
{
    return us_conv_workspace(linear->conv);
}

static enum unseen_status rescale(struct us_linear *l, int n, struct us_buf *y)
{
    const size_t count = (size_t)n * (size_t)l->out;
    if (l->scale == 1.0f)
        return UNSEEN_OK;
    return us_run(l->device, l->rescale, us_range_small_items(l->device, count), "ifb", (int)count,
                  (double)l->scale, y);
}

enum unseen_status us_linear_forward(struct us_linear *l, int n, struct us_buf *x, struct us_buf *weights,
                                     struct us_buf *bias, struct us_buf *workspace, struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    if (bias)
        US_TRY(us_run(l->device, l->bias, us_range_small_items(l->device, (size_t)n * (size_t)l->out), "iibb",
                      n, l->out, bias, y));
    US_TRY(us_conv_backward_data(l->conv, n, x, weights, workspace, bias != NULL, y));
    US_TRY(rescale(l, n, y));
out:
    return st;
}

static enum unseen_status input_gradient(struct us_linear *l, int n, struct us_buf *dy,
                                         struct us_buf *weights, struct us_buf *workspace, bool accumulate,
                                         struct us_buf *dx)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t floats = (size_t)n * (size_t)l->in;
    struct us_buf *product = NULL;
    if (!accumulate)
        return us_conv_forward(l->conv, n, dy, weights, workspace, dx);
    US_TRY(us_buf_new(l->device, floats * sizeof(float), &product));
    US_TRY(us_conv_forward(l->conv, n, dy, weights, workspace, product));
    US_TRY(us_add(l->device, floats, product, dx));
out:
    us_buf_free(l->device, product);
    return st;
}

enum unseen_status us_linear_backward(struct us_linear *l, int n, struct us_buf *x, struct us_buf *dy,
                                      struct us_buf *weights, struct us_buf *workspace,
                                      struct us_buf *dweights, struct us_buf *dbias, bool accumulate,
                                      struct us_buf *dx)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t columns = (size_t)(l->out / l->width);
    US_TRY(rescale(l, n, dy));
    if (dweights)
        US_TRY(us_conv_backward_weights(l->conv, n, dy, x, workspace, dweights));
    if (dbias)
        US_TRY(us_run(l->device, l->bias_backward,
                      us_device_is_cpu(l->device) ? us_range_large_items(l->device, columns)
                                                  : US_RANGE1L(columns * GROUP, GROUP),
                      "iibb", n, l->out, dy, dbias));
    if (dx)
        US_TRY(input_gradient(l, n, dy, weights, workspace, accumulate, dx));
out:
    return st;
}
