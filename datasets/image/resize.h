/* PIL's antialiased bilinear resizing, in PIL's integer arithmetic, of rows as they come: the pixels of
 * Image.resize((width, height), BILINEAR, box) for the same box. Memory is bounded by the box's rows that one
 * output row is made of, at the output's width. */
#ifndef US_DATASETS_RESIZE_H
#define US_DATASETS_RESIZE_H

#include "base/reader.h"
#include "datasets/image/codec.h"

struct us_resize; /* for one thread at a time, and any number of pictures; freed with us_resize_close */

enum unseen_status us_resize_open(struct us_resize **resize);
void us_resize_close(struct us_resize *resize);

/* Begin to make `pixels` [height, width, 3] of `crop`, which lies in a picture of picture_height x
 * picture_width pixels. `needs` is the part of the picture that us_resize_row then takes, row by row from the
 * top. False if memory lacks, which is recorded. */
bool us_resize_begin(struct us_resize *resize, int picture_height, int picture_width,
                     const struct us_crop *crop, int height, int width, uint8_t *pixels,
                     struct us_rect *needs);

/* A us_take_row; the last row of `needs` completes the pixels. */
void us_resize_row(void *resize, const uint8_t *row);

#endif
