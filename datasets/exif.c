#include "config.h"

#include <string.h>

#include "datasets/image.h"

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

int us_exif_orientation(const uint8_t *bytes, size_t size)
{
    /* Segments: FF, marker, length with its own two bytes; those before the scan (DA) hold the metadata. */
    for (size_t at = 2; at + 4 <= size && bytes[at] == 0xff && bytes[at + 1] != 0xda;) {
        size_t length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (length < 2 || length > size - at - 2)
            return 1;
        if (bytes[at + 1] == 0xe1 && length >= 8 && memcmp(bytes + at + 4, "Exif\0", 6) == 0)
            return orientation_of(bytes + at + 10, length - 8);
        at += 2 + length;
    }
    return 1;
}
