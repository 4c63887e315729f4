#include "config.h"

#include <string.h>

#include "base/half.h"
#include "base/log.h"
#include "device/matrix.h"
#include "device/self_test.h"
#include "device/state.h"

/* The numbers that are tried. See cl/matrix_probe.cl; and, behind one another in its chunks, the same ones as
 * an image and, from `WEIGHTS` on, as the weights of two taps. */
enum {
    A = 48 * 16,
    B = 16 * 32,
    ROUNDED = 16,
    ALL = A + B + ROUNDED,
    SUMS = 48 * 32,
    WIDTH = 24, /* of the image, one row */
    CHANNELS = 32,
    TAPS = 2,
    COLUMNS = 16, /* of the weights */
    WEIGHTS = A + B - TAPS * CHANNELS * COLUMNS
};

/* What is tried: one team's product; the convolution's program. */
struct programs {
    struct us_kernel *probe, *gather;
    int lanes, items; /* work-items of their groups */
    int chunk;        /* numbers in 16 bytes */
};

struct results {
    float probe[SUMS + ROUNDED], gather[WIDTH * COLUMNS];
};

/* As cl/narrow.clh rounds, without NaN. */
static float rounded(float value, enum unseen_precision precision)
{
    uint32_t bits;
    if (precision == UNSEEN_F16)
        return us_half_to_float(us_float_to_half(value));
    const unsigned lost = precision == UNSEEN_BF16 ? 16 : 13;
    memcpy(&bits, &value, sizeof bits);
    bits += (1u << (lost - 1)) - 1 + (bits >> lost & 1);
    bits &= ~((1u << lost) - 1);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Operands that every precision holds, with exact sums; then numbers between two of a precision's, ties in
 * both directions, subnormal and too large ones. */
static void fill(float values[ALL])
{
    static const float others[ROUNDED] = {1.0f + 0x1p-8f,   1.0f + 0x3p-8f, 1.0f + 0x1p-11f, 1.0f + 0x3p-11f,
                                          -1.0f - 0x1p-11f, 0x1.fffp3f,     0x1.fffffep3f,   -0x1.01fp-9f,
                                          0x1.8p-16f,       0x1.234p-20f,   -0x1.1p-24f,     0x1p-26f,
                                          65519.0f,         65520.0f,       -1e6f,           3.3e38f};
    for (int i = 0; i < A + B; i++)
        values[i] = us_self_test_number(i);
    memcpy(values + A + B, others, sizeof others);
}

static bool right_product(const float values[ALL], bool by_k, enum unseen_precision precision,
                          const float out[SUMS + ROUNDED])
{
    for (int m = 0; m < 48; m++) {
        for (int n = 0; n < 32; n++) {
            float sum = 1.0f;
            for (int k = 0; k < 16; k++)
                sum += values[by_k ? k * 48 + m : m * 16 + k] * values[A + k * 32 + n];
            if (out[m * 32 + n] != sum)
                return false;
        }
    }
    for (int i = 0; i < ROUNDED; i++)
        if (out[SUMS + i] != rounded(values[A + B + i], precision))
            return false;
    return true;
}

/* The first tap of the first pixel lies outside the image. */
static bool right_convolution(const float values[ALL], const float out[WIDTH * COLUMNS])
{
    for (int i = 0; i < WIDTH * COLUMNS; i++) {
        const int pixel = i / COLUMNS, column = i % COLUMNS;
        float sum = 0.0f;
        for (int k = pixel ? 0 : CHANNELS; k < TAPS * CHANNELS; k++)
            sum += values[(pixel - 1) * CHANNELS + k] * values[WEIGHTS + k * COLUMNS + column];
        if (out[i] != sum)
            return false;
    }
    return true;
}

/* The arguments as in cl/conv/conv_matrix.cl. */
static enum unseen_status convolve(struct unseen_device *device, const struct programs *p,
                                   struct us_buf *chunks, struct us_buf *to)
{
    enum { IN = 0, IMAGES = 1, HEIGHT = 1, STEP = 1, OFF_Y = 0, OFF_X = -1, TAP0 = 0, TAP_Y = 0, TAP_X = 1 };
    const size_t items = (size_t)p->items;
    void *const none = NULL;
    return us_run(device, p->gather, US_RANGE2L(items, 1, items, 1), "bbiiiiiiiiiiiiiiiiiiiiiiibbib", chunks,
                  to, IN, WEIGHTS / p->chunk, IMAGES, HEIGHT, WIDTH, CHANNELS, STEP, OFF_Y, OFF_X, HEIGHT,
                  TAPS, TAP0, TAP_Y, TAP_X, HEIGHT, WIDTH, HEIGHT, WIDTH, COLUMNS, STEP, 0, 0, 0, none, none,
                  0, none);
}

static enum unseen_status compute(struct unseen_device *device, const struct programs *p,
                                  const float values[ALL], struct results *out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_buf *from = NULL, *chunks = NULL, *to = NULL;
    US_TRY(us_buf_new(device, ALL * sizeof(float), &from));
    US_TRY(us_buf_new(device, ALL * sizeof(float), &chunks));
    US_TRY(us_buf_new(device, sizeof out->probe, &to));
    US_TRY(us_write(device, from, 0, values, ALL * sizeof(float)));
    US_TRY(us_run(device, p->probe, US_RANGE1L((size_t)p->lanes, (size_t)p->lanes), "bbb", from, chunks, to));
    US_TRY(us_read(device, to, 0, out->probe, sizeof out->probe));
    if (p->gather) {
        US_TRY(convolve(device, p, chunks, to));
        US_TRY(us_read(device, to, 0, out->gather, sizeof out->gather));
    }
out:
    us_buf_free(device, from);
    us_buf_free(device, chunks);
    us_buf_free(device, to);
    return st;
}

/* A matrix unit has to get through the whole convolution's program as well, which nothing could replace
 * later. */
static enum unseen_status build(struct unseen_device *device, const struct us_matrix_unit *unit,
                                const char *options, bool by_k, struct programs *p)
{
    struct us_kernel *weights;
    enum unseen_status st =
        us_self_test_kernel(device, "matrix_probe.cl", options, "matrix_probe", &p->probe);
    if (!st && !unit->plain && !by_k)
        st = us_self_test_kernel(device, "conv/conv_matrix.cl", options, "matrix_gather", &p->gather);
    if (!st && unit->vendor && by_k)
        st = us_self_test_kernel(device, "conv/conv_matrix.cl", options, "matrix_weights", &weights);
    return st;
}

/* Of a program that is tried: the longest step, but where only tests use the unit, the one that they need. */
static void options_for(const struct us_matrix_unit *unit, enum unseen_precision precision, bool by_k,
                        char options[US_MATRIX_OPTIONS])
{
    const int step = unit->step ? unit->step : us_matrix_step(precision);
    us_matrix_options(unit, precision, &unit->large, step, by_k, options);
}

/* With A in one of its two layouts: NULL, or what went wrong. */
static const char *run_self_test(struct unseen_device *device, enum unseen_precision precision,
                                 const struct us_matrix_unit *unit, bool by_k)
{
    const struct us_matrix_tile *tile = &unit->large;
    struct programs p = {.lanes = unit->lanes,
                         .items = unit->lanes * tile->teams_m * tile->teams_n,
                         .chunk = precision == UNSEEN_TF32 ? 4 : 8};
    float values[ALL];
    struct results out;
    char options[US_MATRIX_OPTIONS];
    options_for(unit, precision, by_k, options);
    if (build(device, unit, options, by_k, &p)) {
        us_log(UNSEEN_LOG_DEBUG, "%s in %s: %s", unit->name, unseen_precision_name(precision),
               unseen_last_error());
        return "its OpenCL compiler refuses them";
    }
    fill(values);
    if (compute(device, &p, values, &out))
        return "its self-test failed to run";
    if (!right_product(values, by_k, precision, out.probe) ||
        (p.gather && !right_convolution(values, out.gather)))
        return "its self-test gave wrong numbers";
    return NULL;
}

const char *us_matrix_self_test(struct unseen_device *device, enum unseen_precision precision,
                                const struct us_matrix_unit *unit)
{
    char options[US_MATRIX_OPTIONS];
    options_for(unit, precision, false, options);
    const struct us_self_test both = {
        .file = "matrix_probe.cl", .also = "conv/conv_matrix.cl", .options = options};
    if (us_self_test_passed(device, &both))
        return NULL;
    const char *why_not = run_self_test(device, precision, unit, false);
    if (!why_not)
        why_not = run_self_test(device, precision, unit, true);
    if (!why_not)
        us_self_test_keep(device, &both);
    return why_not;
}
