/* The gradient of one sample through a model as it is evaluated. */
#include "config.h"

#include "support/drawn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "nn/gradient.h"
#include "nn/model_parts.h"
#include "nn/session.h"

enum { N = 12 };

static int set_up(void **state)
{
    return test_drawn_session(state, N);
}

static struct unseen_recipe recipe_of(const char *model, int width)
{
    struct unseen_recipe recipe = test_small_recipe();
    strcpy(recipe.model, model);
    recipe.width = width;
    return recipe;
}

/* A model with running statistics unlike those of any batch. */
static struct us_model *model_of(const struct unseen_recipe *recipe, bool training)
{
    struct us_model *model;
    struct us_model_spec spec = us_spec_of(recipe, session->data, session->view[0].input.size);
    spec.batch = 1;
    spec.training = training;
    assert_ok(us_model_new(test_device(), &spec, &model));
    assert_ok(us_model_init(model, 3));
    size_t n = us_model_count(model, US_MODEL_STATS);
    float *stats = test_random(4, n, 0.3F, 0.8F);
    assert_ok(us_model_set(model, US_MODEL_STATS, stats));
    free(stats);
    return model;
}

/* Cross-entropy of a sample in double, from the logits of an evaluation pass, with the parameters moved along
 * `step` (times `length`). */
static double loss_at(struct us_model *model, int sample, const float *params, const float *step,
                      double length)
{
    size_t count = us_model_count(model, US_MODEL_PARAMS);
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    float *moved = calloc(count, sizeof *moved), *x = calloc(SIZE * SIZE * 3, sizeof *x), z[CLASSES];
    assert_true(moved && x);
    for (size_t i = 0; i < count; i++)
        moved[i] = (float)(params[i] + length * (step ? step[i] : 0));
    for (int p = 0; p < SIZE * SIZE * 3; p++)
        x[p] = (data->reader->pixels[UNSEEN_TRAIN][(size_t)sample * SIZE * SIZE * 3 + p] / 255.0F -
                data->mean[p % 3]) /
               data->std[p % 3];
    assert_ok(us_model_set(model, US_MODEL_PARAMS, moved));
    assert_ok(us_write(test_device(), us_model_input(model), 0, x, SIZE * SIZE * 3 * sizeof *x));
    assert_ok(us_model_forward(model, 1, false));
    assert_ok(us_read(test_device(), us_model_logits(model), 0, z, sizeof z));
    double sum = 0;
    for (int c = 0; c < CLASSES; c++)
        sum += exp((double)z[c]);
    free(moved);
    free(x);
    return log(sum) - (double)z[train->labels[sample]];
}

/* Whether element `i` of the model's parameters is trained. */
static bool is_trained(const struct us_model *model, size_t i)
{
    int k = 0;
    while (i >= model->graph.params.item[k].count)
        i -= model->graph.params.item[k++].count;
    return !model->graph.params.item[k].frozen;
}

/* One element after the other, by central differences. */
static double norm_by_differences(struct us_model *model, int sample)
{
    const double h = 4e-3;
    size_t count = us_model_count(model, US_MODEL_PARAMS);
    float *params = calloc(count, sizeof *params), *step = calloc(count, sizeof *step);
    double square = 0;
    assert_true(params && step);
    assert_ok(us_model_get(model, US_MODEL_PARAMS, params));
    for (size_t i = 0; i < count; i++) {
        if (!is_trained(model, i))
            continue;
        step[i] = 1;
        double slope =
            (loss_at(model, sample, params, step, h) - loss_at(model, sample, params, step, -h)) / (2 * h);
        square += slope * slope;
        step[i] = 0;
    }
    assert_ok(us_model_set(model, US_MODEL_PARAMS, params));
    free(params);
    free(step);
    return sqrt(square);
}

static void check(const char *name, int width, const int64_t *samples, int64_t n)
{
    const struct unseen_recipe recipe = recipe_of(name, width);
    struct us_model *model = model_of(&recipe, false);
    float norms[N];
    assert_ok(us_model_save(model, test_path("weights.safetensors")));
    assert_ok(us_gradient_norms(session, &recipe, test_path("weights.safetensors"), samples, n, NULL, norms));
    for (int64_t i = 0; i < n; i++) {
        double want = norm_by_differences(model, (int)samples[i]);
        printf("# %s, sample %d: %g, by differences %g\n", name, (int)samples[i], (double)norms[i], want);
        assert_true(fabs(norms[i] - want) < 0.02 * want);
    }
    us_model_free(model);
}

static void norms_are_those_of_differences(void **state)
{
    (void)state;
    check("convnet3", 2, (int64_t[]){0, 5, 11}, 3);
    check("resnet10", 1, (int64_t[]){7}, 1);
    check("fastnet-small", 2, (int64_t[]){3, 8}, 2);
}

/* A split that stays in host memory, or on the device: the same bits. */
static void streamed_samples_have_the_same_norms(void **state)
{
    (void)state;
    const struct unseen_recipe recipe = recipe_of("convnet3", 4);
    const int64_t samples[] = {3, 0, 11, 4, 7};
    struct us_model *model = model_of(&recipe, false);
    struct us_buf *pixels = session->view[0].pixels[UNSEEN_TRAIN];
    float norms[2][5];
    assert_ok(us_model_save(model, test_path("weights.safetensors")));
    for (int streams = 0; streams < 2; streams++) {
        session->view[0].pixels[UNSEEN_TRAIN] = streams ? NULL : pixels;
        assert_true(us_session_streams(session) == streams);
        assert_ok(us_gradient_norms(session, &recipe, test_path("weights.safetensors"), samples, 5, NULL,
                                    norms[streams]));
    }
    session->view[0].pixels[UNSEEN_TRAIN] = pixels;
    assert_memory_equal(norms[0], norms[1], sizeof norms[0]);
    us_model_free(model);
}

/* A frozen training pass computes what evaluation does, and no statistics move. */
static void a_frozen_model_is_as_evaluated(void **state)
{
    (void)state;
    static const char *const names[] = {"convnet3", "resnet10", "fastnet"};
    for (int k = 0; k < 3; k++) {
        const struct unseen_recipe recipe = recipe_of(names[k], 8);
        struct us_model *model = model_of(&recipe, true);
        size_t count = us_model_count(model, US_MODEL_STATS);
        float *x = test_random(9, SIZE * SIZE * 3, -1, 1), z[2][CLASSES];
        float *stats = calloc(count, sizeof *stats), *after = calloc(count, sizeof *after);
        assert_true(stats && after);
        assert_ok(us_model_get(model, US_MODEL_STATS, stats));
        us_model_freeze(model);
        for (int training = 0; training < 2; training++) {
            assert_ok(us_write(test_device(), us_model_input(model), 0, x, SIZE * SIZE * 3 * sizeof *x));
            assert_ok(us_model_forward(model, 1, training));
            assert_ok(us_read(test_device(), us_model_logits(model), 0, z[training], sizeof z[0]));
        }
        test_close(names[k], z[1], z[0], CLASSES, 1e-5);
        assert_ok(us_model_get(model, US_MODEL_STATS, after));
        assert_memory_equal(stats, after, count * sizeof *stats);
        free(stats);
        free(after);
        free(x);
        us_model_free(model);
    }
}

static void large_models_are_refused(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of("resnet10", 64);
    assert_ok(us_gradient_check(data, &recipe));
    recipe = recipe_of("resnet18", 64);
    assert_fails(UNSEEN_USAGE, "6000000 at most; resnet18 of width 64 has 11",
                 us_gradient_check(data, &recipe));
    assert_non_null(strstr(unseen_last_hint(), "grand takes that by the last layer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norms_are_those_of_differences),
        cmocka_unit_test(streamed_samples_have_the_same_norms),
        cmocka_unit_test(a_frozen_model_is_as_evaluated),
        cmocka_unit_test(large_models_are_refused),
    };
    test_device();
    return RUN_TESTS(tests, set_up, test_drawn_end);
}
