#include "config.h"

#include "datasets/pixels.h"

#include <stdlib.h>
#include <string.h>

static enum unseen_status scratch_new(const struct unseen_dataset *dataset, struct us_scratch **scratch)
{
    (void)dataset;
    *scratch = NULL;
    return UNSEEN_OK;
}

static void scratch_free(struct us_scratch *scratch)
{
    (void)scratch;
}

static enum unseen_status read_pixels(const struct unseen_dataset *dataset, struct us_scratch *scratch,
                                      enum unseen_split split, int64_t i, const struct us_crop *crop,
                                      int height, int width, uint8_t *pixels)
{
    const size_t bytes = (size_t)dataset->height * (size_t)dataset->width * (size_t)dataset->channels;
    (void)scratch;
    if (crop || height != dataset->height || width != dataset->width)
        return us_fail(UNSEEN_USAGE, dataset->location, "images of %dx%d are not resized to %dx%d",
                       dataset->width, dataset->height, width, height);
    memcpy(pixels, dataset->reader->pixels[split] + (size_t)i * bytes, bytes);
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
