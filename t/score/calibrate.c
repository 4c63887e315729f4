#include "config.h"

#include "score/calibrate.h"

#include <math.h>
#include <string.h>

#include "support/cmocka.h"

static void assert_near(const double *got, const double *want, int n)
{
    for (int i = 0; i < n; i++) {
        if (!(fabs(got[i] - want[i]) <= 1e-12))
            fail_msg("[%d] is %.17g instead of %.17g", i, got[i], want[i]);
    }
}

static void none_changes_nothing(void **state)
{
    (void)state;
    double scores[] = {3, -1, 7};
    assert_ok(us_calibrate(UNSEEN_CALIBRATE_NONE, NULL, 3, scores));
    assert_near(scores, (double[]){3, -1, 7}, 3);
}

/* Fold 0 is {1, 3}: mean 2, deviation 1. Fold 4 is {10, 20, 30}: mean 20, deviation sqrt(200/3) = 8.16497, so
 * 10/8.16497 = 1.224745 = sqrt(1.5). */
static void zscores_by_hand(void **state)
{
    (void)state;
    static const uint8_t fold[] = {4, 0, 4, 0, 4};
    double scores[] = {10, 1, 20, 3, 30};
    assert_ok(us_calibrate(UNSEEN_CALIBRATE_ZSCORE, fold, 5, scores));
    assert_near(scores, (double[]){-sqrt(1.5), -1, 0, 1, sqrt(1.5)}, 5);
}

/* Three times 0.1 has a mean that is not exactly 0.1. */
static void equal_scores_become_zero(void **state)
{
    (void)state;
    static const uint8_t fold[] = {0, 0, 0, 1, 2, 2};
    double scores[] = {0.1, 0.1, 0.1, 5, 1, 2};
    assert_ok(us_calibrate(UNSEEN_CALIBRATE_ZSCORE, fold, 6, scores));
    assert_near(scores, (double[]){0, 0, 0, 0, -1, 1}, 6);
    double tiny[] = {0, 5e-324};
    assert_ok(us_calibrate(UNSEEN_CALIBRATE_ZSCORE, NULL, 2, tiny));
    assert_true(isfinite(tiny[0]) && isfinite(tiny[1]));
}

/* Fold 0 is {3, 1, 1}: ranks 3, 1.5, 1.5; (rank - 0.5) / 3 = 5/6, 1/3, 1/3. Fold 9 is {7}: 1/2. */
static void ranks_by_hand(void **state)
{
    (void)state;
    static const uint8_t fold[] = {0, 9, 0, 0};
    double scores[] = {3, 7, 1, 1};
    assert_ok(us_calibrate(UNSEEN_CALIBRATE_RANK, fold, 4, scores));
    assert_near(scores, (double[]){5.0 / 6, 0.5, 1.0 / 3, 1.0 / 3}, 4);
}

/* Without folds: {4, 2, 8, 2} has ranks 3, 1.5, 4, 1.5. */
static void no_folds_are_one(void **state)
{
    (void)state;
    double scores[] = {4, 2, 8, 2};
    assert_ok(us_calibrate(UNSEEN_CALIBRATE_RANK, NULL, 4, scores));
    assert_near(scores, (double[]){0.625, 0.25, 0.875, 0.25}, 4);
}

static void parses_names(void **state)
{
    (void)state;
    enum unseen_calibration c;
    assert_ok(unseen_calibration_parse("none", &c));
    assert_int_equal(c, UNSEEN_CALIBRATE_NONE);
    assert_ok(unseen_calibration_parse("zscore", &c));
    assert_int_equal(c, UNSEEN_CALIBRATE_ZSCORE);
    assert_ok(unseen_calibration_parse("rank", &c));
    assert_int_equal(c, UNSEEN_CALIBRATE_RANK);
    assert_fails(UNSEEN_USAGE, "--calibrate: 'z'", unseen_calibration_parse("z", &c));
}

/* 0, 1, 2, 3, 4 scaled to [0,1]: quartiles 0.25 and 0.75; five bins of 1/5 each: entropy ln 5 / ln 50. */
static void spread_by_hand(void **state)
{
    (void)state;
    struct unseen_spread s;
    assert_ok(unseen_spread((float[]){3, 1, 0, 4, 2}, 5, &s));
    assert_true(s.min == 0 && s.max == 4);
    assert_near((double[]){s.iqr, s.entropy}, (double[]){0.5, log(5) / log(50)}, 2);
    assert_true(s.bins[0] == 1 && s.bins[12] == 1 && s.bins[25] == 1 && s.bins[37] == 1 && s.bins[49] == 1);
    /* Between order statistics: of {0, 1, 4, 10} the quartiles lie at 0.75 and 5.5, of a range of 10. */
    assert_ok(unseen_spread((float[]){10, 4, 1, 0}, 4, &s));
    assert_near(&s.iqr, (double[]){0.475}, 1);
}

static void spread_extremes(void **state)
{
    (void)state;
    struct unseen_spread s;
    float even[500];
    for (int i = 0; i < 500; i++)
        even[i] = (float)i + 0.5f;
    assert_ok(unseen_spread(even, 500, &s));
    assert_near(&s.entropy, (double[]){1}, 1);
    assert_ok(unseen_spread((float[]){2, 2, 2}, 3, &s));
    assert_true(s.iqr == 0 && s.entropy == 0 && !signbit(s.entropy) && s.bins[0] == 3);
    assert_fails(UNSEEN_USAGE, "none", unseen_spread(even, 0, &s));
    assert_fails(UNSEEN_BAD_DATA, "nan of sample 1", unseen_spread((float[]){1, NAN}, 2, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_changes_nothing),     cmocka_unit_test(zscores_by_hand),
        cmocka_unit_test(equal_scores_become_zero), cmocka_unit_test(ranks_by_hand),
        cmocka_unit_test(no_folds_are_one),         cmocka_unit_test(parses_names),
        cmocka_unit_test(spread_by_hand),           cmocka_unit_test(spread_extremes),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
