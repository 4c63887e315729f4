#include "config.h"

#include "datasets/image/image.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/image/codec.h"
#include "datasets/image/resize.h"

static const struct us_codec *const codecs[] = {&us_codec_jpeg, &us_codec_png, &us_codec_ppm, &us_codec_webp};

enum { CODECS = sizeof codecs / sizeof *codecs };

struct us_image_decoder {
    void *decoders[CODECS];
    struct us_resize *resize;
    uint8_t *turning;      /* pixels that are still to be turned */
    struct us_coded image; /* the last file */
};

enum unseen_status us_image_open(struct us_image_decoder **decoder)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_image_decoder *fresh = us_calloc(1, sizeof *fresh);
    US_TRY_ALLOC(fresh);
    for (int i = 0; i < CODECS; i++)
        US_TRY(codecs[i]->open(&fresh->decoders[i]));
    US_TRY(us_resize_open(&fresh->resize));
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
    for (int i = 0; i < CODECS; i++)
        codecs[i]->close(decoder->decoders[i]);
    us_resize_close(decoder->resize);
    free(decoder);
}

/* The first bytes of files that people keep among images. */
static const struct {
    size_t at, size;
    const char *bytes, *refusal;
} kinds[] = {
    {0, 2, "BM", "is a BMP file, which is not read"},
    {0, 4, "GIF8", "is a GIF file, which is not read"},
    {0, 4, "II*\0", "is a TIFF file, which is not read"},
    {0, 4, "MM\0*", "is a TIFF file, which is not read"},
    {4, 4, "ftyp", "is a HEIF, AVIF or video file, which is not read"},
    {0, 8, "\0\0\0\014jP  ", "is a JPEG 2000 file, which is not read"},
    {0, 4, "%PDF", "is a PDF file, which is not read"},
    {0, 2, "P5", "is a PGM file, which is not read"},
    {0, 2, "P3", "is a PPM file of text, which is not read"},
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
    return "is no JPEG, PNG or WebP file";
}

/* Read the header. `codec` is what decodes it, whose `end` is called when all is done; -1 if there is none.
 */
static bool begin(struct us_image_decoder *decoder, const uint8_t *bytes, size_t size, int *codec)
{
    struct us_coded *image = &decoder->image;
    *image = (struct us_coded){.bytes = bytes, .size = size};
    for (*codec = CODECS - 1; *codec >= 0; --*codec) {
        if (codecs[*codec]->knows(bytes, size))
            return codecs[*codec]->begin(decoder->decoders[*codec], image);
    }
    return us_refuse(image, "%s", why_not(bytes, size));
}

static void end(struct us_image_decoder *decoder, int codec)
{
    if (codec >= 0)
        codecs[codec]->end(decoder->decoders[codec]);
}

bool us_image_size(struct us_image_decoder *decoder, const uint8_t *bytes, size_t size, int *height,
                   int *width)
{
    int codec = -1;
    bool good = begin(decoder, bytes, size, &codec);
    if (good) {
        *height = decoder->image.height;
        *width = decoder->image.width;
    }
    end(decoder, codec);
    return good;
}

struct packed {
    uint8_t *pixels; /* where the next row goes; NULL: nowhere */
    int width;
};

static void pack_row(void *taker, const uint8_t *row)
{
    struct packed *packed = taker;
    for (int x = 0; packed->pixels && x < packed->width; x++, row += 4) {
        for (int c = 0; c < 3; c++)
            *packed->pixels++ = row[c];
    }
}

bool us_image_decode(struct us_image_decoder *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels)
{
    int codec = -1;
    bool good = begin(decoder, bytes, size, &codec);
    if (good) {
        struct us_coded *image = &decoder->image;
        struct us_rect all = {0, 0, image->width, image->height};
        struct packed packed = {pixels, image->width};
        good = codecs[codec]->rows(decoder->decoders[codec], image, 1, &all, pack_row, &packed);
    }
    end(decoder, codec);
    return good;
}

/* True if the box lies in the image, but for what float arithmetic adds to its far edges. */
static bool contains(const struct us_coded *image, const struct us_crop *crop)
{
    const float rounding = 0.01f;
    return crop->x >= 0 && crop->y >= 0 && crop->width > 0 && crop->height > 0 &&
           crop->x + crop->width <= (float)image->width + rounding &&
           crop->y + crop->height <= (float)image->height + rounding;
}

/* By how much the codec makes the picture smaller before it is resized. What it gives is still 2.5 times as
 * large as what is asked for: the means of its blocks are not PIL's filter, and at less than that an image
 * may lie more than one level of 255 from an image that was resized alone. */
static int shrink_for(const struct us_codec *codec, const struct us_crop *crop, int height, int width)
{
    int shrink = codec->shrinks ? 8 : 1;
    while (shrink > 1 && (crop->height < 2.5F * (float)height * (float)shrink ||
                          crop->width < 2.5F * (float)width * (float)shrink))
        shrink /= 2;
    return shrink;
}

static bool resize_rows(struct us_image_decoder *decoder, int codec, const struct us_crop *crop, int height,
                        int width, uint8_t *pixels)
{
    struct us_coded *image = &decoder->image;
    int shrink = shrink_for(codecs[codec], crop, height, width);
    float part = 1 / (float)shrink; /* a power of two: exact */
    struct us_crop shrunk = {crop->x * part, crop->y * part, crop->width * part, crop->height * part,
                             crop->clipped};
    struct us_rect needs;
    if (!us_resize_begin(decoder->resize, (image->height - 1) / shrink + 1, (image->width - 1) / shrink + 1,
                         &shrunk, height, width, pixels, &needs))
        return us_refuse(image, "needs more memory than there is");
    return codecs[codec]->rows(decoder->decoders[codec], image, shrink, &needs, us_resize_row,
                               decoder->resize);
}

bool us_image_crop(struct us_image_decoder *decoder, const uint8_t *bytes, size_t size,
                   const struct us_crop *crop, int height, int width, uint8_t *pixels)
{
    int codec = -1;
    bool good = begin(decoder, bytes, size, &codec);
    if (good) {
        struct us_coded *image = &decoder->image;
        struct us_crop all = {.width = (float)image->width, .height = (float)image->height};
        crop = crop ? crop : &all;
        good = contains(image, crop) ? resize_rows(decoder, codec, crop, height, width, pixels)
                                     : us_refuse(image, "has %dx%d pixels, and not all that are asked for",
                                                 image->width, image->height);
    }
    end(decoder, codec);
    return good;
}

const char *us_image_reason(const struct us_image_decoder *decoder)
{
    return decoder->image.reason;
}

const char *us_image_note(const struct us_image_decoder *decoder)
{
    return *decoder->image.note ? decoder->image.note : NULL;
}
