#include "config.h"

#include "datasets/image.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/jpeg.h"
#include "datasets/png.h"

struct us_image_decoder {
    struct us_jpeg *jpeg;
    struct us_png *png;
    bool is_png; /* of the last file */
    const char *reason;
};

enum unseen_status us_image_open(struct us_image_decoder **decoder)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_image_decoder *fresh = us_calloc(1, sizeof *fresh);
    US_TRY_ALLOC(fresh);
    US_TRY(us_jpeg_open(&fresh->jpeg));
    US_TRY(us_png_open(&fresh->png));
    *decoder = fresh;
    fresh = NULL;
out:
    us_image_close(fresh);
    return st;
}

void us_image_close(struct us_image_decoder *decoder)
{
    if (!decoder)
        return;
    us_jpeg_close(decoder->jpeg);
    us_png_close(decoder->png);
    free(decoder);
}

/* The first bytes of files that people keep among images. */
static const struct {
    size_t at, size;
    const char *bytes, *refusal;
} kinds[] = {
    {0, 2, "BM", "is a BMP file, which is not read"},
    {0, 4, "GIF8", "is a GIF file, which is not read"},
    {8, 4, "WEBP", "is a WebP file, which is not read"},
    {0, 4, "II*\0", "is a TIFF file, which is not read"},
    {0, 4, "MM\0*", "is a TIFF file, which is not read"},
    {4, 4, "ftyp", "is a HEIF, AVIF or video file, which is not read"},
    {0, 8, "\0\0\0\014jP  ", "is a JPEG 2000 file, which is not read"},
    {0, 4, "%PDF", "is a PDF file, which is not read"},
    {0, 2, "P5", "is a PGM file, which is not read"},
    {0, 2, "P6", "is a PPM file, which is not read"},
    {0, 4, "\0\5\026\7", "is AppleDouble metadata of another file"},
};

static const char *why_not(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return "is empty";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (size >= kinds[i].at + kinds[i].size &&
            memcmp(bytes + kinds[i].at, kinds[i].bytes, kinds[i].size) == 0)
            return kinds[i].refusal;
    }
    return "is neither a JPEG nor a PNG file";
}

bool us_image_size(struct us_image_decoder *decoder, const uint8_t *bytes, size_t size, int *height,
                   int *width)
{
    decoder->reason = NULL;
    decoder->is_png = us_is_png(bytes, size);
    if (decoder->is_png)
        return us_png_size(decoder->png, bytes, size, height, width);
    if (size >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8)
        return us_jpeg_size(decoder->jpeg, bytes, size, height, width);
    decoder->reason = why_not(bytes, size);
    return false;
}

bool us_image_decode(struct us_image_decoder *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels)
{
    return decoder->is_png ? us_png_decode(decoder->png, bytes, size, pixels)
                           : us_jpeg_decode(decoder->jpeg, bytes, size, pixels);
}

const char *us_image_reason(const struct us_image_decoder *decoder)
{
    if (decoder->reason)
        return decoder->reason;
    return decoder->is_png ? us_png_reason(decoder->png) : us_jpeg_reason(decoder->jpeg);
}

const char *us_image_note(const struct us_image_decoder *decoder)
{
    return decoder->is_png ? NULL : us_jpeg_note(decoder->jpeg);
}
