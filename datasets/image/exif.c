#include "config.h"

#include "datasets/image/exif.h"

#include <string.h>

enum { ORIENTATION = 0x0112 };

struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool big; /* the most significant byte first */
};

/* `n` bytes at `at` as a number; 0 behind the end. */
static uint32_t number(const struct tiff *tiff, size_t at, size_t n)
{
    uint32_t value = 0;
    if (at > tiff->size || n > tiff->size - at)
        return 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint32_t)tiff->bytes[at + i] << 8 * (tiff->big ? n - 1 - i : i);
    return value;
}

/* The orientation in the first directory of a TIFF structure (TIFF 6.0, section 2). */
static int orientation_of(const uint8_t *bytes, size_t size)
{
    struct tiff tiff = {bytes, size, size > 0 && bytes[0] == 'M'};
    size_t at = number(&tiff, 4, 4);
    uint32_t entries = number(&tiff, at, 2);
    for (uint32_t i = 0; i < entries && at + 14 <= size; i++, at += 12) {
        if (number(&tiff, at + 2, 2) == ORIENTATION) {
            uint32_t value = number(&tiff, at + 10, 2);
            return value >= 1 && value <= 8 ? (int)value : 1;
        }
    }
    return 1;
}

static uint32_t big_endian(const uint8_t *bytes, size_t n)
{
    return number(&(struct tiff){bytes, n, true}, 0, n);
}

/* Segments: FF, marker, length with its own two bytes; those before the scan (DA) hold the metadata. */
static int orientation_of_jpeg(const uint8_t *bytes, size_t size)
{
    for (size_t at = 2; at + 4 <= size && bytes[at] == 0xff && bytes[at + 1] != 0xda;) {
        size_t length = big_endian(bytes + at + 2, 2);
        if (length < 2 || length > size - at - 2)
            return 1;
        if (bytes[at + 1] == 0xe1 && length >= 8 && memcmp(bytes + at + 4, "Exif\0", 6) == 0)
            return orientation_of(bytes + at + 10, length - 8);
        at += 2 + length;
    }
    return 1;
}

/* What PNG's eXIf and WebP's EXIF hold; some writers begin it as in a JPEG file. */
static int orientation_of_chunk(const uint8_t *bytes, size_t size)
{
    size_t skip = size >= 6 && memcmp(bytes, "Exif\0", 6) == 0 ? 6 : 0;
    return orientation_of(bytes + skip, size - skip);
}

/* Chunks: length, name, data, checksum. */
static int orientation_of_png(const uint8_t *bytes, size_t size)
{
    for (size_t at = 8; size - at >= 12;) {
        size_t length = big_endian(bytes + at, 4);
        if (length > size - at - 12)
            return 1;
        if (memcmp(bytes + at + 4, "eXIf", 4) == 0)
            return orientation_of_chunk(bytes + at + 8, length);
        at += 12 + length;
    }
    return 1;
}

/* Chunks: name, length, data, of which there is an even number of bytes. */
static int orientation_of_webp(const uint8_t *bytes, size_t size)
{
    for (size_t at = 12; at < size && size - at >= 8;) {
        size_t length = number(&(struct tiff){bytes, size, false}, at + 4, 4);
        if (length > size - at - 8)
            return 1;
        if (memcmp(bytes + at, "EXIF", 4) == 0)
            return orientation_of_chunk(bytes + at + 8, length);
        at += 8 + length + length % 2;
    }
    return 1;
}

int us_exif_orientation(const uint8_t *bytes, size_t size)
{
    if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        return orientation_of_png(bytes, size);
    if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return orientation_of_webp(bytes, size);
    return orientation_of_jpeg(bytes, size);
}

bool us_exif_swaps(int orientation)
{
    return orientation >= 5;
}

/* Whether columns, and rows, of the stored picture run against those that they become (TIFF 6.0, section 8).
 */
static bool columns_run_back(int orientation)
{
    return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
}

static bool rows_run_back(int orientation)
{
    return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

/* Where a part lies that is counted from the other end. What float arithmetic takes off at that end is not
 * outside of the picture. */
static float from_other_end(int side, float at, float length)
{
    float from = (float)side - (at + length);
    return from < 0 && from > -0.01F ? 0 : from;
}

struct us_crop us_exif_crop(int orientation, int height, int width, const struct us_crop *crop)
{
    struct us_crop stored = *crop;
    if (us_exif_swaps(orientation))
        stored = (struct us_crop){crop->y, crop->x, crop->height, crop->width, crop->clipped};
    if (columns_run_back(orientation))
        stored.x = from_other_end(width, stored.x, stored.width);
    if (rows_run_back(orientation))
        stored.y = from_other_end(height, stored.y, stored.height);
    return stored;
}

void us_exif_turn(int orientation, const uint8_t *stored, int height, int width, uint8_t *turned)
{
    bool swaps = us_exif_swaps(orientation);
    int columns = swaps ? height : width, rows = swaps ? width : height;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++, turned += 3) {
            int column = swaps ? y : x, row = swaps ? x : y;
            column = columns_run_back(orientation) ? columns - 1 - column : column;
            row = rows_run_back(orientation) ? rows - 1 - row : row;
            memcpy(turned, stored + 3 * ((size_t)row * (size_t)columns + (size_t)column), 3);
        }
    }
}
