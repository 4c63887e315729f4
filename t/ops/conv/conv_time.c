#include "config.h"

#include "ops/conv/conv_time.h"

#include <math.h>
#include <stdio.h>

#include "support/cmocka.h"
#include "support/device.h"

static const struct us_conv_shape shape = {
    .n = 3, .h = 6, .w = 5, .cin = 7, .cout = 20, .kernel = 3, .stride = 1, .pad = 1};

static void all_candidates_get_a_time(void **state)
{
    (void)state;
    for (int d = 0; d < US_CONV_DIRECTIONS; d++) {
        struct us_conv_timing timing[16] = {{.algorithm = ""}};
        int n = 0;
        for (int i = 0; us_conv_algorithm_at(i) && n < 16; i++)
            if (us_conv_suits(test_device(), us_conv_algorithm_at(i), &shape, (enum us_conv_direction)d))
                snprintf(timing[n++].algorithm, US_CONV_NAME, "%s", us_conv_algorithm_at(i));
        assert_true(n >= 2);
        assert_ok(us_conv_time(test_device(), &shape, (enum us_conv_direction)d, 2, timing, n));
        for (int i = 0; i < n; i++) {
            assert_true(timing[i].seconds > 0); /* so none was found to compute something else */
            assert_int_equal(timing[i].why, US_CONV_WISHED);
        }
    }
}

static void the_chosen_one_is_named(void **state)
{
    (void)state;
    struct us_conv_timing timing = {.algorithm = ""};
    assert_ok(us_conv_time(test_device(), &shape, US_CONV_BWD_DATA, 1, &timing, 1));
    assert_int_not_equal(timing.algorithm[0], 0);
    assert_int_not_equal(timing.why, US_CONV_WISHED);
    assert_true(timing.seconds > 0);
}

static void what_cannot_be_built_is_left_out(void **state)
{
    (void)state;
    struct us_conv_timing timing[] = {{.algorithm = "magic"}, {.algorithm = "im2col"}};
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    assert_ok(us_conv_time(test_device(), &shape, US_CONV_FORWARD, 1, timing, 2));
    unseen_log_level_set(UNSEEN_LOG_INFO);
    assert_true(isnan(timing[0].seconds));
    assert_true(timing[1].seconds > 0);
    assert_int_equal(us_conv_time(test_device(), &shape, US_CONV_FORWARD, 1, timing, 1), UNSEEN_USAGE);
}

int main(void)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_candidates_get_a_time),
        cmocka_unit_test(the_chosen_one_is_named),
        cmocka_unit_test(what_cannot_be_built_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
