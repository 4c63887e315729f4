/* One drawn image. All arithmetic is in integers, so that an image has the same bytes on every machine. */
#ifndef US_DATASETS_SYNTH_DRAW_H
#define US_DATASETS_SYNTH_DRAW_H

#include <stdbool.h>
#include <stdint.h>

/* A class is a shape (its last digit), a texture (its first digit) and, loosely, a hue. */
enum { US_SYNTH_SHAPES = 10, US_SYNTH_TEXTURES = 10, US_SYNTH_CLASSES = 100 };

struct us_synth_image {
    uint64_t seed;
    uint64_t item;  /* whose draws lay out the picture: another sample's for a near copy of it */
    uint64_t noise; /* whose draws give noise and the copy's small shift; == item for an original */
    int label;      /* what is drawn */
    int classes;
    bool hard; /* low contrast, clutter, or blended with a second class; which one is drawn too */
};

/* Draw into `pixels` [size, size, 3]. Deterministic in *image and size. */
void us_synth_draw_image(const struct us_synth_image *image, int size, uint8_t *pixels);

#endif
