#include "config.h"

#include "datasets/png.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/image.h"

struct us_png {
    const uint8_t *bytes;
    size_t size, at;
    int height, width;
    png_bytep *rows; /* [height] */
    char reason[128];
};

enum unseen_status us_png_open(struct us_png **decoder)
{
    *decoder = us_calloc(1, sizeof **decoder);
    return *decoder ? UNSEEN_OK : UNSEEN_FAILED;
}

void us_png_close(struct us_png *decoder)
{
    if (decoder)
        free(decoder->rows);
    free(decoder);
}

const char *us_png_reason(const struct us_png *decoder)
{
    return decoder->reason;
}

bool us_is_png(const uint8_t *bytes, size_t size)
{
    return size >= 8 && png_sig_cmp(bytes, 0, 8) == 0;
}

static void on_error(png_structp png, png_const_charp text)
{
    struct us_png *decoder = png_get_error_ptr(png);
    snprintf(decoder->reason, sizeof decoder->reason, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void on_read(png_structp png, png_bytep to, size_t size)
{
    struct us_png *decoder = png_get_io_ptr(png);
    if (size > decoder->size - decoder->at)
        png_error(png, "ends too early");
    memcpy(to, decoder->bytes + decoder->at, size);
    decoder->at += size;
}

/* Everything to 8-bit RGB. libpng applies no gamma unless it is asked to. */
static void ask_for_rgb(png_structp png)
{
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
}

/* Read the header and, if there is a place for `pixels`, the image. Errors of libpng jump back here: nothing
 * is kept in local variables across that. */
static bool run(struct us_png *decoder, png_structp png, png_infop info, uint8_t *pixels)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_set_read_fn(png, decoder, on_read);
    png_set_user_limits(png, US_IMAGE_SIDE, US_IMAGE_SIDE);
    png_read_info(png, info);
    if (!pixels) {
        decoder->height = (int)png_get_image_height(png, info);
        decoder->width = (int)png_get_image_width(png, info);
        return true;
    }
    ask_for_rgb(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != (size_t)decoder->width * 3)
        png_error(png, "has a kind of colour that cannot be made RGB");
    for (int y = 0; y < decoder->height; y++)
        decoder->rows[y] = pixels + (size_t)y * (size_t)decoder->width * 3;
    png_read_image(png, decoder->rows);
    png_read_end(png, NULL);
    return true;
}

static bool read_png(struct us_png *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels)
{
    bool good = false;
    decoder->bytes = bytes;
    decoder->size = size;
    decoder->at = 0;
    snprintf(decoder->reason, sizeof decoder->reason, "needs more memory than there is");
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info)
        good = run(decoder, png, info, pixels);
    if (png)
        png_destroy_read_struct(&png, &info, NULL);
    return good;
}

bool us_png_size(struct us_png *decoder, const uint8_t *bytes, size_t size, int *height, int *width)
{
    if (!read_png(decoder, bytes, size, NULL))
        return false;
    *height = decoder->height;
    *width = decoder->width;
    return true;
}

bool us_png_decode(struct us_png *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels)
{
    png_bytep *rows = us_realloc(decoder->rows, (size_t)decoder->height, sizeof *rows);
    if (!rows) {
        snprintf(decoder->reason, sizeof decoder->reason, "needs more memory than there is");
        return false;
    }
    decoder->rows = rows;
    return read_png(decoder, bytes, size, pixels);
}
