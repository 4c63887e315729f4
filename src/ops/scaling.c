#include "config.h"

#include "ops/scaling.h"

#include <stdio.h>

#include "ops/launch.h"

enum { ROUNDS = 16 }; /* vectors of a work-item */

static enum unseen_status get(struct unseen_device *device, const char *name, struct us_kernel **kernel)
{
    char options[48];
    snprintf(options, sizeof options, "-DVEC=%d -DROUNDS=%d", us_vector_width(device), (int)ROUNDS);
    return us_kernel_get(device, "scaling.cl", options, name, kernel);
}

enum unseen_status us_scaling_prepare(struct unseen_device *device)
{
    struct us_kernel *kernel;
    return get(device, "scaling_find", &kernel);
}

enum unseen_status us_scaling_begin(struct unseen_device *device, struct us_buf *state)
{
    static const float start[US_SCALING_FLOATS] = {65536.0f};
    return us_write(device, state, 0, start, sizeof start);
}

enum unseen_status us_scaling_update(struct unseen_device *device, size_t count, struct us_buf *grads,
                                     struct us_buf *state)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *find = NULL, *update = NULL;
    const size_t each = (size_t)us_vector_width(device) * ROUNDS;
    US_TRY(get(device, "scaling_find", &find));
    US_TRY(get(device, "scaling_update", &update));
    US_TRY(us_run(device, find, us_range_large_items(device, (count + each - 1) / each), "lbb",
                  (int64_t)count, grads, state));
    US_TRY(us_run(device, update, US_RANGE1L(1, 1), "b", state));
out:
    return st;
}
