#include "config.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "datasets/image/codec.h"

enum {
    /* Columns around those that are asked for: at the edges of what it decodes libjpeg interpolates colours
     * from one side alone, so these are not the pixels of the whole picture. */
    MARGIN = 8,
    /* A progressive file of a few kilobytes can hold thousands of scans of a huge picture. */
    SCANS = 500,
    /* Where a row begins in its memory. libjpeg-turbo writes aligned rows past the caches, as fits what
     * nobody reads soon; the filter reads each at once, and would wait for memory. */
    UNALIGNED = 4
};

struct jpeg {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    struct us_coded *image;
    uint8_t *block; /* of one row, grown as needed */
    uint8_t *row;   /* in it */
};

static struct jpeg *jpeg_of(j_common_ptr info)
{
    return info->client_data;
}

static void explain(const struct jpeg_error_mgr *errors, j_common_ptr info, struct us_coded *image)
{
    char text[JMSG_LENGTH_MAX];
    int parameter = errors->msg_parm.i[0];
    switch (errors->msg_code) {
    case JERR_BAD_PRECISION:
        us_refuse(image, "is a JPEG file of %d bits a channel, which is not read", parameter);
        break;
    case JERR_SOF_UNSUPPORTED:
        us_refuse(image, "is a %s JPEG file, which is not read",
                  (parameter & 3) == 3 ? "lossless" : "hierarchical");
        break;
    case JERR_OUT_OF_MEMORY:
        us_refuse(image, "needs more memory than there is");
        break;
    default:
        errors->format_message(info, text);
        us_refuse(image, "%s", text);
    }
}

static void fail(j_common_ptr info)
{
    struct jpeg *jpeg = jpeg_of(info);
    if (jpeg->image)
        explain(info->err, info, jpeg->image);
    longjmp(jpeg->failed, 1);
}

/* Warnings that say that data are missing end the decoding. The others are noted, and traces are not. */
static void hear(j_common_ptr info, int level)
{
    if (level >= 0)
        return;
    int code = info->err->msg_code;
    if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_MUST_RESYNC)
        fail(info);
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    struct us_coded *image = jpeg_of(info)->image;
    if (!*image->note)
        snprintf(image->note, sizeof image->note, "%s", text);
}

static void count_scans(j_common_ptr info)
{
    struct jpeg *jpeg = jpeg_of(info);
    if (jpeg->info.input_scan_number <= SCANS)
        return;
    us_refuse(jpeg->image, "is a JPEG file of more than %d scans, which is not read", SCANS);
    longjmp(jpeg->failed, 1);
}

static enum unseen_status open_jpeg(void **decoder)
{
    struct jpeg *jpeg = us_calloc(1, sizeof *jpeg);
    if (!jpeg)
        return UNSEEN_FAILED;
    jpeg->info.err = jpeg_std_error(&jpeg->errors);
    jpeg->errors.error_exit = fail;
    jpeg->errors.emit_message = hear;
    jpeg->info.client_data = jpeg;
    if (setjmp(jpeg->failed)) {
        free(jpeg);
        return us_fail(UNSEEN_FAILED, "libjpeg", "cannot make a decoder: another version, or no memory");
    }
    jpeg_create_decompress(&jpeg->info);
    jpeg->progress.progress_monitor = count_scans;
    jpeg->info.progress = &jpeg->progress;
    *decoder = jpeg;
    return UNSEEN_OK;
}

static void close_jpeg(void *decoder)
{
    struct jpeg *jpeg = decoder;
    if (!jpeg)
        return;
    jpeg_destroy_decompress(&jpeg->info);
    free(jpeg->block);
    free(jpeg);
}

static bool knows_jpeg(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8;
}

/* What the pixels are asked to be; CMYK is made RGB here, for libjpeg does not. */
static bool choose_colours(struct jpeg *jpeg)
{
    switch (jpeg->info.num_components) {
    case 1:
    case 3:
        jpeg->info.out_color_space = JCS_EXT_RGBX;
        return true;
    case 4:
        jpeg->info.out_color_space = JCS_CMYK;
        return true;
    default:
        return us_refuse(jpeg->image, "is a JPEG file of %d colours, which is not read",
                         jpeg->info.num_components);
    }
}

static bool begin_jpeg(void *decoder, struct us_coded *image)
{
    struct jpeg *jpeg = decoder;
    jpeg->image = image;
    if (setjmp(jpeg->failed))
        return false;
    jpeg_mem_src(&jpeg->info, image->bytes, image->size);
    jpeg_read_header(&jpeg->info, TRUE);
    image->height = (int)jpeg->info.image_height;
    image->width = (int)jpeg->info.image_width;
    return us_size_allowed(image, image->height, image->width, jpeg_has_multiple_scans(&jpeg->info)) &&
           choose_colours(jpeg);
}

/* Inks as Adobe stores them in all CMYK files of practice, 255 less the ink, in PIL's arithmetic. */
static void rgb_of_cmyk(uint8_t *row, JDIMENSION width)
{
    for (uint8_t *at = row; at < row + (size_t)width * 4; at += 4) {
        int white = at[3];
        for (int c = 0; c < 3; c++) {
            int ink = (255 - at[c]) * white + 128;
            int value = white - ((ink + (ink >> 8)) >> 8);
            at[c] = (uint8_t)(value < 0 ? 0 : value);
        }
    }
}

/* True if the end of the image is in the file, behind what has been read of it. */
static bool has_end(struct jpeg *jpeg)
{
    if (jpeg_input_complete(&jpeg->info) || jpeg->info.unread_marker == JPEG_EOI)
        return true;
    const struct jpeg_source_mgr *from = jpeg->info.src;
    return memmem(from->next_input_byte, from->bytes_in_buffer, "\xff\xd9", 2) ||
           us_refuse(jpeg->image, "Premature end of JPEG file");
}

static bool rows_jpeg(void *decoder, struct us_coded *image, int shrink, const struct us_rect *rect,
                      us_take_row *take, void *taker)
{
    struct jpeg *jpeg = decoder;
    struct jpeg_decompress_struct *info = &jpeg->info;
    if (setjmp(jpeg->failed))
        return false;
    info->scale_num = 1;
    info->scale_denom = (unsigned)shrink;
    info->dct_method = JDCT_ISLOW;
    info->do_fancy_upsampling = TRUE;
    jpeg_start_decompress(info);
    JDIMENSION first = (JDIMENSION)(rect->x > MARGIN ? rect->x - MARGIN : 0);
    JDIMENSION end = (JDIMENSION)rect->x + (JDIMENSION)rect->width + MARGIN;
    JDIMENSION columns = (end < info->output_width ? end : info->output_width) - first;
    jpeg_crop_scanline(info, &first, &columns);
    uint8_t *block = us_realloc(jpeg->block, UNALIGNED + (size_t)columns * 4 + US_ROW_SLACK, 1);
    if (!block)
        return us_refuse(image, "needs more memory than there is");
    jpeg->block = block;
    jpeg->row = block + UNALIGNED;
    jpeg_skip_scanlines(info, (JDIMENSION)rect->y);
    while (info->output_scanline < (JDIMENSION)(rect->y + rect->height)) {
        jpeg_read_scanlines(info, &jpeg->row, 1);
        if (info->out_color_space == JCS_CMYK)
            rgb_of_cmyk(jpeg->row, columns);
        take(taker, jpeg->row + 4 * ((size_t)rect->x - first));
    }
    if (info->output_scanline < info->output_height)
        return has_end(jpeg);
    jpeg_finish_decompress(info);
    return true;
}

static void end_jpeg(void *decoder)
{
    struct jpeg *jpeg = decoder;
    jpeg_abort_decompress(&jpeg->info);
}

const struct us_codec us_codec_jpeg = {
    .knows = knows_jpeg,
    .open = open_jpeg,
    .close = close_jpeg,
    .begin = begin_jpeg,
    .rows = rows_jpeg,
    .end = end_jpeg,
    .shrinks = true,
};
