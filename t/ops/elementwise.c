#include "config.h"

#include "ops/elementwise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"

static const size_t sizes[] = {1, 15, 16, 17, 255, 4096, 5001, 100003};

static void expect(struct us_buf *buf, const float *want, size_t n)
{
    float *got = test_buf_read(buf);
    assert_memory_equal(got, want, n * sizeof *want);
    free(got);
}

static void check(size_t n)
{
    struct unseen_device *device = test_device();
    float *x = test_random(1, n, -1, 1), *dy = test_random(2, n, -1, 1);
    float *y = calloc(n, sizeof *y), *dx = calloc(n, sizeof *dx), *sum = calloc(n, sizeof *sum);
    x[0] = 0;
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] < 0 ? 0 : x[i];
        dx[i] = y[i] > 0 ? dy[i] : 0;
        sum[i] = y[i] + dy[i];
    }
    struct us_buf *bx = test_buf(n, x), *by = test_buf(n, NULL), *bdy = test_buf(n, dy),
                  *bdx = test_buf(n, NULL);
    assert_ok(us_relu_forward(device, n, bx, by));
    expect(by, y, n);
    assert_ok(us_relu_backward(device, n, by, bdy, bdx));
    expect(bdx, dx, n);
    assert_ok(us_relu_forward(device, n, bx, bx)); /* in place */
    expect(bx, y, n);
    assert_ok(us_add(device, n, bdy, bx));
    expect(bx, sum, n);
    assert_ok(us_relu_backward(device, n, by, bdy, bdy));
    expect(bdy, dx, n);
    test_buf_free(bx);
    test_buf_free(by);
    test_buf_free(bdy);
    test_buf_free(bdx);
    free(x);
    free(dy);
    free(y);
    free(dx);
    free(sum);
}

static void every_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check(sizes[i]);
}

static void relu_keeps_nan(void **state)
{
    (void)state;
    float x[17] = {0};
    x[3] = x[16] = NAN;
    struct us_buf *buf = test_buf(17, x);
    assert_ok(us_relu_forward(test_device(), 17, buf, buf));
    float *y = test_buf_read(buf);
    assert_true(isnan(y[3]) && isnan(y[16]) && y[4] == 0);
    free(y);
    test_buf_free(buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size),
        cmocka_unit_test(relu_keeps_nan),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
