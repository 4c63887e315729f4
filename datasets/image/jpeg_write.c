#include "config.h"

#include "datasets/image/jpeg_write.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct writing {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    unsigned char *bytes;
    unsigned long size;
};

static void fail(j_common_ptr info)
{
    struct writing *writing = info->client_data;
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    us_fail(UNSEEN_FAILED, "JPEG", "%s", text);
    longjmp(writing->failed, 1);
}

static void hear_nothing(j_common_ptr info, int level)
{
    (void)info;
    (void)level;
}

/* Errors of libjpeg jump back to here: nothing is kept in local variables across that. */
static enum unseen_status compress(struct writing *writing, const uint8_t *pixels, int height, int width,
                                   int quality)
{
    struct jpeg_compress_struct *info = &writing->info;
    if (setjmp(writing->failed))
        return UNSEEN_FAILED;
    jpeg_create_compress(info);
    jpeg_mem_dest(info, &writing->bytes, &writing->size);
    info->image_width = (JDIMENSION)width;
    info->image_height = (JDIMENSION)height;
    info->input_components = 3;
    info->in_color_space = JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, quality, TRUE);
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < info->image_height) {
        JSAMPROW row = (JSAMPROW)(pixels + 3 * (size_t)info->next_scanline * (size_t)width);
        jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
    return UNSEEN_OK;
}

enum unseen_status us_jpeg_write(const uint8_t *pixels, int height, int width, int quality, uint8_t **bytes,
                                 size_t *size)
{
    struct writing *writing = us_calloc(1, sizeof *writing);
    if (!writing)
        return UNSEEN_FAILED;
    writing->info.err = jpeg_std_error(&writing->errors);
    writing->info.client_data = writing;
    writing->errors.error_exit = fail;
    writing->errors.emit_message = hear_nothing;
    enum unseen_status st = compress(writing, pixels, height, width, quality);
    jpeg_destroy_compress(&writing->info);
    if (st == UNSEEN_OK) {
        *bytes = writing->bytes;
        *size = writing->size;
    } else {
        free(writing->bytes);
    }
    free(writing);
    return st;
}
