#include "config.h"

#include "report/picture.h"

#include <png.h>
#include <stdlib.h>

#include "datasets/image/jpeg_write.h"

/* Pictures up to this size are magnified where they are shown: each of their pixels counts. */
enum { EXACT = 64, QUALITY = 85 };

enum unseen_status us_png_encode(const uint8_t *rgb, int width, int height, uint8_t **png, size_t *size)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGB};
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *memory = us_calloc(bytes, 1);
    if (!memory)
        return UNSEEN_FAILED;
    if (!png_image_write_to_memory(&image, memory, &bytes, 0, rgb, 0, NULL)) {
        free(memory);
        return us_fail(UNSEEN_FAILED, "PNG", "%s", image.message);
    }
    *png = memory;
    *size = bytes;
    return UNSEEN_OK;
}

void us_base64_write(FILE *out, const uint8_t *bytes, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t word = (uint32_t)bytes[i] << 16;
        word |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        word |= left > 2 ? bytes[i + 2] : 0;
        fputc(alphabet[word >> 18], out);
        fputc(alphabet[word >> 12 & 63], out);
        fputc(left > 1 ? alphabet[word >> 6 & 63] : '=', out);
        fputc(left > 2 ? alphabet[word & 63] : '=', out);
    }
}

enum unseen_status us_picture_write_uri(FILE *out, const uint8_t *rgb, int width, int height)
{
    const bool exact = width <= EXACT && height <= EXACT;
    uint8_t *bytes = NULL;
    size_t size = 0;
    const enum unseen_status st = exact ? us_png_encode(rgb, width, height, &bytes, &size)
                                        : us_jpeg_write(rgb, height, width, QUALITY, &bytes, &size);
    if (st)
        return st;
    fprintf(out, "data:image/%s;base64,", exact ? "png" : "jpeg");
    us_base64_write(out, bytes, size);
    free(bytes);
    return UNSEEN_OK;
}
