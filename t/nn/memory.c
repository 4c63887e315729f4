#include "config.h"

#include "support/device.h"

#include <stdlib.h>

#include "nn/model_parts.h"
#include "ops/loss.h"

/* Device memory of models: what is planned is what is taken, and taking less changes no number. */

enum { N = 5, CLASSES = 10 };

static struct us_model_spec spec_of(const char *name, int size)
{
    return (struct us_model_spec){.name = name,
                                  .width = 8,
                                  .classes = CLASSES,
                                  .height = size,
                                  .channels_in = 3,
                                  .batch = N,
                                  .training = true};
}

static struct us_model *model_of(const struct us_model_spec *spec)
{
    struct us_model *model;
    assert_ok(us_model_new(test_device(), spec, &model));
    assert_ok(us_model_init(model, 1));
    return model;
}

/* The part of the model in fresh memory. */
static float *part_of(struct us_model *model, enum us_model_part part)
{
    float *values = calloc(us_model_count(model, part), sizeof *values);
    assert_non_null(values);
    assert_ok(us_model_get(model, part, values));
    return values;
}

/* Gradients of the loss over made-up images. */
static void backward(struct us_model *model)
{
    const size_t pixels = (size_t)N * model->spec.height * model->spec.height * 3;
    const int32_t rows[N] = {0, 1, 2, 3, 4}, labels[N] = {3, 1, 4, 1, 5};
    float *x = test_random(3, pixels, -1, 1);
    struct us_buf *rows_buf = test_buf_int(N, rows), *labels_buf = test_buf_int(N, labels);
    struct us_buf *record = test_buf(N * (UNSEEN_N_ALWAYS + 1), NULL);
    assert_ok(us_write(test_device(), us_model_input(model), 0, x, pixels * sizeof *x));
    const struct us_loss loss = {.n = N,
                                 .classes = CLASSES,
                                 .logits = us_model_logits(model),
                                 .labels = labels_buf,
                                 .rows = rows_buf,
                                 .dlogits = us_model_dlogits(model),
                                 .record = record,
                                 .stride = N};
    assert_ok(us_model_forward(model, N, true));
    assert_ok(us_loss_run(test_device(), &loss));
    assert_ok(us_model_backward(model, N));
    test_buf_free(record);
    test_buf_free(rows_buf);
    test_buf_free(labels_buf);
    free(x);
}

static void assert_same(struct us_model *a, struct us_model *b, enum us_model_part part)
{
    float *values_a = part_of(a, part), *values_b = part_of(b, part);
    assert_memory_equal(values_a, values_b, us_model_count(a, part) * sizeof(float));
    free(values_a);
    free(values_b);
}

static const struct {
    const char *name;
    int size;
} models[] = {{"resnet18", 16}, {"resnet10", 70}, {"resnet50", 65}, {"convnet3", 17}, {"fastnet", 32}};
enum { MODELS = sizeof models / sizeof *models };

static void recomputed_gradients_are_the_same(void **state)
{
    (void)state;
    for (int k = 0; k < 2 * MODELS; k++) {
        struct us_model_spec spec = spec_of(models[k % MODELS].name, models[k % MODELS].size);
        struct us_model *kept = model_of(&spec);
        spec.recompute = true;
        struct us_model *again = model_of(&spec);
        if (k >= MODELS) {
            us_model_freeze(kept);
            us_model_freeze(again);
        }
        for (int step = 0; step < 2; step++) {
            backward(kept);
            backward(again);
            assert_same(kept, again, US_MODEL_GRADS);
            assert_same(kept, again, US_MODEL_STATS);
        }
        us_model_free(kept);
        us_model_free(again);
    }
}

static void planned_as_taken(void **state)
{
    (void)state;
    for (int k = 0; k < 3 * MODELS; k++) {
        struct us_model_spec spec = spec_of(models[k % MODELS].name, models[k % MODELS].size);
        uint64_t planned;
        spec.training = k < 2 * MODELS;
        spec.recompute = k < MODELS;
        spec.accumulate = k % 2 ? 3 : 1;
        assert_ok(us_model_memory(test_device(), &spec, &planned));
        const uint64_t before = us_device_memory(test_device()).used;
        struct us_model *model = model_of(&spec);
        assert_int_equal(us_device_memory(test_device()).used - before, planned);
        us_model_free(model);
        assert_int_equal(us_device_memory(test_device()).used, before);
    }
}

static uint64_t planned_bytes(const struct us_graph *graph, int batch, enum us_plan_for purpose)
{
    struct us_plan plan;
    uint64_t bytes = 0;
    assert_ok(us_plan_make(graph, batch, purpose, NULL, &plan));
    for (int s = 0; s < plan.n_slots; s++)
        bytes += plan.slots[s];
    us_plan_free(&plan);
    return bytes;
}

/* ImageNet's usual batch is twice this one: 8 GiB hold it with all that is not planned here. */
static void recomputation_takes_less(void **state)
{
    (void)state;
    struct us_model_spec spec = spec_of("resnet50", 224);
    struct us_graph graph = {0};
    spec.width = 64;
    assert_ok(us_graph_of(&spec, &graph));
    const uint64_t kept = planned_bytes(&graph, 128, US_PLAN_TRAINING);
    const uint64_t again = planned_bytes(&graph, 128, US_PLAN_RECOMPUTE);
    assert_true(kept > UINT64_C(10) << 30);
    assert_true(again < UINT64_C(13) << 28); /* 3.25 GiB */
    us_graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recomputed_gradients_are_the_same),
        cmocka_unit_test(planned_as_taken),
        cmocka_unit_test(recomputation_takes_less),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
