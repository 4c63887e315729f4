#include "config.h"

#include "select/quotas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

/* Sizes 5, 3, 0, 2 and m = 5 of 10: shares 2.5, 1.5, 0, 1; the one left over goes to the lower of the two
 * classes with remainder a half: 3, 1, 0, 1. With m = 4: 2, 1.2, 0, 0.8 gives 2, 1, 0, 1. */
static void quotas_by_hand(void **state)
{
    (void)state;
    static const int64_t size[] = {5, 3, 0, 2};
    int64_t quota[4];
    assert_ok(us_proportional_quotas(size, 4, 10, 5, quota));
    assert_memory_equal(quota, ((int64_t[]){3, 1, 0, 1}), sizeof quota);
    assert_ok(us_proportional_quotas(size, 4, 10, 4, quota));
    assert_memory_equal(quota, ((int64_t[]){2, 1, 0, 1}), sizeof quota);
    /* Products of billions: 3 * 10^9 and 5 * 10^9 of 8 * 10^9, half of them. */
    assert_ok(us_proportional_quotas((int64_t[]){3000000000, 5000000000}, 2, 8000000000, 4000000000, quota));
    assert_true(quota[0] == 1500000000 && quota[1] == 2500000000);
}

static void quotas_always_fit(void **state)
{
    (void)state;
    static const int64_t size[] = {1, 17, 4, 0, 9, 2};
    for (int64_t m = 1; m <= 33; m++) {
        int64_t quota[6], sum = 0;
        assert_ok(us_proportional_quotas(size, 6, 33, m, quota));
        for (int c = 0; c < 6; c++) {
            assert_true(quota[c] >= 0 && quota[c] <= size[c]);
            sum += quota[c];
        }
        assert_int_equal(sum, m);
    }
}

/* Equal weights of 10, 10 and 2 samples, m = 9: three each would take more than the last has; 7 are left for
 * the other two. Weight 0 gives nothing until the others are used up. */
static void weighted_quotas_by_hand(void **state)
{
    (void)state;
    int64_t quota[3];
    assert_ok(us_weighted_quotas((int64_t[]){10, 10, 2}, (double[]){1, 1, 1}, 3, 9, quota));
    assert_memory_equal(quota, ((int64_t[]){4, 3, 2}), sizeof quota);
    assert_ok(us_weighted_quotas((int64_t[]){10, 10, 2}, (double[]){1, 3, 0}, 3, 8, quota));
    assert_memory_equal(quota, ((int64_t[]){2, 6, 0}), sizeof quota);
    assert_ok(us_weighted_quotas((int64_t[]){4, 3, 9}, (double[]){1, 1, 0}, 3, 10, quota));
    assert_memory_equal(quota, ((int64_t[]){4, 3, 3}), sizeof quota);
    assert_ok(us_weighted_quotas((int64_t[]){4, 4, 8}, (double[]){0, 0, 0}, 3, 4, quota));
    assert_memory_equal(quota, ((int64_t[]){1, 1, 2}), sizeof quota);
}

static void weighted_quotas_always_fit(void **state)
{
    (void)state;
    static const int64_t size[] = {1, 17, 4, 0, 9, 2};
    static const double weight[] = {0.3, 1e-9, 5, 2, 0, 0.3};
    for (int64_t m = 1; m <= 33; m++) {
        int64_t quota[6], sum = 0;
        assert_ok(us_weighted_quotas(size, weight, 6, m, quota));
        for (int c = 0; c < 6; c++) {
            assert_true(quota[c] >= 0 && quota[c] <= size[c]);
            sum += quota[c];
        }
        assert_int_equal(sum, m);
    }
}

/* Classes of 10 and 30 with errors 0.3 and 0.1: 3 unseen errors each. Proportional is 1/4 and 3/4, the focus
 * turns it to halves. */
static void class_weights_by_hand(void **state)
{
    (void)state;
    static const int64_t size[] = {10, 30};
    static const double error[] = {0.3, 0.1};
    double weight[2];
    struct unseen_select_options options = {.class_error = error};
    const double want[][2] = {{0.25, 0.75}, {0.375, 0.625}, {0.5, 0.5}};
    for (int i = 0; i < 3; i++) {
        options.class_focus = 0.5 * i;
        assert_ok(us_class_weights(size, 2, &options, weight));
        assert_true(fabs(weight[0] - want[i][0]) < 1e-12 && fabs(weight[1] - want[i][1]) < 1e-12);
    }
    options = (struct unseen_select_options){.quota = UNSEEN_QUOTA_EQUAL};
    assert_ok(us_class_weights(size, 2, &options, weight));
    assert_true(weight[0] == 0.5 && weight[1] == 0.5);
    static const double perfect[] = {0, 0};
    options = (struct unseen_select_options){.class_error = perfect, .class_focus = 1};
    assert_ok(us_class_weights(size, 2, &options, weight));
    assert_true(weight[0] == 0.25 && weight[1] == 0.75);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotas_by_hand),          cmocka_unit_test(quotas_always_fit),
        cmocka_unit_test(weighted_quotas_by_hand), cmocka_unit_test(weighted_quotas_always_fit),
        cmocka_unit_test(class_weights_by_hand),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
