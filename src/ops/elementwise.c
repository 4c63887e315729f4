#include "config.h"

#include "ops/elementwise.h"

#include <stdio.h>

#include "ops/launch.h"

/* Kernel `name` over `count` floats of up to three buffers. */
static enum unseen_status run(struct unseen_device *device, const char *name, size_t count, struct us_buf *a,
                              struct us_buf *b, struct us_buf *c)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    char options[32];
    const size_t width = (size_t)us_vector_width(device);
    const struct us_range range = us_range_small_items(device, (count + width - 1) / width);
    snprintf(options, sizeof options, "-DVEC=%zu", width);
    US_TRY(us_kernel_get(device, "elementwise.cl", options, name, &kernel));
    if (c)
        st = us_run(device, kernel, range, "lbbb", (int64_t)count, a, b, c);
    else
        st = us_run(device, kernel, range, "lbb", (int64_t)count, a, b);
out:
    return st;
}

enum unseen_status us_relu_forward(struct unseen_device *device, size_t count, struct us_buf *x,
                                   struct us_buf *y)
{
    return run(device, "relu_forward", count, x, y, NULL);
}

enum unseen_status us_relu_backward(struct unseen_device *device, size_t count, struct us_buf *y,
                                    struct us_buf *dy, struct us_buf *dx)
{
    return run(device, "relu_backward", count, y, dy, dx);
}

enum unseen_status us_add(struct unseen_device *device, size_t count, struct us_buf *x, struct us_buf *y)
{
    return run(device, "add", count, x, y, NULL);
}
