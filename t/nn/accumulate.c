/* Batches that pass through the model in parts. */
#include "config.h"

#include "support/quadrants.h"

#include "base/rng.h"
#include "nn/session.h"
#include "ops/loss.h"
#include "ops/sgd.h"

enum { BATCH = 32, PARTS = 4, PART = BATCH / PARTS, USED = 84 /* the last batch has two and a half parts */ };

static struct unseen_recipe recipe_in_parts(void)
{
    struct unseen_recipe recipe = recipe_of(2);
    recipe.batch = BATCH;
    recipe.accumulate = PARTS;
    recipe.pad = recipe.flip = 0;
    return recipe;
}

/* Gradients of samples [n] as a part of a batch of `over`. */
static void backward(struct us_model *model, const int64_t *samples, int n, int over)
{
    float x[PART * PIXELS];
    int32_t rows[PART], answers[PART];
    for (int i = 0; i < n; i++) {
        rows[i] = i;
        answers[i] = labels[UNSEEN_TRAIN][samples[i]];
        for (int p = 0; p < PIXELS; p++)
            x[i * PIXELS + p] =
                ((float)pixels[UNSEEN_TRAIN][samples[i]][p] / 255.0f - data.mean[0]) / data.std[0];
    }
    struct us_buf *rows_buf = test_buf_int((size_t)n, rows), *labels_buf = test_buf_int((size_t)n, answers);
    struct us_buf *record = test_buf((size_t)n * (UNSEEN_N_ALWAYS + 1), NULL);
    const struct us_loss loss = {.n = n,
                                 .over = over,
                                 .classes = CLASSES,
                                 .logits = us_model_logits(model),
                                 .labels = labels_buf,
                                 .rows = rows_buf,
                                 .dlogits = us_model_dlogits(model),
                                 .record = record,
                                 .stride = (size_t)n};
    assert_ok(us_write(test_device(), us_model_input(model), 0, x, (size_t)n * PIXELS * sizeof *x));
    assert_ok(us_model_forward(model, n, true));
    assert_ok(us_loss_run(test_device(), &loss));
    assert_ok(us_model_backward(model, n));
    test_buf_free(rows_buf);
    test_buf_free(labels_buf);
    test_buf_free(record);
}

static float *part_of(struct us_model *model, enum us_model_part part)
{
    float *values = calloc(us_model_count(model, part), sizeof *values);
    assert_non_null(values);
    assert_ok(us_model_get(model, part, values));
    return values;
}

static struct us_model *model_of(int accumulate)
{
    struct us_model *model;
    const struct unseen_recipe recipe = recipe_in_parts();
    struct us_model_spec spec = us_spec_of(&recipe, session->data, session->view[0].input.size);
    assert_int_equal(spec.batch, PART);
    assert_int_equal(spec.accumulate, PARTS);
    spec.accumulate = accumulate;
    assert_ok(us_model_new(test_device(), &spec, &model));
    assert_ok(us_model_init(model, 3));
    return model;
}

/* The gradients of a batch on the host, of a model that knows of one part alone. */
static float *sum_of_parts(struct us_model *model, const int64_t *samples, int n)
{
    float *sum = NULL;
    for (int at = 0; at < n; at += PART) {
        backward(model, samples + at, n - at < PART ? n - at : PART, n);
        float *grads = part_of(model, US_MODEL_GRADS);
        for (size_t i = 0; sum && i < us_model_count(model, US_MODEL_GRADS); i++)
            grads[i] += sum[i];
        free(sum);
        sum = grads;
    }
    return sum;
}

static void parts_add_up(void **state)
{
    (void)state;
    const int sizes[] = {BATCH, 2 * PART + 3, PART, 5};
    struct us_model *one = model_of(1), *several = model_of(PARTS);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int n = sizes[k];
        float *want = sum_of_parts(one, everyone, n);
        for (int at = 0; at < n; at += PART) {
            const bool last = at + PART >= n;
            backward(several, everyone + at, last ? n - at : PART, n);
            assert_ok(us_model_accumulate(several, at == 0, last));
        }
        float *got = part_of(several, US_MODEL_GRADS);
        assert_memory_equal(got, want, us_model_count(one, US_MODEL_GRADS) * sizeof *got);
        free(got);
        free(want);
    }
    assert_fails(UNSEEN_USAGE, "several parts", us_model_accumulate(one, true, false));
    us_model_free(one);
    us_model_free(several);
}

/* Two epochs of training against the same by hand. */
static void check_steps(const struct unseen_recipe recipe)
{
    struct us_train_job job = job_of(&recipe, NULL);
    struct us_model *model = model_of(1);
    int64_t order[USED];
    job.n_train = USED;
    job.n_heldout = 0;
    job.test = false;
    job.seed = 3;
    assert_ok(us_train(session, &job, NULL, NULL));
    for (int step = 0; step < 6; step++) {
        const int at = step % 3 * BATCH, n = USED - at < BATCH ? USED - at : BATCH;
        if (at == 0) {
            memcpy(order, everyone, sizeof order);
            assert_ok(us_shuffle(job.seed, US_STREAM_SHUFFLE, (uint32_t)step / 3, USED, order));
        }
        float *sum = sum_of_parts(model, order + at, n);
        for (size_t i = 0; recipe.loss == UNSEEN_LOSS_SUM && i < us_model_count(model, US_MODEL_GRADS); i++)
            sum[i] *= (float)n;
        assert_ok(us_model_set(model, US_MODEL_GRADS, sum));
        struct us_sgd sgd = {.lr = us_schedule_lr(&recipe, step, 6),
                             .momentum = recipe.momentum,
                             .weight_decay = us_recipe_decay(&recipe),
                             .nesterov = true};
        us_model_groups(model, recipe.bias_lr, true, &sgd);
        assert_ok(us_model_step(model, &sgd));
        free(sum);
    }
    for (int k = 0; k < 2; k++) {
        const enum us_model_part part = k ? US_MODEL_STATS : US_MODEL_PARAMS;
        float *want = part_of(model, part), *got = part_of(session->model, part);
        test_close(k ? "statistics" : "weights", got, want, us_model_count(model, part), 1e-4);
        free(want);
        free(got);
    }
    us_model_free(model);
}

static void steps_are_of_whole_batches(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_in_parts();
    check_steps(recipe);
    recipe.loss = UNSEEN_LOSS_SUM;
    recipe.lr /= BATCH;
    recipe.bias_lr = 4;
    recipe.weight_decay = 0.002f;
    recipe.decay_form = UNSEEN_DECAY_DECOUPLED;
    check_steps(recipe);
}

/* Parts are part of what a run is; recomputation is not. */
static void goes_on_in_the_same_parts(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_in_parts();
    struct us_train_job job = job_of(&recipe, NULL);
    job.save = test_path("whole.safetensors");
    assert_ok(us_train(session, &job, NULL, NULL));
    job.state = test_path("state.safetensors");
    job.save = test_path("broken.safetensors");
    recipe.stop_after = 1;
    assert_ok(us_train(session, &job, NULL, NULL));
    recipe.stop_after = 0;
    recipe.accumulate = 2;
    assert_fails(UNSEEN_USAGE, "it has \"accumulate 4\", this run \"accumulate 2\"",
                 us_train(session, &job, NULL, NULL));
    recipe.accumulate = PARTS;
    recipe.recompute = 1;
    assert_ok(us_train(session, &job, NULL, NULL));
    assert_same_bytes(test_path("whole.safetensors"), job.save);
}

static void unequal_parts_are_refused(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_in_parts();
    recipe.accumulate = 5;
    assert_fails(UNSEEN_USAGE, "--batch 32 is not made of 5 equal parts", unseen_recipe_check(&recipe));
    assert_string_equal(unseen_last_hint(), "--batch 35 would be");
    recipe.accumulate = 0;
    assert_fails(UNSEEN_USAGE, "--accumulate", unseen_recipe_check(&recipe));
}

/* What the hint names does fit. */
static void parts_that_fit_are_named(void **state)
{
    (void)state;
    struct unseen_device *device;
    struct us_model *model;
    int batch, parts;
    setenv("UNSEEN_MEMORY_LIMIT", "8", 1);
    assert_ok(unseen_device_open(NULL, &device));
    unsetenv("UNSEEN_MEMORY_LIMIT");
    const struct unseen_recipe recipe = recipe_in_parts();
    struct us_model_spec spec = us_spec_of(&recipe, session->data, session->view[0].input.size);
    spec.batch = 512;
    spec.accumulate = 2;
    assert_fails(UNSEEN_FAILED, "8.0 MiB are free", us_model_new(device, &spec, &model));
    assert_int_equal(sscanf(unseen_last_hint(), "--batch %d would fit, or --accumulate %d;", &batch, &parts),
                     2);
    assert_non_null(strstr(unseen_last_hint(), "--recompute"));
    assert_int_equal(1024 % parts, 0);
    assert_true(1024 / parts <= batch);
    spec.batch = 1024 / parts;
    spec.accumulate = parts;
    assert_ok(us_model_new(device, &spec, &model));
    us_model_free(model);
    unseen_device_close(device);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(steps_are_of_whole_batches),
        cmocka_unit_test(goes_on_in_the_same_parts),
        cmocka_unit_test(unequal_parts_are_refused),
        cmocka_unit_test(parts_that_fit_are_named),
    };
    return RUN_TESTS(tests, test_quadrants, test_quadrants_end);
}
