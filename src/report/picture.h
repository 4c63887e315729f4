/* Pictures inside a page. */
#ifndef US_REPORT_PICTURE_H
#define US_REPORT_PICTURE_H

#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* Encode 8-bit RGB pixels [height, width, 3] as a PNG in fresh memory, freed with free(). The same pixels
 * give the same bytes. UNSEEN_FAILED with libpng's reason. */
enum unseen_status us_png_encode(const uint8_t *rgb, int width, int height, uint8_t **png, size_t *size);

/* Base64 (RFC 4648) of `bytes` to a stream. */
void us_base64_write(FILE *out, const uint8_t *bytes, size_t size);

/* Both: "data:image/png;base64,..." of RGB pixels; where a side is beyond 64, which is a photo made smaller,
 * "data:image/jpeg;base64,...", a fifth as long. */
enum unseen_status us_picture_write_uri(FILE *out, const uint8_t *rgb, int width, int height);

#endif
