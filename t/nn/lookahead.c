/* Weights that join their average every five steps. */
#include "config.h"

#include "support/quadrants.h"

#include <math.h>

#include "nn/session.h"

enum { EPOCHS = 2, STEPS = 5 /* of an epoch: 160 samples in batches of 32 */ };

static struct unseen_recipe recipe_with(bool lookahead)
{
    struct unseen_recipe recipe = recipe_of(EPOCHS);
    recipe.lookahead = lookahead;
    return recipe;
}

static float *part_of(enum us_model_part part)
{
    float *values = calloc(us_model_count(session->model, part), sizeof *values);
    assert_non_null(values);
    assert_ok(us_model_get(session->model, part, values));
    return values;
}

/* After an epoch, which is five steps, weights and running statistics lie between those that they began with
 * and those without an average. */
static void weights_join_their_average(void **state)
{
    (void)state;
    const float weight = (float)(1 - pow(0.95, 5) * pow((double)STEPS / (STEPS * EPOCHS), 3));
    static const enum us_model_part parts[] = {US_MODEL_PARAMS, US_MODEL_STATS};
    float *start[2], *plain[2];
    struct unseen_recipe recipe = recipe_with(false);
    struct us_train_job job = job_of(&recipe, NULL);
    assert_int_equal(job.n_train, STEPS * recipe.batch);
    recipe.stop_after = 1;
    assert_ok(us_train(session, &job, NULL, NULL));
    for (int k = 0; k < 2; k++)
        plain[k] = part_of(parts[k]);
    assert_ok(us_model_init(session->model, job.seed));
    for (int k = 0; k < 2; k++)
        start[k] = part_of(parts[k]);
    recipe.lookahead = 1;
    assert_ok(us_train(session, &job, NULL, NULL));
    for (int k = 0; k < 2; k++) {
        float *got = part_of(parts[k]), *slow = part_of(k ? US_MODEL_SLOW_STATS : US_MODEL_SLOW);
        const size_t n = us_model_count(session->model, parts[k]);
        for (size_t i = 0; i < n; i++)
            start[k][i] = fmaf(weight, plain[k][i] - start[k][i], start[k][i]);
        assert_memory_equal(got, start[k], n * sizeof *got);
        assert_memory_equal(got, slow, n * sizeof *got);
        free(got);
        free(slow);
        free(plain[k]);
        free(start[k]);
    }
}

/* Of seven steps the last two join the average only by what it is. */
static void the_end_is_the_average(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_with(true);
    struct us_train_job job = job_of(&recipe, NULL);
    float *after[2];
    recipe.epochs = 7;
    recipe.batch = 160;
    for (int k = 0; k < 2; k++) {
        recipe.stop_after = k ? 7 : 5;
        assert_ok(us_train(session, &job, NULL, NULL));
        after[k] = part_of(US_MODEL_PARAMS);
    }
    assert_memory_equal(after[0], after[1], us_model_count(session->model, US_MODEL_PARAMS) * sizeof(float));
    free(after[0]);
    free(after[1]);
    recipe.epochs = 6; /* the average is another, though its last step is the fifth, too */
    recipe.stop_after = 0;
    assert_ok(us_train(session, &job, NULL, NULL));
    after[0] = part_of(US_MODEL_PARAMS);
    after[1] = part_of(US_MODEL_SLOW);
    assert_memory_equal(after[0], after[1], us_model_count(session->model, US_MODEL_PARAMS) * sizeof(float));
    free(after[0]);
    free(after[1]);
}

static void stopped_runs_go_on(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_with(true);
    struct us_train_job job = job_of(&recipe, NULL);
    recipe.epochs = 3;
    job.n_train = 100; /* 4 steps an epoch: the average is behind the weights when it stops */
    job.save = test_path("whole.safetensors");
    assert_ok(us_train(session, &job, NULL, NULL));
    job.state = test_path("state.safetensors");
    job.save = test_path("broken.safetensors");
    recipe.stop_after = 1;
    assert_ok(us_train(session, &job, NULL, NULL));
    recipe.stop_after = 2;
    assert_ok(us_train(session, &job, NULL, NULL));
    recipe.stop_after = 0;
    recipe.lookahead = 0;
    assert_fails(UNSEEN_USAGE, "lookahead", us_train(session, &job, NULL, NULL));
    recipe.lookahead = 1;
    assert_ok(us_train(session, &job, NULL, NULL));
    assert_same_bytes(test_path("whole.safetensors"), job.save);
}

static void its_memory_is_planned(void **state)
{
    (void)state;
    struct us_model *model;
    uint64_t bytes[2];
    for (int k = 0; k < 2; k++) {
        const struct unseen_recipe recipe = recipe_with(k);
        const struct us_model_spec spec = us_spec_of(&recipe, &data, SIZE);
        assert_ok(us_model_memory(test_device(), &spec, &bytes[k]));
        const uint64_t used = us_device_memory(test_device()).used;
        assert_ok(us_model_new(test_device(), &spec, &model));
        assert_int_equal(us_device_memory(test_device()).used - used, bytes[k]);
        if (!k)
            assert_fails(UNSEEN_USAGE, "not built", us_model_lookahead(model, 0.5f));
        us_model_free(model);
    }
    assert_true(bytes[1] > bytes[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_join_their_average),
        cmocka_unit_test(the_end_is_the_average),
        cmocka_unit_test(stopped_runs_go_on),
        cmocka_unit_test(its_memory_is_planned),
    };
    test_device();
    return RUN_TESTS(tests, test_quadrants, test_quadrants_end);
}
