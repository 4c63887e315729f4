#include "config.h"

#include <float.h>
#include <math.h>

#include "nn/train.h"

/* Rises from `start` to 1 over the first `rise` of `all` steps, then falls to `end`. */
static double linear(double at, double all, double rise, double start, double end)
{
    if (at < rise)
        return start + (1.0 - start) * at / rise;
    return end + (1.0 - end) * (all - at) / fmax(all - rise, 1.0);
}

/* Whole steps up to the peak, as the reference counts them; `peak` is rounded to float. */
static double rise_of(double peak, double all)
{
    return floor(peak * (1 + (double)FLT_EPSILON) * all);
}

/* A warm-up of W steps is at (i + 1) / W of the rate in step i. */
static double cosine(double at, double all, double warm)
{
    if (at < warm)
        return (at + 1.0) / warm;
    return 0.5 * (1.0 + cos(acos(-1.0) * (at - warm) / fmax(all - warm, 1.0)));
}

float us_schedule_lr(const struct unseen_recipe *recipe, int64_t step, int64_t steps)
{
    const double at = (double)step, all = (double)steps;
    double factor = 0;
    switch (recipe->schedule) {
    case UNSEEN_COSINE:
        factor = cosine(at, all, round((double)recipe->warmup * (all / recipe->epochs)));
        break;
    case UNSEEN_ONECYCLE:
        factor = linear(at, all, 0.3 * all, 0.0, 0.0);
        break;
    case UNSEEN_LINEAR:
        factor = linear(at, all, rise_of((double)recipe->peak, all), (double)recipe->lr_start,
                        (double)recipe->lr_end);
        break;
    }
    return (float)((double)recipe->lr * factor);
}
