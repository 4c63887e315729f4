#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

#include "datasets/image/codec.h"

/* Rows and columns around those that are asked for: at the edges of what it decodes libwebp interpolates
 * colours from one side alone, so these are not the pixels of the whole picture. */
enum { MARGIN = 2 };

/* libwebp gives no rows, but a part of the picture at once. */
struct webp {
    uint8_t *pixels;
    size_t room; /* bytes at `pixels` */
};

static enum unseen_status open_webp(void **decoder)
{
    *decoder = us_calloc(1, sizeof(struct webp));
    return *decoder ? UNSEEN_OK : UNSEEN_FAILED;
}

static void close_webp(void *decoder)
{
    struct webp *webp = decoder;
    if (webp)
        free(webp->pixels);
    free(webp);
}

static bool knows_webp(const uint8_t *bytes, size_t size)
{
    return size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0;
}

static bool check(struct us_coded *image, VP8StatusCode status)
{
    switch (status) {
    case VP8_STATUS_OK:
        return true;
    case VP8_STATUS_OUT_OF_MEMORY:
        return us_refuse(image, "needs more memory than there is");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return us_refuse(image, "ends too early");
    default:
        return us_refuse(image, "is a damaged WebP file");
    }
}

static bool begin_webp(void *decoder, struct us_coded *image)
{
    WebPBitstreamFeatures features;
    (void)decoder;
    if (!check(image, WebPGetFeatures(image->bytes, image->size, &features)))
        return false;
    if (features.has_animation)
        return us_refuse(image, "is an animated WebP file, which is not read");
    image->height = features.height;
    image->width = features.width;
    return us_size_allowed(image, image->height, image->width, true);
}

/* `rect` with its margins, as far as the image reaches, from an even row and column as libwebp cuts. */
static struct us_rect widened(const struct us_coded *image, const struct us_rect *rect)
{
    int x = rect->x > MARGIN ? (rect->x - MARGIN) & ~1 : 0,
        y = rect->y > MARGIN ? (rect->y - MARGIN) & ~1 : 0;
    int right = rect->x + rect->width + MARGIN, bottom = rect->y + rect->height + MARGIN;
    right = right < image->width ? right : image->width;
    bottom = bottom < image->height ? bottom : image->height;
    return (struct us_rect){x, y, right - x, bottom - y};
}

static bool decode(struct webp *webp, struct us_coded *image, const struct us_rect *part)
{
    WebPDecoderConfig config;
    size_t stride = (size_t)part->width * 4, size = stride * (size_t)part->height;
    if (size + US_ROW_SLACK > webp->room) {
        uint8_t *grown = us_realloc(webp->pixels, size + US_ROW_SLACK, 1);
        if (!grown)
            return us_refuse(image, "needs more memory than there is");
        webp->pixels = grown;
        webp->room = size + US_ROW_SLACK;
    }
    if (!WebPInitDecoderConfig(&config))
        return us_refuse(image, "needs another version of libwebp");
    config.options.use_cropping = 1;
    config.options.crop_left = part->x;
    config.options.crop_top = part->y;
    config.options.crop_width = part->width;
    config.options.crop_height = part->height;
    config.output.colorspace = MODE_RGBA;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = webp->pixels;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = size;
    return check(image, WebPDecode(image->bytes, image->size, &config));
}

static bool rows_webp(void *decoder, struct us_coded *image, int shrink, const struct us_rect *rect,
                      us_take_row *take, void *taker)
{
    struct webp *webp = decoder;
    struct us_rect part = widened(image, rect);
    (void)shrink;
    if (!decode(webp, image, &part))
        return false;
    for (int y = 0; y < rect->height; y++)
        take(taker, webp->pixels + 4 * ((size_t)(rect->y - part.y + y) * (size_t)part.width +
                                        (size_t)(rect->x - part.x)));
    return true;
}

static void end_webp(void *decoder)
{
    (void)decoder;
}

const struct us_codec us_codec_webp = {
    .knows = knows_webp,
    .open = open_webp,
    .close = close_webp,
    .begin = begin_webp,
    .rows = rows_webp,
    .end = end_webp,
};
