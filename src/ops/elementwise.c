#include "config.h"

#include "ops/elementwise.h"

#include <stdio.h>

#include "ops/launch.h"

enum unseen_status us_add(struct unseen_device *device, size_t count, struct us_buf *x, struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    char options[32];
    const size_t width = (size_t)us_vector_width(device);
    const struct us_range range = us_range_small_items(device, (count + width - 1) / width);
    snprintf(options, sizeof options, "-DVEC=%zu", width);
    US_TRY(us_kernel_get(device, "elementwise.cl", options, "add", &kernel));
    st = us_run(device, kernel, range, "lbb", (int64_t)count, x, y);
out:
    return st;
}
