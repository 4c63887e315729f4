#include "config.h"

#include "ops/linear.h"

#include <stdio.h>

#include "ops/gemm.h"
#include "ops/launch.h"

static enum unseen_status get(struct unseen_device *device, const char *name, int width,
                              struct us_kernel **kernel)
{
    char options[32];
    snprintf(options, sizeof options, "-DVEC=%d", width);
    return us_kernel_get(device, "linear.cl", options, name, kernel);
}

enum unseen_status us_linear_forward(struct unseen_device *device, int n, int in, int out_features,
                                     struct us_buf *x, struct us_buf *weights, struct us_buf *bias,
                                     struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    const size_t rows = (size_t)n, depth = (size_t)in, columns = (size_t)out_features;
    const struct us_gemm product = {.transpose_b = true,
                                    .m = rows,
                                    .n = columns,
                                    .k = depth,
                                    .a = x,
                                    .b = weights,
                                    .c = y,
                                    .lda = depth,
                                    .ldb = depth,
                                    .ldc = columns,
                                    .beta = 1};
    US_TRY(get(device, "linear_bias", 1, &kernel));
    US_TRY(us_run(device, kernel, us_light_items(device, rows * columns), "iibb", n, out_features, bias, y));
    US_TRY(us_gemm_run(device, &product));
out:
    return st;
}

enum unseen_status us_linear_backward(struct unseen_device *device, int n, int in, int out_features,
                                      struct us_buf *x, struct us_buf *dy, struct us_buf *weights,
                                      struct us_buf *dweights, struct us_buf *dbias, bool accumulate,
                                      struct us_buf *dx)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    const size_t rows = (size_t)n, depth = (size_t)in, columns = (size_t)out_features;
    const int width = us_channel_vector(device, out_features);
    const struct us_gemm to_weights = {.transpose_a = true,
                                       .m = columns,
                                       .n = depth,
                                       .k = rows,
                                       .a = dy,
                                       .b = x,
                                       .c = dweights,
                                       .lda = columns,
                                       .ldb = depth,
                                       .ldc = depth};
    const struct us_gemm to_input = {.m = rows,
                                     .n = depth,
                                     .k = columns,
                                     .a = dy,
                                     .b = weights,
                                     .c = dx,
                                     .lda = columns,
                                     .ldb = depth,
                                     .ldc = depth,
                                     .beta = accumulate ? 1 : 0};
    US_TRY(us_gemm_run(device, &to_weights));
    US_TRY(get(device, "linear_bias_backward", width, &kernel));
    US_TRY(us_run(device, kernel, us_heavy_items(device, columns / (size_t)width), "iibb", n, out_features,
                  dy, dbias));
    if (dx)
        US_TRY(us_gemm_run(device, &to_input));
out:
    return st;
}
