#include "config.h"

#include "ops/conv/tiled.h"

#include <stdlib.h>

#include "ops/launch.h"

struct tiled {
    struct us_tiled product;
    struct us_kernel *sum; /* of the weight gradient's parts */
};

static bool suits(const struct us_conv_shape *shape, enum us_conv_direction direction)
{
    (void)direction;
    return us_tiled_suits(shape);
}

static bool offers(const struct unseen_device *device, const struct us_conv_shape *shape,
                   enum us_conv_direction direction, int i, char values[US_CONV_NAME])
{
    return us_tiled_offers(device, shape, direction, 1, i, values);
}

static bool accepts(const struct unseen_device *device, const struct us_conv_shape *shape,
                    enum us_conv_direction direction, const char *values)
{
    return us_tiled_accepts(device, shape, direction, 1, values);
}

static size_t weights_of(const struct us_conv *conv)
{
    return (size_t)us_conv_depth(conv) * (size_t)conv->shape.cout;
}

static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    struct tiled *d = us_calloc(1, sizeof *d);
    plan->state = d;
    US_TRY_ALLOC(d);
    US_TRY(us_tiled_prepare(conv->device, &conv->shape, direction, 1, plan, &d->product));
    if (d->product.parts > 1) {
        plan->workspace = (size_t)d->product.parts * weights_of(conv) * sizeof(float);
        US_TRY(us_kernel_get(conv->device, "conv/conv_tiled_sum.cl", "", "conv_tiled_sum", &d->sum));
    }
out:
    return st;
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

static enum unseen_status run(struct us_conv *conv, const struct us_conv_plan *plan,
                              const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct tiled *d = plan->state;
    const int parts = d->product.direction == US_CONV_BWD_WEIGHTS ? us_tiled_parts(&d->product, call->n) : 1;
    const struct us_tiled_call product = {.n = call->n,
                                          .in = call->in,
                                          .other = call->other,
                                          .out = parts > 1 ? call->work : call->out,
                                          .accumulate = call->accumulate,
                                          .epilogue = call->epilogue};
    US_TRY(us_tiled_run(conv->device, &d->product, &product));
    if (parts > 1)
        US_TRY(us_run(conv->device, d->sum, us_range_small_items(conv->device, weights_of(conv)), "bbii",
                      call->work, call->out, parts, (int)weights_of(conv)));
out:
    return st;
}

static int moment_blocks(const struct us_conv *conv, const struct us_conv_plan *plan, int n)
{
    (void)conv;
    return us_tiled_moment_blocks(&((const struct tiled *)plan->state)->product, n);
}

const struct us_conv_algorithm us_conv_tiled = {.name = "tiled",
                                                .made_for = US_CONV_FOR_GPU,
                                                .suits = suits,
                                                .offers = offers,
                                                .accepts = accepts,
                                                .prepare = prepare,
                                                .release = release,
                                                .run = {run, run, run},
                                                .moment_blocks = moment_blocks};
