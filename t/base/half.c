#include "config.h"

#include "base/half.h"

#include <math.h>
#include <string.h>

#include "support/cmocka.h"

static void every_half_survives_the_way_there_and_back(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        float f = us_half_to_float((uint16_t)h);
        uint16_t back = us_float_to_half(f);
        if (isnan(f))
            assert_true((back & 0x7c00) == 0x7c00 && (back & 0x3ff) != 0);
        else
            assert_int_equal(back, h);
    }
}

static void known_values(void **state)
{
    (void)state;
    assert_true(us_half_to_float(0x3c00) == 1.0f);
    assert_true(us_half_to_float(0xc000) == -2.0f);
    assert_true(us_half_to_float(0x7bff) == 65504.0f);
    assert_true(us_half_to_float(0x0001) == 0x1p-24f);
    assert_true(us_half_to_float(0x0400) == 0x1p-14f);
    assert_true(us_half_to_float(0x7c00) == INFINITY);
    assert_true(signbit(us_half_to_float(0x8000)));
}

static void rounds_to_nearest_even(void **state)
{
    (void)state;
    assert_int_equal(us_float_to_half(1.0f + 0x1p-11f), 0x3c00);
    assert_int_equal(us_float_to_half(1.0f + 0x1.8p-11f), 0x3c01);
    assert_int_equal(us_float_to_half(1.0f + 0x3p-11f), 0x3c02);
    assert_int_equal(us_float_to_half(65519.996f), 0x7bff);
    assert_int_equal(us_float_to_half(65520.0f), 0x7c00);
    assert_int_equal(us_float_to_half(-1e30f), 0xfc00);
    assert_int_equal(us_float_to_half(0x1p-25f), 0);
    assert_int_equal(us_float_to_half(0x1.000002p-25f), 1);
    assert_int_equal(us_float_to_half(0x1.8p-24f), 2);
    assert_int_equal(us_float_to_half(-1e-30f), 0x8000);
    assert_int_equal(us_float_to_half(0x1.ffep-15f), 0x0400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_survives_the_way_there_and_back),
        cmocka_unit_test(known_values),
        cmocka_unit_test(rounds_to_nearest_even),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
