#include "config.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/image/codec.h"

struct png {
    png_structp read;
    png_infop info;
    struct us_coded *image;
    size_t at;
    uint8_t *pixels; /* a row; of an interlaced file all of them, which lie at `rows` */
    png_bytep *rows;
};

static enum unseen_status open_png(void **decoder)
{
    *decoder = us_calloc(1, sizeof(struct png));
    return *decoder ? UNSEEN_OK : UNSEEN_FAILED;
}

static void end_png(void *decoder)
{
    struct png *png = decoder;
    if (png->read)
        png_destroy_read_struct(&png->read, &png->info, NULL);
    free(png->rows);
    free(png->pixels);
    png->rows = NULL;
    png->pixels = NULL;
}

static void close_png(void *decoder)
{
    if (decoder)
        end_png(decoder);
    free(decoder);
}

static bool knows_png(const uint8_t *bytes, size_t size)
{
    return size >= 8 && png_sig_cmp(bytes, 0, 8) == 0;
}

static void on_error(png_structp read, png_const_charp text)
{
    struct png *png = png_get_error_ptr(read);
    us_refuse(png->image, "%s", text);
    png_longjmp(read, 1);
}

static void on_warning(png_structp read, png_const_charp text)
{
    (void)read;
    (void)text;
}

static void on_read(png_structp read, png_bytep to, size_t size)
{
    struct png *png = png_get_io_ptr(read);
    if (size > png->image->size - png->at)
        png_error(read, "ends too early");
    memcpy(to, png->image->bytes + png->at, size);
    png->at += size;
}

/* Everything to 8 bits of red, green, blue and something. Of 16 bits the upper eight count, as in PIL. libpng
 * applies no gamma unless it is asked to. */
static void ask_for_rgb(png_structp read)
{
    png_set_expand(read);
    png_set_strip_16(read);
    png_set_strip_alpha(read);
    png_set_gray_to_rgb(read);
    png_set_filler(read, 0, PNG_FILLER_AFTER);
}

/* Errors of libpng jump back to the functions below: they keep nothing in local variables across that. */
static bool begin_png(void *decoder, struct us_coded *image)
{
    struct png *png = decoder;
    png->image = image;
    png->at = 0;
    png->read = png_create_read_struct(PNG_LIBPNG_VER_STRING, png, on_error, on_warning);
    png->info = png->read ? png_create_info_struct(png->read) : NULL;
    if (!png->info)
        return us_refuse(image, "needs more memory than there is");
    if (setjmp(png_jmpbuf(png->read)))
        return false;
    png_set_read_fn(png->read, png, on_read);
    png_set_user_limits(png->read, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(png->read, png->info);
    png_uint_32 height = png_get_image_height(png->read, png->info);
    png_uint_32 width = png_get_image_width(png->read, png->info);
    bool whole = png_get_interlace_type(png->read, png->info) != PNG_INTERLACE_NONE;
    if (!us_size_allowed(image, height, width, whole))
        return false;
    image->height = (int)height;
    image->width = (int)width;
    return true;
}

static bool take_memory(struct png *png, size_t rows)
{
    size_t stride = (size_t)png->image->width * 4;
    free(png->pixels);
    free(png->rows);
    png->rows = us_calloc(rows, sizeof *png->rows);
    png->pixels = us_calloc(rows * stride + US_ROW_SLACK, 1);
    if (!png->rows || !png->pixels)
        return us_refuse(png->image, "needs more memory than there is");
    for (size_t y = 0; y < rows; y++)
        png->rows[y] = png->pixels + y * stride;
    return true;
}

/* True if the file's last chunk is in it: reading stops at the last row that is wanted, and data that are
 * missing behind it are a fault of the file all the same. */
static bool has_end(struct us_coded *image)
{
    for (size_t at = 8; image->size - at >= 12;) {
        const uint8_t *chunk = image->bytes + at;
        size_t length =
            (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | (size_t)chunk[3];
        if (memcmp(chunk + 4, "IEND", 4) == 0)
            return true;
        if (length > image->size - at - 12)
            break;
        at += 12 + length;
    }
    return us_refuse(image, "ends too early");
}

static bool rows_png(void *decoder, struct us_coded *image, int shrink, const struct us_rect *rect,
                     us_take_row *take, void *taker)
{
    struct png *png = decoder;
    (void)shrink;
    if (setjmp(png_jmpbuf(png->read)))
        return false;
    ask_for_rgb(png->read);
    int passes = png_set_interlace_handling(png->read);
    png_read_update_info(png->read, png->info);
    if (png_get_rowbytes(png->read, png->info) != (size_t)image->width * 4)
        png_error(png->read, "has a kind of colour that cannot be made RGB");
    if (!has_end(image) || !take_memory(png, passes > 1 ? (size_t)image->height : 1))
        return false;
    if (passes > 1)
        png_read_image(png->read, png->rows);
    for (int y = 0; y < rect->y + rect->height; y++) {
        uint8_t *row = png->rows[passes > 1 ? y : 0];
        if (passes == 1)
            png_read_row(png->read, row, NULL);
        if (y >= rect->y)
            take(taker, row + 4 * (size_t)rect->x);
    }
    if (passes > 1 || rect->y + rect->height == image->height)
        png_read_end(png->read, NULL);
    return true;
}

const struct us_codec us_codec_png = {
    .knows = knows_png,
    .open = open_png,
    .close = close_png,
    .begin = begin_png,
    .rows = rows_png,
    .end = end_png,
};
