#include "config.h"

#include "datasets/jpeg.h"

#include <limits.h>
#include <stdlib.h>
#include <turbojpeg.h>

/* A header is a claim by an untrusted file: sides beyond this are refused before memory is taken. */
enum { MAX_SIDE = 16384 };

struct us_jpeg {
    tjhandle handle;
    int height, width;
    bool cmyk;
    uint8_t *inks; /* [height, width, 4] of a CMYK image */
    const char *reason;
};

enum unseen_status us_jpeg_open(struct us_jpeg **decoder)
{
    struct us_jpeg *fresh = us_calloc(1, sizeof *fresh);
    if (!fresh)
        return UNSEEN_FAILED;
    fresh->handle = tjInitDecompress();
    if (!fresh->handle) {
        free(fresh);
        return us_fail(UNSEEN_FAILED, "libjpeg-turbo", "%s", tjGetErrorStr2(NULL));
    }
    *decoder = fresh;
    return UNSEEN_OK;
}

void us_jpeg_close(struct us_jpeg *decoder)
{
    if (!decoder)
        return;
    tjDestroy(decoder->handle);
    free(decoder->inks);
    free(decoder);
}

const char *us_jpeg_reason(const struct us_jpeg *decoder)
{
    return decoder->reason;
}

static bool refuse(struct us_jpeg *decoder, const char *reason)
{
    decoder->reason = reason;
    return false;
}

bool us_jpeg_size(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, int *height, int *width)
{
    int subsampling = 0, colours = 0;
    if (size == 0)
        return refuse(decoder, "is empty");
    if (size < 2 || bytes[0] != 0xff || bytes[1] != 0xd8)
        return refuse(decoder, "is not a JPEG file");
    if (tjDecompressHeader3(decoder->handle, bytes, size, &decoder->width, &decoder->height, &subsampling,
                            &colours) != 0)
        return refuse(decoder, tjGetErrorStr2(decoder->handle));
    if (decoder->width > MAX_SIDE || decoder->height > MAX_SIDE)
        return refuse(decoder, "is wider or higher than 16384 pixels");
    decoder->cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
    *height = decoder->height;
    *width = decoder->width;
    return true;
}

/* CMYK files of practice are Adobe's, which store 255 minus the ink. */
static bool decode_cmyk(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels)
{
    size_t n = (size_t)decoder->width * (size_t)decoder->height;
    uint8_t *grown = us_realloc(decoder->inks, n, 4);
    if (!grown)
        return refuse(decoder, "needs more memory than there is");
    decoder->inks = grown;
    if (tjDecompress2(decoder->handle, bytes, size, grown, decoder->width, 0, decoder->height, TJPF_CMYK,
                      TJFLAG_ACCURATEDCT) != 0)
        return refuse(decoder, tjGetErrorStr2(decoder->handle));
    for (size_t i = 0; i < n; i++) {
        unsigned key = grown[4 * i + 3];
        for (size_t c = 0; c < 3; c++)
            pixels[3 * i + c] = (uint8_t)((grown[4 * i + c] * key + 127) / 255);
    }
    return true;
}

bool us_jpeg_decode(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels)
{
    if (decoder->cmyk)
        return decode_cmyk(decoder, bytes, size, pixels);
    /* A warning (-1 too) means that pixels were made up for data that is missing or wrong. */
    if (tjDecompress2(decoder->handle, bytes, size, pixels, decoder->width, 0, decoder->height, TJPF_RGB,
                      TJFLAG_ACCURATEDCT) != 0)
        return refuse(decoder, tjGetErrorStr2(decoder->handle));
    return true;
}
