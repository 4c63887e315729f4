#include "config.h"

#include "datasets/jpeg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "datasets/image.h"

enum { NOTE_SIZE = 200 };

struct us_jpeg {
    tjhandle handle;
    bool stuck; /* a failure leaves `handle` amid that file: it takes no other */
    int height, width;
    bool cmyk;
    uint8_t *inks; /* [height, width, 4] of a CMYK image */
    const char *reason;
    char note[NOTE_SIZE]; /* "" if there is none */
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
    if (decoder->handle)
        tjDestroy(decoder->handle);
    free(decoder->inks);
    free(decoder);
}

const char *us_jpeg_reason(const struct us_jpeg *decoder)
{
    return decoder->reason;
}

const char *us_jpeg_note(const struct us_jpeg *decoder)
{
    return *decoder->note ? decoder->note : NULL;
}

static bool refuse(struct us_jpeg *decoder, const char *reason)
{
    decoder->reason = reason;
    decoder->stuck = true;
    return false;
}

static bool renew(struct us_jpeg *decoder)
{
    if (!decoder->stuck)
        return true;
    tjDestroy(decoder->handle);
    decoder->handle = tjInitDecompress();
    decoder->stuck = !decoder->handle;
    decoder->reason = "needs more memory than there is";
    return !decoder->stuck;
}

/* True if the last call failed, or warned that data are missing. */
static bool lost_data(struct us_jpeg *decoder)
{
    static const char *const losses[] = {"remature end", "instead of RST"};
    if (tjGetErrorCode(decoder->handle) != TJERR_WARNING)
        return true;
    const char *text = tjGetErrorStr2(decoder->handle);
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        if (strstr(text, losses[i]))
            return true;
    }
    return false;
}

bool us_jpeg_size(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, int *height, int *width)
{
    int subsampling = 0, colours = 0;
    *decoder->note = '\0';
    decoder->width = decoder->height = 0;
    if (!renew(decoder))
        return false;
    bool read = tjDecompressHeader3(decoder->handle, bytes, size, &decoder->width, &decoder->height,
                                    &subsampling, &colours) == 0;
    if (!read && lost_data(decoder))
        return refuse(decoder, tjGetErrorStr2(decoder->handle));
    if (decoder->width < 1 || decoder->height < 1)
        return refuse(decoder, "has no pixels");
    if (decoder->width > US_IMAGE_SIDE || decoder->height > US_IMAGE_SIDE)
        return refuse(decoder, "is wider or higher than 16384 pixels");
    decoder->cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
    *height = decoder->height;
    *width = decoder->width;
    return true;
}

/* Decode to `to`, in `format`. libjpeg tells of its last warning alone, so a file with any is decoded up to
 * the first one too: data may be missing at either. */
static bool decode_as(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, uint8_t *to, int format)
{
    int height = decoder->height, width = decoder->width;
    if (tjDecompress2(decoder->handle, bytes, size, to, width, 0, height, format, TJFLAG_ACCURATEDCT) == 0)
        return true;
    if (lost_data(decoder))
        return refuse(decoder, tjGetErrorStr2(decoder->handle));
    snprintf(decoder->note, sizeof decoder->note, "%s", tjGetErrorStr2(decoder->handle));
    uint8_t *scratch = us_calloc((size_t)height * (size_t)width, (size_t)tjPixelSize[format]);
    if (!scratch)
        return refuse(decoder, "needs more memory than there is");
    int rc = tjDecompress2(decoder->handle, bytes, size, scratch, width, 0, height, format,
                           TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING);
    free(scratch);
    return rc == 0 || !lost_data(decoder) || refuse(decoder, tjGetErrorStr2(decoder->handle));
}

/* CMYK files of practice are Adobe's, which store 255 minus the ink. */
static bool decode_cmyk(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels)
{
    size_t n = (size_t)decoder->width * (size_t)decoder->height;
    uint8_t *grown = us_realloc(decoder->inks, n, 4);
    if (!grown)
        return refuse(decoder, "needs more memory than there is");
    decoder->inks = grown;
    if (!decode_as(decoder, bytes, size, grown, TJPF_CMYK))
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned key = grown[4 * i + 3];
        for (size_t c = 0; c < 3; c++)
            pixels[3 * i + c] = (uint8_t)((grown[4 * i + c] * key + 127) / 255);
    }
    return true;
}

bool us_jpeg_decode(struct us_jpeg *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels)
{
    *decoder->note = '\0';
    return decoder->cmyk ? decode_cmyk(decoder, bytes, size, pixels)
                         : decode_as(decoder, bytes, size, pixels, TJPF_RGB);
}
