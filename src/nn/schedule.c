#include "config.h"

#include <math.h>

#include "nn/train.h"

float us_schedule_lr(const struct unseen_recipe *recipe, int64_t step, int64_t steps, int64_t steps_per_epoch)
{
    double at = (double)step, all = (double)steps, factor;
    if (recipe->schedule == UNSEEN_ONECYCLE) {
        double peak = 0.3 * all;
        factor = at < peak ? at / peak : (all - at) / (all - peak);
    } else {
        double warm = round((double)recipe->warmup * (double)steps_per_epoch);
        if (at < warm)
            factor = (at + 1.0) / warm;
        else
            factor = 0.5 * (1.0 + cos(acos(-1.0) * (at - warm) / fmax(all - warm, 1.0)));
    }
    return (float)((double)recipe->lr * factor);
}
