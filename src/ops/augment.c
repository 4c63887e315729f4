#include "config.h"

#include "ops/augment.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "ops/launch.h"

static enum unseen_status check(const struct us_augment *a)
{
    if (a->c != 1 && a->c != 3)
        return us_fail(UNSEEN_USAGE, "augment", "images have 1 or 3 channels, not %d", a->c);
    if (a->pad < 0)
        return us_fail(UNSEEN_USAGE, "augment", "the padding is %d", a->pad);
    const int beside = a->pad > abs(a->down) ? a->pad : abs(a->down);
    const int across = a->pad > abs(a->right) ? a->pad : abs(a->right);
    if (a->reflect && (beside >= a->h || across >= a->w))
        return us_fail(UNSEEN_USAGE, "augment", "%d pixels beside images of %dx%d cannot be mirrored",
                       beside > across ? beside : across, a->h, a->w);
    for (int c = 0; c < a->c; c++) {
        if (!(a->std[c] > 0))
            return us_fail(UNSEEN_USAGE, "augment", "the standard deviation of channel %d is %g", c,
                           (double)a->std[c]);
    }
    return UNSEEN_OK;
}

static enum unseen_status get(struct unseen_device *device, int channels, struct us_kernel **kernel)
{
    char options[64];
    snprintf(options, sizeof options, "-DCHANNELS=%d -DSTREAM=%d", channels, US_STREAM_AUGMENT);
    return us_kernel_get(device, "augment.cl", options, "augment_run", kernel);
}

enum unseen_status us_augment_prepare(struct unseen_device *device, int channels)
{
    struct us_kernel *kernel;
    return get(device, channels, &kernel);
}

enum unseen_status us_augment_run(struct unseen_device *device, const struct us_augment *augment,
                                  struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    const int flip = augment->flip ? 1 + augment->alternate : 0;
    double scale[3] = {0}, shift[3] = {0};
    US_TRY(check(augment));
    for (int c = 0; c < augment->c; c++) {
        scale[c] = 1 / (255 * (double)augment->std[c]);
        shift[c] = -(double)augment->mean[c] / (double)augment->std[c];
    }
    US_TRY(get(device, augment->c, &kernel));
    const size_t lines = (size_t)augment->n * (size_t)augment->h;
    US_TRY(
        us_run(device, kernel,
               us_range_medium_items(device, us_device_is_cpu(device) ? lines : lines * (size_t)augment->w),
               "iiibbbiiiiiiuuuffffffb", augment->n, augment->h, augment->w, augment->pixels, augment->rows,
               augment->ids, augment->pad, (int)augment->reflect, augment->down, augment->right,
               (int)augment->mirrored, flip, (unsigned)augment->seed, (unsigned)(augment->seed >> 32),
               (unsigned)augment->epoch, scale[0], scale[1], scale[2], shift[0], shift[1], shift[2], y));
out:
    return st;
}
