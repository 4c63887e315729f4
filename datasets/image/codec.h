/* What decodes one kind of image file, row by row: the interface between image.c and the kinds. */
#ifndef US_DATASETS_CODEC_H
#define US_DATASETS_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    US_ROW_SLACK = 16, /* bytes that may be read behind a row, whatever they hold */
    US_WORDS = 200     /* room for a reason or a note */
};

struct us_rect {
    int x, y, width, height;
};

/* A file that is being decoded. */
struct us_coded {
    const uint8_t *bytes;
    size_t size;
    int height, width;
    char reason[US_WORDS]; /* why the last call was false */
    char note[US_WORDS];   /* the first fault that cost no data; "" if there is none */
};

/* Takes the next row of the rectangle that was asked for, [width, 4] and US_ROW_SLACK bytes: red, green, blue
 * and a byte that means nothing. */
typedef void us_take_row(void *taker, const uint8_t *row);

struct us_codec {
    /* True if the bytes begin as a file of this kind does. */
    bool (*knows)(const uint8_t *bytes, size_t size);
    /* A decoder, for one thread at a time and any number of files; ends with close. */
    enum unseen_status (*open)(void **decoder);
    void (*close)(void *decoder);
    /* Read the header of image->bytes, and set height and width. Whatever it returns, `end` follows. */
    bool (*begin)(void *decoder, struct us_coded *image);
    /* Give the rows of `rect`, in pixels of the image made smaller by `shrink` in both directions: sides are
     * divided and rounded up. False if data are missing, wherever in the file. Once after `begin`. */
    bool (*rows)(void *decoder, struct us_coded *image, int shrink, const struct us_rect *rect,
                 us_take_row *take, void *taker);
    void (*end)(void *decoder);
    bool shrinks; /* by 2, 4 and 8; else by 1 alone */
};

extern const struct us_codec us_codec_jpeg, us_codec_png, us_codec_ppm, us_codec_webp;

/* Set the reason. False. */
bool us_refuse(struct us_coded *image, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* False, with a reason, if the size is none that is decoded: `whole` if the file's coding needs all pixels in
 * memory. */
bool us_size_allowed(struct us_coded *image, int64_t height, int64_t width, bool whole);

#endif
