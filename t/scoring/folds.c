#include "config.h"

#include "scoring/folds.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "support/cmocka.h"

enum { N = 1003, CLASSES = 7 };

/* Classes of unequal size, one of them (6) empty, in no order. */
static void draw_labels(int32_t labels[N])
{
    for (int i = 0; i < N; i++)
        labels[i] = (int32_t)((i * 2654435761u >> 8) % 21 % (CLASSES - 1));
}

static void sizes_differ_by_one(void **state)
{
    (void)state;
    int32_t labels[N];
    uint8_t fold[N];
    draw_labels(labels);
    for (int folds = 2; folds <= 255; folds += 23) {
        int in_all[255] = {0}, in_class[CLASSES][255] = {{0}};
        assert_ok(us_folds(labels, NULL, N, CLASSES, folds, 3, 0, fold));
        for (int i = 0; i < N; i++) {
            assert_in_range(fold[i], 0, folds - 1);
            in_all[fold[i]]++;
            in_class[labels[i]][fold[i]]++;
        }
        for (int f = 1; f < folds; f++) {
            assert_true(abs(in_all[f] - in_all[0]) <= 1);
            for (int c = 0; c < CLASSES; c++)
                for (int g = 0; g < f; g++)
                    assert_true(abs(in_class[c][f] - in_class[c][g]) <= 1);
        }
    }
}

static void depends_on_seed_and_repeat_alone(void **state)
{
    (void)state;
    int32_t labels[N];
    uint8_t a[N], b[N];
    draw_labels(labels);
    assert_ok(us_folds(labels, NULL, N, CLASSES, 5, 3, 0, a));
    assert_ok(us_folds(labels, NULL, N, CLASSES, 5, 3, 0, b));
    assert_memory_equal(a, b, N);
    assert_ok(us_folds(labels, NULL, N, CLASSES, 5, 3, 1, b));
    assert_memory_not_equal(a, b, N);
    assert_ok(us_folds(labels, NULL, N, CLASSES, 5, 4, 0, b));
    assert_memory_not_equal(a, b, N);
}

static void as_many_folds_as_samples(void **state)
{
    (void)state;
    static const int32_t labels[] = {1, 0, 1, 0};
    uint8_t fold[4];
    int seen = 0;
    assert_ok(us_folds(labels, NULL, 4, 2, 4, 0, 0, fold));
    for (int i = 0; i < 4; i++)
        seen |= 1 << fold[i];
    assert_int_equal(seen, 15);
}

/* Classes of seven samples and one of two, in eight folds: every model trains on some of each class. */
static void classes_smaller_than_the_folds(void **state)
{
    (void)state;
    int32_t labels[7 * 7 + 2];
    uint8_t fold[7 * 7 + 2];
    int in_all[8] = {0}, in_class[8][8] = {{0}};
    for (int i = 0; i < 7 * 7 + 2; i++)
        labels[i] = i / 7;
    for (int repeat = 0; repeat < 3; repeat++) {
        memset(in_all, 0, sizeof in_all);
        memset(in_class, 0, sizeof in_class);
        assert_ok(us_folds(labels, NULL, 7 * 7 + 2, 8, 8, 1, repeat, fold));
        for (int i = 0; i < 7 * 7 + 2; i++) {
            assert_in_range(fold[i], 0, 7);
            in_all[fold[i]]++;
            in_class[labels[i]][fold[i]]++;
        }
        for (int f = 0; f < 8; f++) {
            assert_in_range(in_all[f], 6, 7);
            for (int c = 0; c < 8; c++)
                assert_in_range(in_class[c][f], 0, 1);
        }
    }
}

static void refuses(void **state)
{
    (void)state;
    static const int32_t labels[] = {1, 0, 2, -1};
    uint8_t fold[4];
    assert_fails(UNSEEN_USAGE, "--folds: 1 ", us_folds(labels, NULL, 2, 2, 1, 0, 0, fold));
    assert_fails(UNSEEN_USAGE, "--folds: 256 ", us_folds(labels, NULL, 2, 2, 256, 0, 0, fold));
    assert_fails(UNSEEN_USAGE, "the 2 samples", us_folds(labels, NULL, 2, 2, 3, 0, 0, fold));
    assert_fails(UNSEEN_BAD_DATA, "2 of sample 2 is not in 0..1",
                 us_folds(labels, NULL, 3, 2, 2, 0, 0, fold));
    assert_fails(UNSEEN_BAD_DATA, "-1 of sample 3", us_folds(labels, NULL, 4, 3, 2, 0, 0, fold));
}

/* Without duplicates sample k of the order by class is in fold k mod folds. */
static void samples_that_differ_are_dealt_in_turn(void **state)
{
    (void)state;
    int32_t labels[N];
    int64_t self[N], items[N], n = 0;
    uint8_t a[N], b[N];
    draw_labels(labels);
    for (int i = 0; i < N; i++)
        self[i] = i;
    assert_ok(us_folds(labels, NULL, N, CLASSES, 6, 3, 2, a));
    assert_ok(us_folds(labels, self, N, CLASSES, 6, 3, 2, b));
    assert_memory_equal(a, b, N);
    for (int c = 0; c < CLASSES; c++) {
        int64_t first = n;
        for (int i = 0; i < N; i++) {
            if (labels[i] == c)
                items[n++] = i;
        }
        assert_ok(us_shuffle(3, US_STREAM_FOLD, 2, (size_t)(n - first), items + first));
    }
    for (int k = 0; k < N; k++)
        assert_int_equal(a[items[k]], k % 6);
}

/* Pairs, a triple with two labels and a large group; single samples even the sizes out. */
static void duplicates_share_a_fold(void **state)
{
    (void)state;
    int32_t labels[N];
    int64_t duplicate_of[N];
    uint8_t fold[N];
    draw_labels(labels);
    for (int i = 0; i < N; i++)
        duplicate_of[i] = i;
    for (int i = 500; i < 600; i++)
        duplicate_of[i] = i - 400;
    duplicate_of[700] = duplicate_of[701] = 3;
    for (int i = 800; i < 840; i++)
        duplicate_of[i] = 0;
    for (int folds = 2; folds < 12; folds++) {
        int in_all[12] = {0}, in_class[CLASSES][12] = {{0}};
        assert_ok(us_folds(labels, duplicate_of, N, CLASSES, folds, 3, 0, fold));
        for (int i = 0; i < N; i++) {
            assert_int_equal(fold[i], fold[duplicate_of[i]]);
            in_all[fold[i]]++;
            in_class[labels[i]][fold[i]]++;
        }
        for (int f = 1; f < folds; f++) {
            assert_in_range(in_all[f] - in_all[0] + 2, 0, 4);
            for (int c = 0; c < CLASSES; c++)
                assert_in_range(in_class[c][f] - in_class[c][0] + 2, 0, 4);
        }
    }
    static const int64_t same[] = {0, 0, 2, 0};
    assert_ok(us_folds(labels, same, 4, CLASSES, 2, 0, 0, fold));
    assert_int_not_equal(fold[0], fold[2]);
    assert_fails(UNSEEN_USAGE, "the 2 samples that differ",
                 us_folds(labels, same, 4, CLASSES, 3, 0, 0, fold));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_differ_by_one),
        cmocka_unit_test(depends_on_seed_and_repeat_alone),
        cmocka_unit_test(as_many_folds_as_samples),
        cmocka_unit_test(samples_that_differ_are_dealt_in_turn),
        cmocka_unit_test(classes_smaller_than_the_folds),
        cmocka_unit_test(duplicates_share_a_fold),
        cmocka_unit_test(refuses),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
