#include "config.h"

#include "support/device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_WORDS = 64 };
#define GUARD     0xdeadbeefU
#define QUIET_NAN 0x7fc00000U

static struct unseen_device *device;

static void close_device(void)
{
    unseen_device_close(device);
}

struct unseen_device *test_device(void)
{
    struct unseen_device_info *list = NULL;
    int n = 0;
    if (device)
        return device;
    if (unseen_device_list(&list, &n) == UNSEEN_OK && n == 0) {
        free(list);
        printf("1..0 # SKIP there is no OpenCL device here\n");
        exit(0);
    }
    free(list);
    if (unseen_device_open(NULL, &device) != UNSEEN_OK) {
        printf("Bail out! %s\n", unseen_last_error());
        exit(1);
    }
    atexit(close_device);
    return device;
}

static struct us_buf *guarded(size_t words, const void *init)
{
    struct us_buf *buf = NULL;
    uint32_t *data = malloc((words + GUARD_WORDS) * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < words; i++)
        data[i] = QUIET_NAN;
    if (init)
        memcpy(data, init, words * sizeof *data);
    for (size_t i = 0; i < GUARD_WORDS; i++)
        data[words + i] = GUARD;
    assert_ok(us_buf_new(test_device(), (words + GUARD_WORDS) * sizeof *data, &buf));
    assert_ok(us_write(test_device(), buf, 0, data, (words + GUARD_WORDS) * sizeof *data));
    free(data);
    buf->bytes = words * sizeof *data; /* operators that look at the size see what was asked for */
    return buf;
}

struct us_buf *test_buf(size_t floats, const float *init)
{
    return guarded(floats, init);
}

struct us_buf *test_buf_int(size_t ints, const int32_t *init)
{
    return guarded(ints, init);
}

void test_buf_check_guard(struct us_buf *buf)
{
    uint32_t guard[GUARD_WORDS];
    size_t bytes = buf->bytes;
    buf->bytes += sizeof guard;
    assert_ok(us_read(test_device(), buf, bytes, guard, sizeof guard));
    buf->bytes = bytes;
    for (size_t i = 0; i < GUARD_WORDS; i++) {
        if (guard[i] != GUARD)
            fail_msg("a kernel wrote past a buffer of %zu words, at word %zu", bytes / sizeof *guard,
                     bytes / sizeof *guard + i);
    }
}

void test_buf_free(struct us_buf *buf)
{
    if (!buf)
        return;
    test_buf_check_guard(buf);
    us_buf_free(test_device(), buf);
}

float *test_buf_read(struct us_buf *buf)
{
    float *data = malloc(buf->bytes ? buf->bytes : 1);
    assert_non_null(data);
    assert_ok(us_read(test_device(), buf, 0, data, buf->bytes));
    return data;
}

float *test_random(uint64_t seed, size_t n, float low, float high)
{
    float *values = malloc((n ? n : 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < n; i++) {
        /* SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), by counter. */
        uint64_t z = (seed + 1) * 0x9e3779b97f4a7c15ULL + (uint64_t)i * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        z ^= z >> 31;
        values[i] = low + (high - low) * ((float)(z >> 40) * 0x1p-24F);
    }
    return values;
}

void test_close_d(const char *what, const float *got, const double *want, size_t n, double tolerance)
{
    double scale = 1, worst = -1;
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        scale = fmax(scale, fabs(want[i]));
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)got[i] - want[i]);
        if (isnan(error))
            error = INFINITY;
        if (error > worst) {
            worst = error;
            at = i;
        }
    }
    if (n > 0 && !(worst <= tolerance * scale))
        fail_msg("%s: element %zu of %zu is %.9g and should be %.9g (error %.3g, allowed %.3g)", what, at, n,
                 (double)got[at], want[at], worst, tolerance * scale);
}

void test_close(const char *what, const float *got, const float *want, size_t n, double tolerance)
{
    double *wide = malloc((n ? n : 1) * sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < n; i++)
        wide[i] = want[i];
    test_close_d(what, got, wide, n, tolerance);
    free(wide);
}

void test_buf_close(const char *what, struct us_buf *got, const double *want, size_t n, double tolerance)
{
    assert_true(n * sizeof(float) <= got->bytes);
    float *values = test_buf_read(got);
    test_close_d(what, values, want, n, tolerance);
    free(values);
}

void test_gradient(const char *what, double (*f)(const double *x, size_t n, void *context), void *context,
                   const double *x, const float *gradient, size_t n, double tolerance)
{
    size_t step = n > 64 ? n / 64 : 1;
    double scale = 1;
    double *moved = malloc((n ? n : 1) * sizeof *moved);
    assert_non_null(moved);
    memcpy(moved, x, n * sizeof *moved);
    for (size_t i = 0; i < n; i++)
        scale = fmax(scale, fabs((double)gradient[i]));
    for (size_t i = 0; i < n; i += step) {
        double h = 1e-5 * fmax(1, fabs(x[i]));
        moved[i] = x[i] + h;
        double above = f(moved, n, context);
        moved[i] = x[i] - h;
        double slope = (above - f(moved, n, context)) / (2 * h);
        moved[i] = x[i];
        if (!(fabs(slope - (double)gradient[i]) <= tolerance * scale))
            fail_msg("%s: gradient %zu is %.9g and differences give %.9g", what, i, (double)gradient[i],
                     slope);
    }
    free(moved);
}
