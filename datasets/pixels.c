#include "config.h"

#include "datasets/pixels.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/image/resize.h"

/* What a thread resizes with. */
struct us_scratch {
    struct us_resize *resize;
    uint8_t *row, *rgb; /* a row as the resizer takes it; what it makes of grey pictures */
    size_t row_room, rgb_room;
};

static void scratch_free(struct us_scratch *scratch)
{
    if (!scratch)
        return;
    us_resize_close(scratch->resize);
    free(scratch->row);
    free(scratch->rgb);
    free(scratch);
}

static enum unseen_status scratch_new(const struct unseen_dataset *dataset, struct us_scratch **scratch)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_scratch *fresh = us_calloc(1, sizeof *fresh);
    (void)dataset;
    US_TRY_ALLOC(fresh);
    US_TRY(us_resize_open(&fresh->resize));
    *scratch = fresh;
    fresh = NULL;
out:
    scratch_free(fresh);
    return st;
}

static bool grow(uint8_t **block, size_t *room, size_t bytes)
{
    uint8_t *more = bytes > *room ? us_realloc(*block, bytes, 1) : *block;
    if (!more)
        return false;
    *block = more;
    *room = bytes > *room ? bytes : *room;
    return true;
}

/* A row of pixels in 1 or 3 channels as the resizer takes it. */
static void spread(const uint8_t *from, int channels, int width, uint8_t *row)
{
    for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++)
            row[4 * x + c] = from[channels * x + (channels == 3 ? c : 0)];
    }
}

/* Resize `crop` of a picture in memory, by way of `to` [height, width, 3]. */
static enum unseen_status resize(const struct unseen_dataset *data, struct us_scratch *scratch,
                                 const uint8_t *picture, const struct us_crop *crop, int height, int width,
                                 uint8_t *to)
{
    struct us_rect needs;
    const int channels = data->channels;
    if (!us_resize_begin(scratch->resize, data->height, data->width, crop, height, width, to, &needs) ||
        !grow(&scratch->row, &scratch->row_room, 4 * (size_t)needs.width + US_ROW_SLACK))
        return UNSEEN_FAILED;
    memset(scratch->row, 0, 4 * (size_t)needs.width + US_ROW_SLACK);
    for (int y = needs.y; y < needs.y + needs.height; y++) {
        spread(picture + ((size_t)y * (size_t)data->width + (size_t)needs.x) * (size_t)channels, channels,
               needs.width, scratch->row);
        us_resize_row(scratch->resize, scratch->row);
    }
    return UNSEEN_OK;
}

/* Through three channels if the pictures are grey. */
static enum unseen_status resize_any(const struct unseen_dataset *data, struct us_scratch *scratch,
                                     const uint8_t *picture, const struct us_crop *crop, int height,
                                     int width, uint8_t *pixels)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t n = (size_t)height * (size_t)width;
    if (data->channels == 3)
        return resize(data, scratch, picture, crop, height, width, pixels);
    if (!grow(&scratch->rgb, &scratch->rgb_room, 3 * n))
        return UNSEEN_FAILED;
    US_TRY(resize(data, scratch, picture, crop, height, width, scratch->rgb));
    for (size_t i = 0; i < n; i++)
        pixels[i] = scratch->rgb[3 * i];
out:
    return st;
}

static enum unseen_status read_pixels(const struct unseen_dataset *data, struct us_scratch *scratch,
                                      enum unseen_split split, int64_t i, const struct us_crop *crop,
                                      int height, int width, uint8_t *pixels)
{
    const size_t bytes = (size_t)data->height * (size_t)data->width * (size_t)data->channels;
    const uint8_t *picture = data->reader->pixels[split] + (size_t)i * bytes;
    const struct us_crop whole = {.width = (float)data->width, .height = (float)data->height};
    if (crop || height != data->height || width != data->width)
        return resize_any(data, scratch, picture, crop ? crop : &whole, height, width, pixels);
    memcpy(pixels, picture, bytes);
    return UNSEEN_OK;
}

void us_pixels_reader(struct unseen_reader *reader, const uint8_t *train, const uint8_t *test)
{
    *reader = (struct unseen_reader){.pixels = {train, test},
                                     .scratch_new = scratch_new,
                                     .scratch_free = scratch_free,
                                     .read = read_pixels};
}

static void close_owner(struct unseen_reader *reader)
{
    free((void *)reader->pixels[UNSEEN_TRAIN]);
    free((void *)reader->pixels[UNSEEN_TEST]);
    free(reader);
}

enum unseen_status us_pixels_give(struct unseen_dataset *dataset, enum unseen_split split, uint8_t *pixels)
{
    if (!dataset->reader) {
        dataset->reader = us_calloc(1, sizeof *dataset->reader);
        if (!dataset->reader) {
            free(pixels);
            return UNSEEN_FAILED;
        }
        us_pixels_reader(dataset->reader, NULL, NULL);
        dataset->reader->close = close_owner;
    }
    dataset->reader->pixels[split] = pixels;
    return UNSEEN_OK;
}
