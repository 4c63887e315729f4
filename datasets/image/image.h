/* Image files in memory to RGB pixels, whatever their names say: JPEG, PNG and WebP. */
#ifndef US_DATASETS_IMAGE_H
#define US_DATASETS_IMAGE_H

#include <stdint.h>

#include "base/reader.h"

/* A header is a claim by an untrusted file: what is beyond these is refused before memory or time is taken.
 */
enum {
    US_IMAGE_SIDE = 65535,
    /* In all: a few seconds of one core, and more than any camera takes. Files are decoded by rows, so that
     * memory does not follow from it. */
    US_IMAGE_PIXELS = 1 << 30,
    /* Of files whose coding spreads each row over all of the file, interlaced PNG, progressive JPEG, WebP:
     * their decoders keep 4 to 8 bytes a pixel. */
    US_IMAGE_WHOLE = 1 << 27
};

struct us_image_decoder; /* one thread at a time */

/* Ends with us_image_close. */
enum unseen_status us_image_open(struct us_image_decoder **decoder);
void us_image_close(struct us_image_decoder *decoder);

/* The size of an image, from its header. False if it is none that can be decoded; us_image_reason says why,
 * naming the kind of file where it is a known one. Nothing is recorded: the caller knows the file's name. */
bool us_image_size(struct us_image_decoder *decoder, const uint8_t *bytes, size_t size, int *height,
                   int *width);

/* Decode an image of a size that us_image_size told into `pixels` [height, width, 3], or to see whether it
 * can be (NULL): greyscale, palettes and CMYK become RGB, of 16 bits the upper 8 are kept, transparency and
 * EXIF's orientation are ignored, as PIL's convert("RGB") does (which cuts 16-bit greyscale off at 255). The
 * same file is the same pixels everywhere. False if data are missing or unreadable. */
bool us_image_decode(struct us_image_decoder *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels);

/* `crop` of an image (NULL: all of it), resized to pixels [height, width, 3] by PIL's antialiased bilinear
 * filter. Rows and columns that the filter does not take are not decoded, and memory is bounded by those it
 * takes at once. False as us_image_decode, and if the crop is not within the image. */
bool us_image_crop(struct us_image_decoder *decoder, const uint8_t *bytes, size_t size,
                   const struct us_crop *crop, int height, int width, uint8_t *pixels);

/* Why the last call was false; valid until the next. */
const char *us_image_reason(const struct us_image_decoder *decoder);

/* What the last decoding met that is wrong but cost no data, such as extraneous bytes; NULL if there
 * is nothing. Valid until the next call. */
const char *us_image_note(const struct us_image_decoder *decoder);

#endif
