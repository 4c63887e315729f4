#include "config.h"

#include "ops/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/sgd.h"
#include "support/device.h"

static const float step_lr = 0.5f;

/* One update and the step after it on gradients of 1 with `odd` at `at` (SIZE_MAX: none); the parameters,
 * begun at 0, are moved by -0.5 times the unscaled gradient. Returns the factor of the next pass. */
static float step(struct us_buf *state, size_t n, size_t at, float odd, float *moved)
{
    float *g = calloc(n, sizeof *g), *zero = calloc(n, sizeof *zero);
    assert_non_null(g);
    assert_non_null(zero);
    for (size_t i = 0; i < n; i++)
        g[i] = i == at ? odd : 1.0f;
    struct us_buf *grads = test_buf(n, g), *params = test_buf(n, zero), *velocity = test_buf(n, zero);
    struct us_sgd sgd = {.lr = step_lr, .scaling = state};
    assert_ok(us_scaling_update(test_device(), n, grads, state));
    assert_ok(us_sgd_step(test_device(), &sgd, n, params, grads, velocity));
    float *p = test_buf_read(params), *s = test_buf_read(state), factor = s[0];
    for (size_t i = 0; i < n; i++)
        assert_true(p[i] == p[0]);
    *moved = p[0];
    free(g);
    free(zero);
    free(p);
    free(s);
    test_buf_free(grads);
    test_buf_free(params);
    test_buf_free(velocity);
    return factor;
}

static void a_bad_gradient_skips_the_step(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {1, 7, 16, 300, 70001};
    const float odd[] = {INFINITY, -INFINITY, NAN};
    float moved;
    struct us_buf *state = test_buf(US_SCALING_FLOATS, NULL);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t n = sizes[s], places[] = {0, n / 2, n - 1};
        assert_ok(us_scaling_begin(test_device(), state));
        assert_true(step(state, n, SIZE_MAX, 0.0f, &moved) == 65536.0f);
        assert_true(moved == -step_lr / 65536.0f);
        for (int i = 0; i < 3; i++) {
            assert_true(step(state, n, places[i], odd[i], &moved) == 65536.0f / (float)(2 << i));
            assert_true(moved == 0.0f);
        }
        assert_true(step(state, n, SIZE_MAX, 0.0f, &moved) == 8192.0f);
        assert_true(moved == -step_lr / 8192.0f);
    }
    test_buf_free(state);
}

static void the_factor_grows_after_good_steps(void **unused)
{
    (void)unused;
    float moved;
    struct us_buf *state = test_buf(US_SCALING_FLOATS, (const float[]){4.0f, 0.0f, 1998.0f, 0.0f});
    assert_true(step(state, 3, SIZE_MAX, 0.0f, &moved) == 4.0f);
    assert_true(step(state, 3, SIZE_MAX, 0.0f, &moved) == 8.0f);
    assert_true(moved == -step_lr / 4.0f); /* the factor that these gradients had */
    assert_true(step(state, 3, SIZE_MAX, 0.0f, &moved) == 8.0f);
    assert_true(moved == -step_lr / 8.0f);
    test_buf_free(state);
}

static void it_stays_in_its_bounds(void **unused)
{
    (void)unused;
    float moved;
    struct us_buf *least = test_buf(US_SCALING_FLOATS, (const float[]){1.0f, 0.0f, 0.0f, 0.0f});
    struct us_buf *most = test_buf(US_SCALING_FLOATS, (const float[]){0x1p24f, 0.0f, 1999.0f, 0.0f});
    assert_true(step(least, 3, 1, NAN, &moved) == 1.0f);
    assert_true(step(most, 3, SIZE_MAX, 0.0f, &moved) == 0x1p24f);
    test_buf_free(least);
    test_buf_free(most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_gradient_skips_the_step),
        cmocka_unit_test(the_factor_grows_after_good_steps),
        cmocka_unit_test(it_stays_in_its_bounds),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
