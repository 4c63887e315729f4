/* PNG files in memory to RGB pixels. */
#ifndef US_DATASETS_PNG_H
#define US_DATASETS_PNG_H

#include <stdint.h>

#include "base/status.h"

struct us_png; /* a decoder; one thread at a time */

/* Ends with us_png_close. */
enum unseen_status us_png_open(struct us_png **decoder);
void us_png_close(struct us_png *decoder);

/* True if the bytes begin as a PNG file does. */
bool us_is_png(const uint8_t *bytes, size_t size);

/* As us_image_size, us_image_decode and us_image_reason, for such files. */
bool us_png_size(struct us_png *decoder, const uint8_t *bytes, size_t size, int *height, int *width);
bool us_png_decode(struct us_png *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels);
const char *us_png_reason(const struct us_png *decoder);

#endif
