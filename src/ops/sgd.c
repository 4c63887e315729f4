#include "config.h"

#include "ops/sgd.h"

#include <stdio.h>

#include "ops/launch.h"

static enum unseen_status get(struct unseen_device *device, struct us_kernel **kernel)
{
    char options[32];
    snprintf(options, sizeof options, "-DVEC=%d", us_vector_width(device));
    return us_kernel_get(device, "sgd.cl", options, "sgd_step", kernel);
}

enum unseen_status us_sgd_prepare(struct unseen_device *device)
{
    struct us_kernel *kernel;
    return get(device, &kernel);
}

enum unseen_status us_sgd_step(struct unseen_device *device, const struct us_sgd *sgd, size_t count,
                               struct us_buf *params, struct us_buf *grads, struct us_buf *velocity)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    const size_t width = (size_t)us_vector_width(device);
    US_TRY(get(device, &kernel));
    US_TRY(us_run(device, kernel, us_range_small_items(device, (count + width - 1) / width), "llfffibbbb",
                  (int64_t)count, (int64_t)(sgd->decayed ? sgd->decayed : count), (double)sgd->lr,
                  (double)sgd->momentum, (double)sgd->weight_decay, (int)sgd->nesterov, params, grads,
                  velocity, sgd->scaling));
out:
    return st;
}
