/* Training runs whose convolutions multiply narrow numbers. */
#include "config.h"

#include "support/quadrants.h"

#include <stdlib.h>

#include "base/safetensors.h"

/* Convolutions by that algorithm: the same weights again on a second run, others than in float32, and about
 * as good. */
static void learns(enum unseen_precision precision, const char *algorithm)
{
    struct unseen_epoch *history[3];
    int epochs;
    struct unseen_recipe recipe = recipe_of(3);
    recipe.width = 16;
    struct us_train_job job = job_of(&recipe, NULL);
    assert_int_equal(setenv("UNSEEN_CONV", algorithm, 1), 0);
    for (int i = 0; i < 3; i++) {
        recipe.precision = i < 2 ? precision : UNSEEN_FLOAT32;
        assert_ok(us_train(session, &job, &history[i], &epochs));
    }
    unsetenv("UNSEEN_CONV");
    assert_true(history[0][2].train_loss < 0.7 * history[0][0].train_loss);
    assert_true(history[0][2].test_accuracy > 0.6);
    assert_true(history[0][2].train_loss == history[1][2].train_loss);
    assert_true(history[0][2].train_loss != history[2][2].train_loss);
    assert_float_equal(history[0][0].train_loss, history[2][0].train_loss, 0.1);
    assert_float_equal(history[0][2].test_accuracy, history[2][2].test_accuracy, 0.1);
    for (int i = 0; i < 3; i++)
        free(history[i]);
}

static void bf16_learns(void **state)
{
    (void)state;
    /* Of its own accord it would take Winograd, which is faster in float32. */
    learns(UNSEEN_BF16, us_device_has_bf16(test_device()) ? "direct-bf16" : "matrix-bf16");
}

static void f16_learns(void **state)
{
    (void)state;
    learns(UNSEEN_F16, "matrix-f16");
}

/* Stopped after an epoch and gone on from there, in f16: the loss is scaled as in the unbroken run. */
static void scaling_goes_on(void **state)
{
    (void)state;
    struct us_safetensors *file[2];
    const char *paths[] = {test_path("f16.safetensors"), test_path("f16-broken.safetensors")};
    char *whole_weights = us_format("%s", test_path("f16-whole-weights.safetensors"));
    struct unseen_recipe recipe = recipe_of(2);
    recipe.width = 16;
    recipe.precision = UNSEEN_F16;
    struct us_train_job job = job_of(&recipe, paths[0]);
    job.save = whole_weights;
    assert_ok(us_train(session, &job, NULL, NULL));
    job.state = paths[1];
    job.save = NULL;
    recipe.stop_after = 1;
    assert_ok(us_train(session, &job, NULL, NULL));
    recipe.stop_after = 0;
    job.save = test_path("f16-broken-weights.safetensors");
    assert_ok(us_train(session, &job, NULL, NULL));
    assert_same_bytes(whole_weights, job.save);
    free(whole_weights);
    const float *scaling[2];
    for (int i = 0; i < 2; i++) {
        assert_ok(us_safetensors_open(paths[i], &file[i]));
        scaling[i] = us_safetensors_find(file[i], "scaling")->data;
    }
    assert_memory_equal(scaling[0], scaling[1], 4 * sizeof(float));
    assert_true(scaling[0][0] * scaling[0][1] == 1.0f);
    assert_true(scaling[0][2] > 5.0f); /* steps, of ten, in a row */
    us_safetensors_close(file[0]);
    us_safetensors_close(file[1]);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_learns),
        cmocka_unit_test(f16_learns),
        cmocka_unit_test(scaling_goes_on),
    };
    return RUN_TESTS(tests, test_quadrants, test_quadrants_end);
}
