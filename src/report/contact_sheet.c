#include "config.h"

#include "report/contact_sheet.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/order.h"
#include "report/html.h"
#include "report/png.h"

enum { LARGEST = 128, SHOWN = 96 };

/* Average blocks of `block` x `block` pixels, and turn grey (or any count of channels under three) into RGB.
 * Rows and columns past the last whole block are left out. */
static void shrink(const struct unseen_dataset *data, const uint8_t *pixels, int block, uint8_t *rgb)
{
    int height = data->height / block, width = data->width / block, channels = data->channels;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            for (int c = 0; c < 3; c++) {
                int from = channels < 3 ? 0 : c;
                unsigned sum = 0;
                for (int dy = 0; dy < block; dy++)
                    for (int dx = 0; dx < block; dx++)
                        sum += pixels[((size_t)(y * block + dy) * data->width + x * block + dx) * channels +
                                      from];
                unsigned area = (unsigned)(block * block);
                rgb[((size_t)y * width + x) * 3 + c] = (uint8_t)((sum + area / 2) / area);
            }
        }
    }
}

static void write_caption(FILE *out, const struct us_contact_sheet *sheet, int64_t i)
{
    const struct unseen_dataset *data = sheet->dataset;
    char value[US_NUMBER];
    fputs("<figcaption>", out);
    us_html_element(out, "b", NULL, "%s", data->class_names[data->split[UNSEEN_TRAIN].labels[i]]);
    if (sheet->suggested)
        us_html_element(out, "span", NULL, "\xE2\x86\x92 %s", data->class_names[sheet->suggested[i]]);
    us_html_element(out, "span", NULL, "#%" PRId64, i);
    us_html_element(out, "span", NULL, "%s %s", sheet->value_name, us_value_text(sheet->value[i], value));
    fputs("</figcaption>", out);
}

static enum unseen_status write_picture(FILE *out, const struct us_contact_sheet *sheet, int64_t i,
                                        uint8_t *rgb)
{
    const struct unseen_dataset *data = sheet->dataset;
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    int largest = data->height > data->width ? data->height : data->width;
    int least = data->height < data->width ? data->height : data->width;
    int block = (largest + LARGEST - 1) / LARGEST;
    block = block < least ? block : least;
    int height = data->height / block, width = data->width / block;
    int shown = largest / block;
    int scale = shown < SHOWN ? (SHOWN + shown / 2) / shown : 1;
    const char *kept = !sheet->kept ? "data" : sheet->kept[i] ? "kept" : "dropped";
    shrink(data, train->pixels + (size_t)i * data->height * data->width * data->channels, block, rgb);
    fprintf(out, "<figure class=\"%s\" style=\"width:%dpx\" title=\"", kept, width * scale);
    us_html_textf(out, "sample %" PRId64, i);
    if (sheet->kept)
        us_html_textf(out, ", %s", kept);
    if (train->paths) {
        fputs(", ", out);
        us_html_text(out, train->paths[i]);
    }
    fputs("\"><img src=\"", out);
    enum unseen_status st = us_png_write_uri(out, rgb, width, height);
    if (st)
        return st;
    fprintf(out, "\" width=\"%d\" height=\"%d\" alt=\"", width * scale, height * scale);
    us_html_textf(out, "sample %" PRId64, i);
    fputs("\"/>", out);
    write_caption(out, sheet, i);
    fputs("</figure>\n", out);
    return UNSEEN_OK;
}

enum unseen_status us_contact_sheet_write(FILE *out, const struct us_contact_sheet *sheet)
{
    enum unseen_status st = UNSEEN_OK;
    uint8_t *rgb = us_calloc((size_t)sheet->dataset->height * sheet->dataset->width, 3);
    US_TRY_ALLOC(rgb);
    fputs("<div class=\"sheet\">\n", out);
    for (int i = 0; i < sheet->n; i++)
        US_TRY(write_picture(out, sheet, sheet->samples[i], rgb));
    fputs("</div>\n<details><summary>indices</summary><code>", out);
    for (int i = 0; i < sheet->n; i++)
        fprintf(out, "%s%" PRId64, i ? ", " : "", sheet->samples[i]);
    fputs("</code></details>\n", out);
out:
    free(rgb);
    return st;
}

enum unseen_status us_extreme_samples(const float *values, int64_t n, bool lowest, int most,
                                      int64_t **samples, int *count)
{
    int64_t *order = us_calloc((size_t)n, sizeof *order);
    if (!order)
        return UNSEEN_FAILED;
    enum unseen_status st = us_order_f32(values, n, !lowest, order);
    if (st) {
        free(order);
        return st;
    }
    *samples = order;
    *count = n < most ? (int)n : most;
    return UNSEEN_OK;
}
