#include "config.h"

#include "ops/elementwise.h"

#include <stdio.h>

#include "ops/launch.h"

/* A work-item a vector. */
static struct us_range vectors(struct unseen_device *device, size_t count)
{
    const size_t width = (size_t)us_vector_width(device);
    return us_range_small_items(device, (count + width - 1) / width);
}

static enum unseen_status get(struct unseen_device *device, const char *name, struct us_kernel **kernel)
{
    char options[32];
    snprintf(options, sizeof options, "-DVEC=%d", us_vector_width(device));
    return us_kernel_get(device, "elementwise.cl", options, name, kernel);
}

enum unseen_status us_add(struct unseen_device *device, size_t count, struct us_buf *x, struct us_buf *y)
{
    struct us_kernel *kernel = NULL;
    const enum unseen_status st = get(device, "add", &kernel);
    return st ? st : us_run(device, kernel, vectors(device, count), "lbb", (int64_t)count, x, y);
}

enum unseen_status us_approach(struct unseen_device *device, size_t count, float weight, struct us_buf *fast,
                               struct us_buf *slow)
{
    struct us_kernel *kernel = NULL;
    const enum unseen_status st = get(device, "approach", &kernel);
    return st ? st
              : us_run(device, kernel, vectors(device, count), "lfbb", (int64_t)count, (double)weight, fast,
                       slow);
}
