#include "config.h"

#include "support/device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/model.h"
#include "ops/loss.h"
#include "ops/sgd.h"

/* The kernels for CPUs and those for GPUs, which share hardly a line, train the same model. */

enum { N = 5, SIZE = 10, CLASSES = 7, WIDTH = 6, RECORD = (UNSEEN_N_ALWAYS + 1) * N };

/* What two steps leave. */
struct result {
    size_t params, stats;
    float *grads, *weights, *running; /* of the first step; after the second */
    float record[RECORD], logits[N * CLASSES];
};

struct run {
    struct unseen_device *device;
    struct us_model *model;
    struct us_buf *labels, *rows, *record;
};

static struct us_buf *words(struct unseen_device *device, size_t n, const int32_t *values)
{
    struct us_buf *buf = NULL;
    assert_ok(us_buf_new(device, n * sizeof *values, &buf));
    if (values)
        assert_ok(us_write(device, buf, 0, values, n * sizeof *values));
    return buf;
}

static void open_run(struct run *r, const char *shape)
{
    static const int32_t labels[N] = {3, 0, 6, 1, 3}, rows[N] = {4, 2, 0, 1, 3};
    const struct us_model_spec spec = {.name = "convnet3",
                                       .width = WIDTH,
                                       .classes = CLASSES,
                                       .height = SIZE,
                                       .channels_in = 3,
                                       .batch = N,
                                       .training = true};
    setenv("UNSEEN_SHAPE", shape, 1);
    assert_ok(unseen_device_open(NULL, &r->device));
    unsetenv("UNSEEN_SHAPE");
    assert_int_equal(us_device_is_cpu(r->device), strcmp(shape, "cpu") == 0);
    assert_ok(us_model_new(r->device, &spec, &r->model));
    assert_ok(us_model_init(r->model, 11));
    r->labels = words(r->device, N, labels);
    r->rows = words(r->device, N, rows);
    r->record = words(r->device, RECORD, NULL);
}

static void close_run(struct run *r)
{
    us_model_free(r->model);
    us_buf_free(r->device, r->labels);
    us_buf_free(r->device, r->rows);
    us_buf_free(r->device, r->record);
    unseen_device_close(r->device);
}

static void step(struct run *r, const float *x)
{
    const struct us_sgd sgd = {.lr = 0.1f, .momentum = 0.9f, .weight_decay = 5e-4f, .nesterov = true};
    const struct us_loss loss = {.n = N,
                                 .classes = CLASSES,
                                 .smoothing = 0.1f,
                                 .logits = us_model_logits(r->model),
                                 .labels = r->labels,
                                 .rows = r->rows,
                                 .dlogits = us_model_dlogits(r->model),
                                 .record = r->record,
                                 .stride = N,
                                 .scaling = us_model_scaling(r->model)};
    assert_ok(us_write(r->device, us_model_input(r->model), 0, x, N * SIZE * SIZE * 3 * sizeof *x));
    assert_ok(us_model_forward(r->model, N, true));
    assert_ok(us_loss_run(r->device, &loss));
    assert_ok(us_model_backward(r->model, N));
    assert_ok(us_model_step(r->model, &sgd));
}

static float *part(struct us_model *model, enum us_model_part which)
{
    float *values = calloc(us_model_count(model, which), sizeof *values);
    assert_non_null(values);
    assert_ok(us_model_get(model, which, values));
    return values;
}

static void train(const char *shape, struct result *result)
{
    struct run r;
    float *x = test_random(3, N * SIZE * SIZE * 3, -1.0f, 1.0f);
    open_run(&r, shape);
    result->params = us_model_count(r.model, US_MODEL_PARAMS);
    result->stats = us_model_count(r.model, US_MODEL_STATS);
    step(&r, x);
    result->grads = part(r.model, US_MODEL_GRADS);
    step(&r, x);
    result->weights = part(r.model, US_MODEL_PARAMS);
    result->running = part(r.model, US_MODEL_STATS);
    assert_ok(us_read(r.device, r.record, 0, result->record, sizeof result->record));
    assert_ok(us_model_forward(r.model, N, false));
    assert_ok(us_read(r.device, us_model_logits(r.model), 0, result->logits, sizeof result->logits));
    close_run(&r);
    free(x);
}

static void free_result(struct result *result)
{
    free(result->grads);
    free(result->weights);
    free(result->running);
}

/* Rounding differs, and each layer passes it on. */
static void both_shapes_train_alike(void **state)
{
    (void)state;
    struct result cpu, gpu;
    train("cpu", &cpu);
    train("gpu", &gpu);
    assert_int_equal(cpu.params, gpu.params);
    test_close("gradients", gpu.grads, cpu.grads, cpu.params, 1e-5);
    test_close("weights", gpu.weights, cpu.weights, cpu.params, 1e-4);
    test_close("running statistics", gpu.running, cpu.running, cpu.stats, 1e-4);
    test_close("record", gpu.record, cpu.record, RECORD, 1e-4);
    test_close("logits", gpu.logits, cpu.logits, N * CLASSES, 1e-4);
    free_result(&cpu);
    free_result(&gpu);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_shapes_train_alike)};
    return RUN_TESTS(tests, NULL, NULL);
}
