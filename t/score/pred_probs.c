/* Probabilities for other tools: averaged over repeats, of one epoch, in rows of sum 1. */
#include "config.h"

#include "base/half.h"
#include "base/npy.h"
#include "support/folder.h"
#include "support/score.h"

enum { N = 3, REPEATS = 2, EPOCHS = 2, CLASSES = 2 };

/* [repeat][epoch][sample]: probability of class 0. */
static const float first[REPEATS][EPOCHS][N] = {{{0.5F, 0.25F, 0.75F}, {0.125F, 1, 0}},
                                                {{0.75F, 0.75F, 0.75F}, {0.375F, 1, 0.5F}}};

static struct us_trajectory_build *build(void)
{
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_FOLD, N, REPEATS, EPOCHS, CLASSES, 2, &b));
    assert_ok(us_trajectory_demand(b, 1u << UNSEEN_PROBS, 0));
    for (int k = 0; k < REPEATS * EPOCHS * N; k++) {
        const float p = (&first[0][0][0])[k];
        b->probs[2 * k] = us_float_to_half(p);
        b->probs[2 * k + 1] = us_float_to_half(1 - p);
    }
    return b;
}

static void assert_rows(const struct us_trajectory_build *b, int epoch, const float *want)
{
    const char *path = test_path("pred_probs.npy");
    float *rows;
    int64_t shape[2];
    assert_ok(unseen_pred_probs_write(&b->view, epoch, path));
    assert_ok(us_npy_read_f32(path, 2, shape, &rows));
    assert_int_equal(shape[0], N);
    assert_int_equal(shape[1], CLASSES);
    assert_memory_equal(rows, want, N * CLASSES * sizeof *want);
    free(rows);
}

static void repeats_are_averaged(void **state)
{
    (void)state;
    struct us_trajectory_build *b = build();
    assert_rows(b, -1, (float[]){0.25F, 0.75F, 1, 0, 0.25F, 0.75F});
    assert_rows(b, 1, (float[]){0.25F, 0.75F, 1, 0, 0.25F, 0.75F});
    assert_rows(b, 0, (float[]){0.625F, 0.375F, 0.5F, 0.5F, 0.75F, 0.25F});
    us_trajectory_free(b);
}

/* Rows that half precision left short of 1, or without anything, and one of a skipped sample. */
static void rows_sum_to_one(void **state)
{
    (void)state;
    static const uint8_t skipped[N] = {0, 1, 0};
    struct us_trajectory_build *b = build();
    for (int r = 0; r < REPEATS; r++) {
        uint16_t *row = b->probs + (r * EPOCHS + 1) * N * CLASSES;
        row[0] = us_float_to_half(0.25F); /* with 0.25 again: half of it is missing */
        row[1] = us_float_to_half(0.25F);
        row[4] = row[5] = 0;
    }
    b->view.skipped = skipped;
    assert_rows(b, -1, (float[]){0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F});
    us_trajectory_free(b);
}

static void refuses(void **state)
{
    (void)state;
    struct us_trajectory_build *b = build();
    const char *path = test_path("none.npy");
    assert_fails(UNSEEN_USAGE, "--epoch: 2 is not in 0..1", unseen_pred_probs_write(&b->view, 2, path));
    b->probs[(EPOCHS * N + 1) * CLASSES] = us_float_to_half(1.5F);
    assert_fails(UNSEEN_BAD_DATA, "1.5 of sample 1 is no probability",
                 unseen_pred_probs_write(&b->view, 0, path));
    b->probs[(EPOCHS * N + 1) * CLASSES] = 0x7e00; /* NaN */
    assert_fails(UNSEEN_BAD_DATA, "of sample 1 is no probability",
                 unseen_pred_probs_write(&b->view, 0, path));
    b->view.probs = NULL;
    assert_fails(UNSEEN_USAGE, "lacks probs", unseen_pred_probs_write(&b->view, -1, path));
    assert_non_null(strstr(unseen_last_hint(), "--record-also probs"));
    assert_false(us_exists(path));
    us_trajectory_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_are_averaged),
        cmocka_unit_test(rows_sum_to_one),
        cmocka_unit_test(refuses),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
