#include "config.h"

/* Its loops for any processor are reached by no machine that has AVX2. */
#include "datasets/image/filter.c"

#include <stdlib.h>

#include "support/cmocka.h"
#include "support/picture.h"

enum { OUTPUTS = 21, ROW = 4 * 64, MOST_TAPS = 8 };

static void columns_are_the_same_in_wide_registers(void **state)
{
    (void)state;
    uint8_t row[ROW], plain[3 * OUTPUTS + 1], wide[3 * OUTPUTS + 1];
    int32_t weights[4 * OUTPUTS * MOST_TAPS];
    int first[OUTPUTS];
    for (int i = 0; i < ROW; i++)
        row[i] = test_noise((uint32_t)i);
    for (int taps = US_FILTER_TAPS; taps <= MOST_TAPS; taps += US_FILTER_TAPS) {
        for (int i = 0; i < OUTPUTS; i++)
            first[i] = 2 * i;
        for (int i = 0; i < 4 * OUTPUTS * taps; i++)
            weights[i] = test_noise((uint32_t)(i / 4)) * ((1 << US_FILTER_BITS) / 200) / taps;
        columns_plain(row, first, weights, taps, OUTPUTS, plain);
        us_filter_columns(row, first, weights, taps, OUTPUTS, wide);
        assert_memory_equal(plain, wide, 3 * OUTPUTS);
    }
}

static void rows_are_the_same_in_wide_registers(void **state)
{
    (void)state;
    uint8_t bytes[MOST_TAPS][64 + 15], plain[64], wide[64];
    const uint8_t *rows[MOST_TAPS];
    int32_t weights[MOST_TAPS];
    for (int k = 0; k < MOST_TAPS; k++) {
        rows[k] = bytes[k];
        for (int i = 0; i < 64 + 15; i++)
            bytes[k][i] = test_noise((uint32_t)(100 * k + i));
    }
    for (int n = 1; n <= MOST_TAPS; n++) {
        for (int k = 0; k < n; k++)
            weights[k] = test_noise((uint32_t)k) * ((1 << US_FILTER_BITS) / 200) / n;
        for (size_t size = 1; size <= 64; size++) {
            memset(wide, 0x5a, sizeof wide);
            rows_plain(rows, weights, n, size, plain);
            us_filter_rows(rows, weights, n, size, wide);
            assert_memory_equal(plain, wide, size);
            for (size_t i = size; i < sizeof wide; i++)
                assert_int_equal(wide[i], 0x5a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_the_same_in_wide_registers),
        cmocka_unit_test(rows_are_the_same_in_wide_registers),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
