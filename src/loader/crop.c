#include "config.h"

#include "loader/crop.h"

#include <math.h>

#include "base/rng.h"

enum { TRIES = 10 };

static const double scale_low = 0.08, scale_high = 1, ratio_low = 3.0 / 4, ratio_high = 4.0 / 3;

/* One axis of `from` pixels that are resized to `to`, of which `size` in the middle are wanted. Python's
 * round() goes to even, as rint does. */
static void centre(int from, int to, int size, float *at, float *extent)
{
    const double scale = (double)from / to;
    *at = (float)(rint((to - size) / 2.0) * scale);
    *extent = (float)(size * scale);
}

struct us_crop us_crop_centre(const struct us_image_input *input, int height, int width)
{
    struct us_crop crop = {.clipped = false};
    const int64_t shorter = height < width ? height : width;
    centre(width, (int)(width * (int64_t)input->resize / shorter), input->size, &crop.x, &crop.width);
    centre(height, (int)(height * (int64_t)input->resize / shorter), input->size, &crop.y, &crop.height);
    return crop;
}

static double uniform(uint32_t word, double low, double high)
{
    return low + (high - low) * (word * 0x1p-32);
}

/* Uniform in 0..n-1. */
static int below(uint32_t word, int n)
{
    return (int)((uint64_t)word * (uint64_t)n >> 32);
}

static struct us_crop box(int x, int y, int width, int height)
{
    return (struct us_crop){(float)x, (float)y, (float)width, (float)height, true};
}

/* The middle of the picture, at the nearest ratio that is allowed. */
static struct us_crop fallback(int height, int width)
{
    const double ratio = (double)width / height;
    int w = width, h = height;
    if (ratio < ratio_low)
        h = (int)rint(w / ratio_low);
    else if (ratio > ratio_high)
        w = (int)rint(h * ratio_high);
    return box((width - w) / 2, (height - h) / 2, w, h);
}

struct us_crop us_crop_random(uint64_t seed, uint32_t epoch, int64_t sample, int height, int width)
{
    const double area = (double)height * width;
    for (uint64_t t = 1; t <= TRIES; t++) {
        uint32_t word[4];
        us_philox(seed, US_STREAM_AUGMENT, epoch, (uint64_t)sample | t << 32, word);
        const double target = area * uniform(word[0], scale_low, scale_high);
        const double ratio = exp(uniform(word[1], log(ratio_low), log(ratio_high)));
        const double w = rint(sqrt(target * ratio)), h = rint(sqrt(target / ratio));
        if (w > 0 && w <= width && h > 0 && h <= height)
            return box(below(word[3], width - (int)w + 1), below(word[2], height - (int)h + 1), (int)w,
                       (int)h);
    }
    return fallback(height, width);
}
