/* Binary PPM with 8 bits a channel: pixels as they are, which packs keep and other programs write too. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "datasets/image/codec.h"

struct ppm {
    const uint8_t *pixels;
    uint8_t *row;
};

static enum unseen_status open_ppm(void **decoder)
{
    *decoder = us_calloc(1, sizeof(struct ppm));
    return *decoder ? UNSEEN_OK : UNSEEN_FAILED;
}

static void end_ppm(void *decoder)
{
    struct ppm *ppm = decoder;
    free(ppm->row);
    ppm->row = NULL;
}

static void close_ppm(void *decoder)
{
    if (decoder)
        end_ppm(decoder);
    free(decoder);
}

static bool knows_ppm(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 'P' && bytes[1] == '6' && us_is_space((char)bytes[2]);
}

/* The next number of the header, after blanks and comments; -1 if there is none. */
static int64_t read_number(const struct us_coded *image, size_t *at)
{
    int64_t number = -1;
    bool comment = false;
    for (; *at < image->size && (comment || us_is_space((char)image->bytes[*at]) || image->bytes[*at] == '#');
         ++*at)
        comment = image->bytes[*at] == '#' || (comment && image->bytes[*at] != '\n');
    for (; *at < image->size && us_is_digit((char)image->bytes[*at]) && number < 1000000000; ++*at)
        number = (number < 0 ? 0 : 10 * number) + (image->bytes[*at] - '0');
    return number;
}

static bool begin_ppm(void *decoder, struct us_coded *image)
{
    struct ppm *ppm = decoder;
    size_t at = 2;
    const int64_t width = read_number(image, &at), height = read_number(image, &at);
    const int64_t most = read_number(image, &at);
    if (most < 0 || at == image->size || !us_is_space((char)image->bytes[at]))
        return us_refuse(image, "has a damaged header");
    if (most != 255)
        return us_refuse(image, "is a PPM file of values up to %lld, which is not read", (long long)most);
    if (!us_size_allowed(image, height, width, false))
        return false;
    at++;
    if ((int64_t)(image->size - at) < 3 * height * width)
        return us_refuse(image, "ends too early");
    image->height = (int)height;
    image->width = (int)width;
    ppm->pixels = image->bytes + at;
    return true;
}

static bool rows_ppm(void *decoder, struct us_coded *image, int shrink, const struct us_rect *rect,
                     us_take_row *take, void *taker)
{
    struct ppm *ppm = decoder;
    (void)shrink;
    ppm->row = us_calloc(4 * (size_t)rect->width + US_ROW_SLACK, 1);
    if (!ppm->row)
        return us_refuse(image, "needs more memory than there is");
    for (int y = rect->y; y < rect->y + rect->height; y++) {
        const uint8_t *from = ppm->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)rect->x);
        for (size_t x = 0; x < (size_t)rect->width; x++)
            memcpy(ppm->row + 4 * x, from + 3 * x, 3);
        take(taker, ppm->row);
    }
    return true;
}

const struct us_codec us_codec_ppm = {
    .knows = knows_ppm,
    .open = open_ppm,
    .close = close_ppm,
    .begin = begin_ppm,
    .rows = rows_ppm,
    .end = end_ppm,
};
