/* EXIF's orientation: how a picture is to be turned that is stored as the camera was held. */
#ifndef US_DATASETS_EXIF_H
#define US_DATASETS_EXIF_H

#include "base/reader.h"

/* The orientation of a JPEG, PNG or WebP file, 1..8; 1 (upright) if it has none. */
int us_exif_orientation(const uint8_t *bytes, size_t size);

/* True if turning makes the height of the stored picture the width of the turned one. */
bool us_exif_swaps(int orientation);

/* Where `crop` of the turned picture lies in the stored one, of height x width pixels. That part, resized and
 * then turned, is within one level of what PIL's exif_transpose, crop and resize give: of a picture on its
 * side, columns are resized before rows. */
struct us_crop us_exif_crop(int orientation, int height, int width, const struct us_crop *crop);

/* Turn stored pixels to `turned` [height, width, 3], which must be another place. */
void us_exif_turn(int orientation, const uint8_t *stored, int height, int width, uint8_t *turned);

#endif
