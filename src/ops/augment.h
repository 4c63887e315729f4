/* From uint8 images to normalised floats, with pad-crop and flip drawn by Philox per (seed, epoch, sample).
 */
#ifndef US_OPS_AUGMENT_H
#define US_OPS_AUGMENT_H

#include "device/device.h"

/* pixels uint8 [*,h,w,c]; row i of the batch is image rows[i] of `pixels`, and its draws belong to sample
 * ids[i] (both int32 [n]; they differ where only part of a dataset is on the device). Philox block
 * (US_STREAM_AUGMENT, epoch, sample): word 0 mod (2 pad + 1) is the crop's vertical offset, word 1 the
 * horizontal one, the lowest bit of word 2 the flip. With `alternate` it is that bit of the sample's block of
 * epoch 0, the other way round in odd epochs, so that any two epochs in a row show both ways (Jordan,
 * airbench, 2024). Padding is zero in the original pixels (black before normalisation, as torchvision's
 * RandomCrop), or with `reflect`, for pad < h, w, what a mirror along the middle of the edge's pixels shows
 * there (torch's "reflect"). pad 0 and flip false: evaluation; the offsets are then `down` and `right`, the
 * flip `mirrored`.   y = (x / 255 - mean_c) / std_c, float32 [n,h,w,c] */
struct us_augment {
    int n, h, w, c;
    struct us_buf *pixels, *rows, *ids;
    int pad;
    bool flip, alternate, reflect;
    int down, right; /* with `reflect` less than h, w */
    bool mirrored;
    uint64_t seed;
    uint32_t epoch;
    float mean[3], std[3];
};
enum unseen_status us_augment_run(struct unseen_device *device, const struct us_augment *augment,
                                  struct us_buf *y);

/* Build the program ahead of the first run. */
enum unseen_status us_augment_prepare(struct unseen_device *device, int channels);

#endif
