/* JPEG files in memory to RGB pixels. */
#ifndef US_DATASETS_JPEG_H
#define US_DATASETS_JPEG_H

#include <stdint.h>

#include "base/status.h"

struct us_jpeg; /* a decoder; one thread at a time */

/* Ends with us_jpeg_close. */
enum unseen_status us_jpeg_open(struct us_jpeg **decoder);
void us_jpeg_close(struct us_jpeg *decoder);

/* The size of an image, from its header. False if it is none that can be decoded; us_jpeg_reason says why. */
bool us_jpeg_size(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, int *height, int *width);

/* Decode the image that us_jpeg_size looked at last into `pixels` [height, width, 3], greyscale and CMYK as
 * RGB too, with the accurate inverse transform, so that the same file is the same pixels everywhere.
 * False if the file is damaged, truncated included. Nothing is recorded: the caller knows the file's name. */
bool us_jpeg_decode(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels);

/* Why the last call was false; valid until the next. */
const char *us_jpeg_reason(const struct us_jpeg *decoder);

#endif
