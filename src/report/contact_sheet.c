#include "config.h"

#include "report/contact_sheet.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "report/html.h"
#include "report/picture.h"

/* Pixels: of a picture's longer side at most, and at least where it is shown. */
enum { LARGEST = 112, SHOWN = 96, STEPS = 50 };

/* A picture on its way to the page. */
struct picture {
    struct us_scratch *scratch;
    int height, width;
    uint8_t rgb[LARGEST * LARGEST * 3]; /* [height, width, 3] */
};

/* A side of `pixels` where the longer one becomes LARGEST. */
static int reduced(int pixels, int longer)
{
    const int side = (int)(((int64_t)pixels * LARGEST + longer / 2) / longer);
    return longer <= LARGEST ? pixels : side > 0 ? side : 1;
}

/* Grey in place of red, green and blue; from the end, as the wider pixels overtake the narrower ones. */
static void spread(uint8_t *pixels, int n, int channels)
{
    for (int i = channels < 3 ? n - 1 : -1; i >= 0; i--)
        memset(pixels + 3 * (size_t)i, pixels[channels * (size_t)i], 3);
}

static enum unseen_status take_picture(const struct unseen_dataset *data, int64_t i, struct picture *p)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_image_size size = us_image_size_of(data, UNSEEN_TRAIN, i);
    const int longer = size.height > size.width ? size.height : size.width;
    p->height = reduced(size.height, longer);
    p->width = reduced(size.width, longer);
    US_TRY(data->reader->read(data, p->scratch, UNSEEN_TRAIN, i, NULL, p->height, p->width, p->rgb));
    spread(p->rgb, p->height * p->width, data->channels);
out:
    return st;
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

static enum unseen_status write_image(FILE *out, const struct picture *p, int64_t i)
{
    int shown = p->height > p->width ? p->height : p->width;
    int scale = shown < SHOWN ? (SHOWN + shown / 2) / shown : 1;
    fputs("<img src=\"", out);
    enum unseen_status st = us_picture_write_uri(out, p->rgb, p->width, p->height);
    if (st)
        return st;
    fprintf(out, "\" width=\"%d\" height=\"%d\" alt=\"", p->width * scale, p->height * scale);
    us_html_textf(out, "sample %" PRId64, i);
    fputs("\"/>", out);
    return UNSEEN_OK;
}

/* A file that cannot be read any more is no failure of the report. */
static enum unseen_status write_picture(FILE *out, const struct us_contact_sheet *sheet, int64_t i,
                                        double step, struct picture *picture)
{
    enum unseen_status st = UNSEEN_OK;
    fprintf(out, "<figure class=\"%s\">", sheet->kept ? kept_text(sheet, i) : "data");
    if (take_picture(sheet->dataset, i, picture) == UNSEEN_OK)
        US_TRY(write_image(out, picture, i));
    else
        us_html_element(out, "span", NULL, "%s", unseen_last_error());
    write_caption(out, sheet, i, step);
    fputs("</figure>\n", out);
out:
    return st;
}

enum unseen_status us_contact_sheet_write(FILE *out, const struct us_contact_sheet *sheet)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_reader *reader = sheet->dataset->reader;
    struct picture picture = {.scratch = NULL};
    US_TRY(reader->scratch_new(sheet->dataset, &picture.scratch));
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < sheet->n; i++) {
        least = fmin(least, sheet->value[sheet->samples[i]]);
        most = fmax(most, sheet->value[sheet->samples[i]]);
    }
    fputs("<div class=\"sheet\">\n", out);
    for (int i = 0; i < sheet->n; i++)
        US_TRY(write_picture(out, sheet, sheet->samples[i], (most - least) / STEPS, &picture));
    if (!sheet->n) {
        fputs("</div>\n", out);
        goto out;
    }
    fputs("</div>\n<details><summary>indices</summary><code>", out);
    for (int i = 0; i < sheet->n; i++)
        fprintf(out, "%s%" PRId64, i ? ", " : "", sheet->samples[i]);
    fputs("</code></details>\n", out);
out:
    if (picture.scratch)
        reader->scratch_free(picture.scratch);
    return st;
}

int us_extreme_samples(const float *values, const uint8_t *skipped, int64_t n, bool lowest, int most,
                       int64_t *samples)
{
    int count = 0;
    for (int64_t i = 0; i < n; i++) {
        int at = count;
        if (skipped && skipped[i])
            continue;
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
