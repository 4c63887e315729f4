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

/* The i-th group's; behind the last it goes on. */
static struct us_sgd_group group_at(const struct us_sgd *sgd, size_t count, int i)
{
    const struct us_sgd_group all = {count, 1.0f, 1.0f};
    struct us_sgd_group group = sgd->groups == 0 ? all : sgd->group[i < sgd->groups ? i : sgd->groups - 1];
    group.end = i + 1 < sgd->groups ? group.end : count;
    group.lr *= sgd->lr;
    group.weight_decay *= sgd->weight_decay;
    return group;
}

enum unseen_status us_sgd_step(struct unseen_device *device, const struct us_sgd *sgd, size_t count,
                               struct us_buf *params, struct us_buf *grads, struct us_buf *velocity)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    const size_t width = (size_t)us_vector_width(device);
    struct us_sgd_group g[US_SGD_GROUPS];
    for (int i = 0; i < US_SGD_GROUPS; i++)
        g[i] = group_at(sgd, count, i);
    US_TRY(get(device, &kernel));
    US_TRY(us_run(device, kernel, us_range_small_items(device, (count + width - 1) / width),
                  "lllfffffffibbbb", (int64_t)count, (int64_t)g[0].end, (int64_t)g[1].end, (double)g[0].lr,
                  (double)g[1].lr, (double)g[2].lr, (double)g[0].weight_decay, (double)g[1].weight_decay,
                  (double)g[2].weight_decay, (double)sgd->momentum, (int)sgd->nesterov, params, grads,
                  velocity, sgd->scaling));
out:
    return st;
}
