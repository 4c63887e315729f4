#include "config.h"

#include "support/picture.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>

#include <jpeglib.h>

#include "support/cmocka.h"

uint8_t test_noise(uint32_t i)
{
    i = (i ^ 61) ^ (i >> 16);
    i *= 9;
    i ^= i >> 4;
    i *= 0x27d4eb2d;
    return (uint8_t)((i ^ (i >> 15)) >> 3);
}

static void set_coding(struct jpeg_compress_struct *jpeg, const struct test_coding *coding)
{
    jpeg->input_components = coding->colours ? coding->colours : 3;
    jpeg->in_color_space = jpeg->input_components == 1   ? JCS_GRAYSCALE
                           : jpeg->input_components == 3 ? JCS_RGB
                                                         : JCS_CMYK;
    jpeg_set_defaults(jpeg);
    if (coding->ycck)
        jpeg_set_colorspace(jpeg, JCS_YCCK);
    jpeg->write_Adobe_marker = jpeg->write_Adobe_marker && !coding->unmarked;
    jpeg_set_quality(jpeg, 85, TRUE);
    for (int c = 0; c < jpeg->num_components; c++) {
        bool fine = c == 0 || c == 3;
        jpeg->comp_info[c].h_samp_factor = fine && coding->across ? coding->across : 1;
        jpeg->comp_info[c].v_samp_factor = fine && coding->down ? coding->down : 1;
    }
    jpeg->restart_in_rows = coding->restart;
    jpeg->arith_code = coding->arithmetic;
    if (coding->progressive)
        jpeg_simple_progression(jpeg);
}

uint8_t *test_jpeg_file(int height, int width, const struct test_coding *coding, size_t *size)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long length = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &length);
    jpeg.image_height = (JDIMENSION)height;
    jpeg.image_width = (JDIMENSION)width;
    set_coding(&jpeg, coding);
    int n = width * jpeg.input_components;
    uint8_t *row = malloc((size_t)n);
    assert_non_null(row);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; y++) {
        for (int i = 0; i < n; i++)
            row[i] = (uint8_t)((test_noise((uint32_t)(y / 3 * n + i)) + 2 * y + i) / 2);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    *size = length;
    return bytes;
}

struct memory {
    uint8_t *bytes;
    size_t size;
};

static void on_write(png_structp png, png_bytep from, size_t size)
{
    struct memory *memory = png_get_io_ptr(png);
    memory->bytes = realloc(memory->bytes, memory->size + size);
    assert_non_null(memory->bytes);
    memcpy(memory->bytes + memory->size, from, size);
    memory->size += size;
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void set_colours(png_structp png, png_infop info, const struct test_png_kind *kind)
{
    png_color palette[16];
    png_byte alphas[4] = {0, 40, 80, 120};
    png_color_16 clear = {.index = 1, .red = 1, .green = 2, .blue = 3, .gray = 1};
    for (int i = 0; i < 16; i++)
        palette[i] = (png_color){test_noise(3 * (unsigned)i), (png_byte)(16 * i), (png_byte)(255 - 9 * i)};
    if (kind->colour == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, kind->depth < 4 ? 1 << kind->depth : 16);
    if (kind->clear)
        png_set_tRNS(png, info, alphas, kind->depth == 1 ? 2 : 4, &clear);
}

uint8_t *test_png_file(int height, int width, const struct test_png_kind *kind, size_t *size)
{
    struct memory memory = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    assert_non_null(info);
    png_set_write_fn(png, &memory, on_write, on_flush);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, kind->depth, kind->colour,
                 kind->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    set_colours(png, info, kind);
    png_write_info(png, info);
    size_t stride = png_get_rowbytes(png, info);
    uint8_t *pixels = malloc(stride * (size_t)height);
    png_bytep *rows = calloc((size_t)height, sizeof *rows);
    assert_non_null(pixels);
    assert_non_null(rows);
    for (int y = 0; y < height; y++) {
        rows[y] = pixels + stride * (size_t)y;
        for (size_t i = 0; i < stride; i++)
            rows[y][i] = test_noise((uint32_t)((size_t)y * stride + i));
        /* Eight bits of palette are more than it has colours. */
        for (size_t i = 0; kind->colour == PNG_COLOR_TYPE_PALETTE && kind->depth == 8 && i < stride; i++)
            rows[y][i] &= 15;
    }
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(rows);
    free(pixels);
    *size = memory.size;
    return memory.bytes;
}

uint8_t *test_webp_file(int height, int width, bool lossless, size_t *size)
{
    size_t n = (size_t)height * (size_t)width * 4;
    uint8_t *pixels = malloc(n), *made = NULL;
    assert_non_null(pixels);
    for (size_t i = 0; i < n; i++)
        pixels[i] = (uint8_t)(test_noise((uint32_t)(i / 8)) + i / 7);
    *size = lossless ? WebPEncodeLosslessRGBA(pixels, width, height, width * 4, &made)
                     : WebPEncodeRGBA(pixels, width, height, width * 4, 80, &made);
    assert_true(*size > 0);
    free(pixels);
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    memcpy(bytes, made, *size);
    WebPFree(made);
    return bytes;
}
