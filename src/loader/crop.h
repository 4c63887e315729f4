/* Which part of a picture a model sees, as torchvision's transforms choose it. */
#ifndef US_LOADER_CROP_H
#define US_LOADER_CROP_H

#include <stdint.h>

#include "base/reader.h"

/* What models take of pictures of any size. */
struct us_image_input {
    int size;   /* height and width of what they take */
    int resize; /* what the shorter side becomes before the centre is cut out; `size` at least */
    bool
        resized; /* training takes random parts, resized: RandomResizedCrop; else the centre, as evaluation */
};

/* Resize(resize), then CenterCrop(size): the part of a picture of height x width pixels that fills size x
 * size. It may be larger than the picture by rounding errors alone. */
struct us_crop us_crop_centre(const struct us_image_input *input, int height, int width);

/* RandomResizedCrop with scale 0.08..1 and ratio 3/4..4/3: a box of whole pixels, after ten tries the
 * fallback. Try t draws from Philox block (seed, US_STREAM_AUGMENT, epoch, sample + (t + 1) * 2^32), t from 0
 * on: word 0 the area, 1 the ratio, 2 the upper edge, 3 the left one. Block `sample` itself is
 * cl/augment.cl's. */
struct us_crop us_crop_random(uint64_t seed, uint32_t epoch, int64_t sample, int height, int width);

#endif
