#include "config.h"

#include "datasets/image/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/image/filter.h"

/* The weights of one direction: output i is made of `taps` inputs from first[i]. */
struct axis {
    int outputs, taps;
    int begin, end;   /* the inputs that count */
    int *first, *n;   /* [outputs]; n without the weights that are zero only to make `taps` */
    double *exact;    /* [taps] */
    int32_t *weights; /* [outputs, taps] */
};

struct us_resize {
    struct axis columns, rows;
    int32_t *spread;     /* the columns' weights, each four times: [outputs, taps, 4] */
    uint8_t *ring;       /* rows of the picture that are resized in width: [rows.taps, stride] */
    const uint8_t **row; /* [rows.taps]: those of an output */
    size_t stride;
    int y, made; /* the next row of the picture, the next of the pixels */
    uint8_t *pixels;
};

enum unseen_status us_resize_open(struct us_resize **resize)
{
    *resize = us_calloc(1, sizeof **resize);
    return *resize ? UNSEEN_OK : UNSEEN_FAILED;
}

static void axis_free(struct axis *axis)
{
    free(axis->first);
    free(axis->n);
    free(axis->exact);
    free(axis->weights);
}

void us_resize_close(struct us_resize *resize)
{
    if (!resize)
        return;
    axis_free(&resize->columns);
    axis_free(&resize->rows);
    free(resize->spread);
    free(resize->ring);
    free(resize->row);
    free(resize);
}

/* Grow `*block` to `count` items of `size` bytes; what it held does not matter. */
static bool grow(void *block, size_t count, size_t size)
{
    void **at = block;
    void *grown = us_realloc(*at, count, size);
    if (grown)
        *at = grown;
    return grown;
}

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* The inputs of output i, counted from `from`'s zero: PIL's arithmetic, where `from` and `to` are floats, and
 * their difference too (precompute_coeffs in its Resample.c). */
struct reach {
    double centre, widened;
    int first, end;
};

static struct reach reach_of(float from, float to, int outputs, int inputs, int i)
{
    double scale = (double)(to - from) / outputs, widened = scale < 1 ? 1 : scale;
    double centre = from + (i + 0.5) * scale;
    int first = (int)(centre - widened + 0.5), end = (int)(centre + widened + 0.5);
    return (struct reach){centre, widened, first < 0 ? 0 : first, end > inputs ? inputs : end};
}

static void weigh(struct axis *axis, const struct reach *reach, int32_t *weights)
{
    double sum = 0;
    int n = reach->end - reach->first;
    for (int k = 0; k < n; k++)
        sum += axis->exact[k] = triangle((k + reach->first - reach->centre + 0.5) * (1 / reach->widened));
    for (int k = 0; k < n; k++)
        weights[k] = (int32_t)(0.5 + axis->exact[k] / sum * (1 << US_FILTER_BITS));
}

/* All outputs have the same number of weights, so that the loop over them is one that processors predict: an
 * output with fewer gets zeros, in front where there is nothing behind. */
static bool axis_make(struct axis *axis, int low, int high, float from, float to, int outputs)
{
    int taps = 1;
    for (int i = 0; i < outputs; i++) {
        struct reach reach = reach_of(from, to, outputs, high - low, i);
        taps = reach.end - reach.first > taps ? reach.end - reach.first : taps;
    }
    axis->taps = (taps + US_FILTER_TAPS - 1) / US_FILTER_TAPS * US_FILTER_TAPS;
    axis->outputs = outputs;
    size_t n = (size_t)outputs, most = (size_t)axis->taps;
    if (!grow(&axis->first, n, sizeof *axis->first) || !grow(&axis->n, n, sizeof *axis->n) ||
        !grow(&axis->exact, most, sizeof *axis->exact) ||
        !grow(&axis->weights, n * most, sizeof *axis->weights))
        return false;
    memset(axis->weights, 0, n * most * sizeof *axis->weights);
    axis->begin = low + reach_of(from, to, outputs, high - low, 0).first;
    axis->end = low + reach_of(from, to, outputs, high - low, outputs - 1).end;
    for (int i = 0; i < outputs; i++) {
        struct reach reach = reach_of(from, to, outputs, high - low, i);
        int over = low + reach.first + axis->taps - axis->end;
        int room = low + reach.first - axis->begin;
        int shift = over < 0 ? 0 : over < room ? over : room;
        axis->first[i] = low + reach.first - shift;
        axis->n[i] = shift + reach.end - reach.first;
        weigh(axis, &reach, axis->weights + (size_t)i * most + shift);
    }
    return true;
}

/* The inputs that the filter may take are those of the picture's `side`, or of the box where it clips. */
static bool axis_of(struct axis *axis, int side, bool clipped, float at, float length, int outputs)
{
    float to = fminf(at + length, (float)side);
    int low = clipped ? (int)floorf(at) : 0, high = clipped ? (int)ceilf(to) : side;
    return axis_make(axis, low, high, at - (float)low, to - (float)low, outputs);
}

static bool make_room(struct us_resize *resize)
{
    struct axis *columns = &resize->columns;
    size_t weights = (size_t)columns->outputs * (size_t)columns->taps;
    size_t rows = (size_t)resize->rows.taps;
    resize->stride = (size_t)columns->outputs * 3 + US_ROW_SLACK;
    if (!grow(&resize->spread, weights * 4, sizeof *resize->spread) ||
        !grow(&resize->ring, rows, resize->stride) || !grow(&resize->row, rows, sizeof *resize->row))
        return false;
    for (size_t i = 0; i < 4 * weights; i++)
        resize->spread[i] = columns->weights[i / 4];
    for (int i = 0; i < columns->outputs; i++)
        columns->first[i] -= columns->begin;
    memset(resize->ring, 0, rows * resize->stride);
    return true;
}

bool us_resize_begin(struct us_resize *resize, int picture_height, int picture_width,
                     const struct us_crop *crop, int height, int width, uint8_t *pixels,
                     struct us_rect *needs)
{
    struct axis *columns = &resize->columns, *rows = &resize->rows;
    if (!axis_of(columns, picture_width, crop->clipped, crop->x, crop->width, width) ||
        !axis_of(rows, picture_height, crop->clipped, crop->y, crop->height, height) || !make_room(resize))
        return false;
    resize->pixels = pixels;
    resize->y = rows->begin;
    resize->made = 0;
    *needs =
        (struct us_rect){columns->begin, rows->begin, columns->end - columns->begin, rows->end - rows->begin};
    return true;
}

static uint8_t *ring_row(const struct us_resize *resize, int y)
{
    return resize->ring + (size_t)(y % resize->rows.taps) * resize->stride;
}

void us_resize_row(void *taker, const uint8_t *row)
{
    struct us_resize *resize = taker;
    const struct axis *columns = &resize->columns, *rows = &resize->rows;
    size_t size = (size_t)columns->outputs * 3;
    us_filter_columns(row, columns->first, resize->spread, columns->taps, columns->outputs,
                      ring_row(resize, resize->y));
    resize->y++;
    for (int i; (i = resize->made) < rows->outputs && rows->first[i] + rows->n[i] <= resize->y;
         resize->made++) {
        for (int k = 0; k < rows->n[i]; k++)
            resize->row[k] = ring_row(resize, rows->first[i] + k);
        us_filter_rows(resize->row, rows->weights + (size_t)i * (size_t)rows->taps, rows->n[i], size,
                       resize->pixels + (size_t)i * size);
    }
}
