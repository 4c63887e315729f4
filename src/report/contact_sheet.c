#include "config.h"

#include "report/contact_sheet.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "report/html.h"
#include "report/png.h"

enum { LARGEST = 128, SHOWN = 96, STEPS = 50 };

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

static const char *kept_text(const struct us_contact_sheet *sheet, int64_t i)
{
    return !sheet->kept ? "" : sheet->kept[i] ? "kept" : "dropped";
}

/* `step`: what the values under the pictures differ by. */
static void write_caption(FILE *out, const struct us_contact_sheet *sheet, int64_t i, double step)
{
    const struct unseen_dataset *data = sheet->dataset;
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    char value[US_NUMBER];
    fputs("<figcaption>", out);
    us_html_element(out, "b", NULL, "%s", data->class_names[train->labels[i]]);
    if (sheet->suggested)
        us_html_element(out, "span", NULL, "\xE2\x86\x92 %s", data->class_names[sheet->suggested[i]]);
    us_html_element(out, "span", NULL, "#%" PRId64 "%s%s", i, sheet->kept ? " " : "", kept_text(sheet, i));
    us_html_element(out, "span", NULL, "%s %s", sheet->value_name,
                    us_step_text(sheet->value[i], step, value));
    if (train->paths)
        us_html_element(out, "span", "path", "%s", train->paths[i]);
    fputs("</figcaption>", out);
}

static enum unseen_status write_picture(FILE *out, const struct us_contact_sheet *sheet, int64_t i,
                                        double step, uint8_t *rgb)
{
    const struct unseen_dataset *data = sheet->dataset;
    int largest = data->height > data->width ? data->height : data->width;
    int least = data->height < data->width ? data->height : data->width;
    int block = (largest + LARGEST - 1) / LARGEST;
    block = block < least ? block : least;
    int height = data->height / block, width = data->width / block;
    int shown = largest / block;
    int scale = shown < SHOWN ? (SHOWN + shown / 2) / shown : 1;
    shrink(data, data->reader->pixels[UNSEEN_TRAIN] + (size_t)i * data->height * data->width * data->channels,
           block, rgb);
    fprintf(out, "<figure class=\"%s\"><img src=\"", sheet->kept ? kept_text(sheet, i) : "data");
    enum unseen_status st = us_png_write_uri(out, rgb, width, height);
    if (st)
        return st;
    fprintf(out, "\" width=\"%d\" height=\"%d\" alt=\"", width * scale, height * scale);
    us_html_textf(out, "sample %" PRId64, i);
    fputs("\"/>", out);
    write_caption(out, sheet, i, step);
    fputs("</figure>\n", out);
    return UNSEEN_OK;
}

enum unseen_status us_contact_sheet_write(FILE *out, const struct us_contact_sheet *sheet)
{
    enum unseen_status st = UNSEEN_OK;
    uint8_t *rgb = us_calloc((size_t)sheet->dataset->height * sheet->dataset->width, 3);
    US_TRY_ALLOC(rgb);
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < sheet->n; i++) {
        least = fmin(least, sheet->value[sheet->samples[i]]);
        most = fmax(most, sheet->value[sheet->samples[i]]);
    }
    fputs("<div class=\"sheet\">\n", out);
    for (int i = 0; i < sheet->n; i++)
        US_TRY(write_picture(out, sheet, sheet->samples[i], (most - least) / STEPS, rgb));
    if (!sheet->n) {
        fputs("</div>\n", out);
        goto out;
    }
    fputs("</div>\n<details><summary>indices</summary><code>", out);
    for (int i = 0; i < sheet->n; i++)
        fprintf(out, "%s%" PRId64, i ? ", " : "", sheet->samples[i]);
    fputs("</code></details>\n", out);
out:
    free(rgb);
    return st;
}

int us_extreme_samples(const float *values, int64_t n, bool lowest, int most, int64_t *samples)
{
    int count = 0;
    for (int64_t i = 0; i < n; i++) {
        int at = count;
        while (at > 0 && (lowest ? values[i] < values[samples[at - 1]] : values[i] > values[samples[at - 1]]))
            at--;
        if (at == most)
            continue;
        count += count < most;
        memmove(samples + at + 1, samples + at, (size_t)(count - 1 - at) * sizeof *samples);
        samples[at] = i;
    }
    return count;
}
