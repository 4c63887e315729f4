/* JPEG files in memory to RGB pixels. */
#ifndef US_DATASETS_JPEG_H
#define US_DATASETS_JPEG_H

#include <stdint.h>

#include "base/status.h"

struct us_jpeg; /* a decoder; one thread at a time */

/* Ends with us_jpeg_close. */
enum unseen_status us_jpeg_open(struct us_jpeg **decoder);
void us_jpeg_close(struct us_jpeg *decoder);

/* As us_image_size, us_image_decode, us_image_reason and us_image_note, for bytes that begin as a JPEG file
 * does. The accurate inverse transform is used, so that the same file is the same pixels everywhere. */
bool us_jpeg_size(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, int *height, int *width);
bool us_jpeg_decode(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels);
const char *us_jpeg_reason(const struct us_jpeg *decoder);
const char *us_jpeg_note(const struct us_jpeg *decoder);

#endif
