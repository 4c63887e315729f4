#include "config.h"

#include "ops/elementwise.h"

#include <math.h>
#include <stdlib.h>

#include "support/device.h"

static const size_t sizes[] = {1, 15, 16, 17, 255, 4096, 5001, 100003};

static void check(size_t n)
{
    float *x = test_random(1, n, -1, 1), *y = test_random(2, n, -1, 1);
    struct us_buf *bx = test_buf(n, x), *by = test_buf(n, y);
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
    assert_ok(us_add(test_device(), n, bx, by));
    float *got = test_buf_read(by);
    assert_memory_equal(got, y, n * sizeof *got);
    free(got);
    test_buf_free(bx);
    test_buf_free(by);
    free(x);
    free(y);
}

static void check_approach(size_t n, float weight)
{
    float *x = test_random(1, n, -1, 1), *y = test_random(2, n, -1, 1);
    struct us_buf *bx = test_buf(n, x), *by = test_buf(n, y);
    for (size_t i = 0; i < n; i++)
        y[i] = fmaf(weight, x[i] - y[i], y[i]);
    assert_ok(us_approach(test_device(), n, weight, bx, by));
    float *fast = test_buf_read(bx), *slow = test_buf_read(by);
    assert_memory_equal(fast, y, n * sizeof *fast);
    assert_memory_equal(slow, y, n * sizeof *slow);
    free(fast);
    free(slow);
    test_buf_free(bx);
    test_buf_free(by);
    free(x);
    free(y);
}

static void every_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check(sizes[i]);
        check_approach(sizes[i], 0.7f);
        check_approach(sizes[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
