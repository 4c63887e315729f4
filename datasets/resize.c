#include "config.h"

#include "datasets/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* PIL's fixed point: 8 bits for a pixel, 22 for its weight and 2 to spare. */
enum { BITS = 22, HALF = 1 << (BITS - 1) };

/* Pixels that the horizontal loop takes at once, and bytes that the vertical one does. */
enum { PAIR = 2, CHUNK = 16 };

typedef uint8_t pair_bytes __attribute__((vector_size(4 * PAIR)));
typedef int32_t pair_sums __attribute__((vector_size(16 * PAIR)));
typedef uint8_t chunk_bytes __attribute__((vector_size(CHUNK)));
typedef int32_t chunk_sums __attribute__((vector_size(4 * CHUNK)));

#if defined __x86_64__ && defined __GNUC__
#define FOR_EACH_CPU __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_CPU
#endif

/* The weights of one direction: output i is made of the n[i] inputs from first[i]. */
struct axis {
    int outputs, most; /* most weights of an output, rounded up to whole PAIRs */
    int begin, end;    /* the inputs that count */
    int *first, *n;    /* [outputs] */
    double *exact;     /* [most] */
    int32_t *weights;  /* [outputs, most] */
};

struct us_resize {
    struct axis columns, rows;
    int32_t *spread;      /* the columns' weights, each four times, for a pixel's bytes: [outputs, most, 4] */
    uint8_t *ring;        /* rows of the picture that are resized in width: [rows.most, stride] */
    const uint8_t **line; /* [rows.most] */
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
    free(resize->line);
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

/* As precompute_coeffs of PIL's Resample.c: `from` and `to` are floats there, and so is their difference. The
 * inputs are those from `low` to `high`, and `from` counts from `low`. */
static bool axis_make(struct axis *axis, int low, int high, float from, float to, int outputs)
{
    double scale = (double)(to - from) / outputs, widened = scale < 1 ? 1 : scale;
    axis->outputs = outputs;
    axis->most = ((int)ceil(widened) * 2 + 1 + PAIR - 1) / PAIR * PAIR;
    size_t n = (size_t)outputs, most = (size_t)axis->most;
    if (!grow(&axis->first, n, sizeof *axis->first) || !grow(&axis->n, n, sizeof *axis->n) ||
        !grow(&axis->exact, most, sizeof *axis->exact) ||
        !grow(&axis->weights, n * most, sizeof *axis->weights))
        return false;
    for (int i = 0; i < outputs; i++) {
        double centre = from + (i + 0.5) * scale, sum = 0;
        int first = (int)(centre - widened + 0.5), end = (int)(centre + widened + 0.5);
        first = first < 0 ? 0 : first;
        end = end > high - low ? high - low : end;
        int32_t *weights = axis->weights + (size_t)i * most;
        for (int k = 0; k < end - first; k++)
            sum += axis->exact[k] = triangle((k + first - centre + 0.5) * (1 / widened));
        for (int k = 0; k < axis->most; k++)
            weights[k] = k < end - first ? (int32_t)(0.5 + axis->exact[k] / sum * (1 << BITS)) : 0;
        axis->first[i] = low + first;
        axis->n[i] = end - first;
    }
    axis->begin = axis->first[0];
    axis->end = axis->first[outputs - 1] + axis->n[outputs - 1];
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
    size_t weights = (size_t)resize->columns.outputs * (size_t)resize->columns.most;
    size_t lines = (size_t)resize->rows.most;
    resize->stride = ((size_t)resize->columns.outputs * 3 + 1 + CHUNK - 1) / CHUNK * CHUNK;
    if (!grow(&resize->spread, weights * 4, sizeof *resize->spread) ||
        !grow(&resize->ring, lines, resize->stride) || !grow(&resize->line, lines, sizeof *resize->line))
        return false;
    for (size_t i = 0; i < 4 * weights; i++)
        resize->spread[i] = resize->columns.weights[i / 4];
    memset(resize->ring, 0, lines * resize->stride);
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

static inline uint8_t byte_of(int32_t sum)
{
    int32_t value = sum >> BITS;
    return (uint8_t)(value > 255 ? 255 : value);
}

/* The picture's row, which begins with column columns->begin, to the columns of the output. */
FOR_EACH_CPU static void resize_columns(const struct axis *columns, const int32_t *spread, const uint8_t *row,
                                        uint8_t *to)
{
    for (int i = 0; i < columns->outputs; i++, to += 3) {
        const uint8_t *from = row + 4 * (size_t)(columns->first[i] - columns->begin);
        const int32_t *weights = spread + 4 * (size_t)columns->most * (size_t)i;
        pair_sums sums = {HALF, HALF, HALF};
        for (int k = 0; k < columns->n[i]; k += PAIR) {
            pair_bytes bytes;
            pair_sums by;
            memcpy(&bytes, from + 4 * k, sizeof bytes);
            memcpy(&by, weights + 4 * k, sizeof by);
            sums += __builtin_convertvector(bytes, pair_sums) * by;
        }
        for (int c = 0; c < 3; c++)
            to[c] = byte_of(sums[c] + sums[4 + c]);
    }
}

/* One row of the output from the n rows `line` that were resized in width. */
FOR_EACH_CPU static void resize_rows(const uint8_t *const *line, const int32_t *weights, int n, size_t size,
                                     uint8_t *to)
{
    for (size_t x = 0; x < size; x += CHUNK) {
        chunk_sums sums = HALF - (chunk_sums){0};
        for (int k = 0; k < n; k++) {
            chunk_bytes bytes;
            memcpy(&bytes, line[k] + x, sizeof bytes);
            sums += __builtin_convertvector(bytes, chunk_sums) * weights[k];
        }
        sums >>= BITS;
        chunk_sums above = sums > 255;
        sums = (sums & ~above) | (above & 255);
        chunk_bytes bytes = __builtin_convertvector(sums, chunk_bytes);
        memcpy(to + x, &bytes, size - x < CHUNK ? size - x : CHUNK);
    }
}

void us_resize_row(void *taker, const uint8_t *row)
{
    struct us_resize *resize = taker;
    const struct axis *rows = &resize->rows;
    size_t size = (size_t)resize->columns.outputs * 3;
    resize_columns(&resize->columns, resize->spread, row,
                   resize->ring + (size_t)(resize->y % rows->most) * resize->stride);
    resize->y++;
    for (int i; (i = resize->made) < rows->outputs && rows->first[i] + rows->n[i] <= resize->y;
         resize->made++) {
        for (int k = 0; k < rows->n[i]; k++)
            resize->line[k] = resize->ring + (size_t)((rows->first[i] + k) % rows->most) * resize->stride;
        resize_rows(resize->line, rows->weights + (size_t)i * (size_t)rows->most, rows->n[i], size,
                    resize->pixels + (size_t)i * size);
    }
}
