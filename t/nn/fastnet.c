/* The networks of airbench: names, shapes, how they start, what of them is trained. */
#include "config.h"

#include "support/device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/safetensors.h"
#include "nn/model_parts.h"
#include "ops/loss.h"
#include "ops/sgd.h"
#include "support/folder.h"

enum { N = 32, SIZE = 16, CLASSES = 4 };

static struct us_model_spec spec_of(const char *name, int width, int size, int classes)
{
    return (struct us_model_spec){.name = name,
                                  .width = width,
                                  .classes = classes,
                                  .height = size,
                                  .channels_in = 3,
                                  .batch = N,
                                  .training = true};
}

static struct us_model *model_of(const char *name, int width)
{
    struct us_model *model;
    const struct us_model_spec spec = spec_of(name, width, SIZE, CLASSES);
    assert_ok(us_model_new(test_device(), &spec, &model));
    assert_ok(us_model_init(model, 1));
    return model;
}

/* The parameter of that name, and in *at where its numbers begin among those of us_model_get. */
static const struct us_param *find(const struct us_model *model, const char *name, size_t *at)
{
    *at = 0;
    for (int k = 0; k < model->graph.params.n; k++) {
        const struct us_param *param = &model->graph.params.item[k];
        if (strcmp(param->name, name) == 0)
            return param;
        *at += param->count;
    }
    fail_msg("%s is missing", name);
    return NULL;
}

static float *part_of(struct us_model *model, enum us_model_part part)
{
    float *values = calloc(us_model_count(model, part), sizeof *values);
    assert_non_null(values);
    assert_ok(us_model_get(model, part, values));
    return values;
}

static void assert_shape(const struct us_graph *graph, const char *name, int o, int i, int h, bool frozen)
{
    for (int k = 0; k < graph->params.n; k++) {
        const struct us_param *param = &graph->params.item[k];
        if (strcmp(param->name, name) == 0) {
            assert_int_equal(param->o, o);
            assert_int_equal(param->i, i);
            assert_int_equal(param->h, h);
            assert_int_equal(param->w, h);
            assert_int_equal(param->frozen, frozen);
            return;
        }
    }
    fail_msg("%s is missing", name);
}

/* airbench94's and airbench93's widths at 32 pixels. */
static void shapes_are_airbenchs(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int wide;
        size_t count;
        double mflop; /* multiply-adds of the six convolutions, the whitening and the head, twice */
    } want[] = {{"fastnet", 256, 1972792,
                 2 *
                     (961 * (288 + 13824) + 225 * (36864 + 147456.0) + 49 * (589824 + 589824.0) +
                      9 * 589824.0 + 2560) /
                     1e6},
                {"fastnet-small", 128, 569656,
                 2 *
                     (961 * (288 + 13824) + 225 * (36864 + 73728.0) + 49 * (147456 + 147456.0) +
                      9 * 147456.0 + 1280) /
                     1e6}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        struct us_model model = {.spec = spec_of(want[k].name, 64, 32, 10)};
        struct us_graph *graph = &model.graph;
        assert_ok(us_graph_of(&model.spec, graph));
        assert_int_equal(graph->params.count, want[k].count);
        assert_int_equal(graph->params.n, 2 + 3 * 6 + 1);
        assert_int_equal(graph->stats.n, 12);
        assert_shape(graph, "whiten.weight", 24, 3, 2, true);
        assert_shape(graph, "whiten.bias", 24, 1, 1, false);
        assert_shape(graph, "group1.conv1.weight", 64, 24, 3, false);
        assert_shape(graph, "group1.norm2.weight", 64, 1, 1, true);
        assert_shape(graph, "group2.conv2.weight", want[k].wide, want[k].wide, 3, false);
        assert_shape(graph, "group3.norm1.bias", want[k].wide, 1, 1, false);
        assert_shape(graph, "fc.weight", 10, want[k].wide, 1, false);
        assert_int_equal(us_model_feature_count(&model), want[k].wide);
        assert_float_equal(us_model_flops(&model) / 1e6, want[k].mflop, 1e-6);
        us_graph_free(graph);
    }
}

/* An image of `size` pixels is refused in words. */
static void assert_refused(int size)
{
    struct us_graph graph = {0};
    const struct us_model_spec spec = spec_of("fastnet", 8, size, CLASSES);
    assert_fails(UNSEEN_USAGE, "fastnet takes images of 16 to 64 pixels", us_graph_of(&spec, &graph));
    us_graph_free(&graph);
}

static void sizes(void **state)
{
    (void)state;
    for (int size = 16; size <= 64; size++) {
        struct us_graph graph = {0};
        const struct us_model_spec spec = spec_of("fastnet", 8, size, CLASSES);
        assert_ok(us_graph_of(&spec, &graph));
        us_graph_free(&graph);
    }
    assert_refused(15);
    assert_refused(65);
}

/* conv1 of a group passes its input on in the first filters, the others are PyTorch's default. */
static void starts_as_the_identity(void **state)
{
    (void)state;
    struct us_model *model = model_of("fastnet", 8);
    float *values = part_of(model, US_MODEL_PARAMS);
    size_t at;
    const struct us_param *conv = find(model, "group2.conv1.weight", &at);
    double sum = 0, square = 0, largest = 0;
    assert_int_equal(conv->o, 32);
    assert_int_equal(conv->i, 8);
    for (int o = 0; o < conv->o; o++)
        for (int i = 0; i < conv->i; i++)
            for (int y = 0; y < 3; y++)
                for (int x = 0; x < 3; x++) {
                    const double value = (double)values[at + us_param_index(conv, o, i, y, x)];
                    if (o < 8) {
                        assert_true(value == (o == i && y == 1 && x == 1));
                        continue;
                    }
                    sum += value;
                    square += value * value;
                    largest = fmax(largest, fabs(value));
                }
    const double bound = 1 / sqrt(8.0 * 9), n = 24 * 8 * 9;
    assert_true(largest <= bound && largest > 0.98 * bound);
    assert_true(fabs(sum / n) < 4 * bound / sqrt(3 * n));
    assert_float_equal(square / n, bound * bound / 3, 0.1 * bound * bound);
    /* Fewer filters than channels: the identity of as many channels as there are filters. */
    conv = find(model, "group1.conv1.weight", &at);
    assert_int_equal(conv->o, 8);
    for (int o = 0; o < 8; o++)
        for (int i = 0; i < 24; i++)
            assert_true(values[at + us_param_index(conv, o, i, 1, 1)] == (float)(o == i));
    const struct us_param *whiten = find(model, "whiten.weight", &at);
    assert_int_equal(whiten->init, US_INIT_WHITEN);
    free(values);
    us_model_free(model);
}

/* Made-up images whose class is told by the sign of two channels' means. */
struct task {
    float *x;
    struct us_buf *labels, *rows, *record;
};

static void make_task(struct task *t)
{
    int32_t labels[N], rows[N];
    t->x = test_random(5, (size_t)N * SIZE * SIZE * 3, -1, 1);
    for (int i = 0; i < N; i++) {
        labels[i] = i % CLASSES;
        rows[i] = i;
        for (int p = 0; p < SIZE * SIZE; p++) {
            float *pixel = t->x + (i * SIZE * SIZE + p) * 3;
            pixel[0] += labels[i] & 1 ? 0.7f : -0.7f;
            pixel[1] += labels[i] & 2 ? 0.7f : -0.7f;
        }
    }
    t->labels = test_buf_int(N, labels);
    t->rows = test_buf_int(N, rows);
    t->record = test_buf((UNSEEN_N_ALWAYS + 1) * N, NULL);
}

static void free_task(struct task *t)
{
    free(t->x);
    test_buf_free(t->labels);
    test_buf_free(t->rows);
    test_buf_free(t->record);
}

static void forward(struct us_model *model, const struct task *t, bool training)
{
    assert_ok(
        us_write(test_device(), us_model_input(model), 0, t->x, (size_t)N * SIZE * SIZE * 3 * sizeof(float)));
    assert_ok(us_model_forward(model, N, training));
}

/* The mean loss; leaves gradients. */
static double backward(struct us_model *model, const struct task *t)
{
    float record[(UNSEEN_N_ALWAYS + 1) * N];
    const struct us_loss loss = {.n = N,
                                 .classes = CLASSES,
                                 .logits = us_model_logits(model),
                                 .labels = t->labels,
                                 .rows = t->rows,
                                 .dlogits = us_model_dlogits(model),
                                 .record = t->record,
                                 .stride = N};
    forward(model, t, true);
    assert_ok(us_loss_run(test_device(), &loss));
    assert_ok(us_model_backward(model, N));
    assert_ok(us_read(test_device(), t->record, 0, record, sizeof record));
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += (double)record[UNSEEN_N_ALWAYS * N + i];
    return sum / N;
}

/* Trains, and what is frozen stays as it was, to the bit, without a gradient. */
static void trains_what_is_not_frozen(void **state)
{
    (void)state;
    struct us_model *model = model_of("fastnet-small", 8);
    struct task task;
    make_task(&task);
    float *before = part_of(model, US_MODEL_PARAMS);
    const double first = backward(model, &task);
    double last = first;
    for (int step = 0; step < 40; step++) {
        const struct us_sgd sgd = {.lr = 0.5f, .momentum = 0.85f, .weight_decay = 0.01f, .nesterov = true};
        assert_ok(us_model_step(model, &sgd));
        last = backward(model, &task);
    }
    printf("# loss %g, behind 40 steps %g\n", first, last);
    assert_true(first > 1.0 && last < 0.5 * first);
    float *after = part_of(model, US_MODEL_PARAMS), *grads = part_of(model, US_MODEL_GRADS);
    size_t at = 0;
    for (int k = 0; k < model->graph.params.n; k++) {
        const struct us_param *param = &model->graph.params.item[k];
        size_t moved = 0, sloped = 0;
        for (size_t i = at; i < at + param->count; i++) {
            moved += before[i] != after[i];
            sloped += grads[i] != 0.0f;
        }
        if (param->frozen)
            assert_true(moved == 0 && sloped == 0);
        else
            assert_true(moved > 0 && sloped > 0);
        at += param->count;
    }
    free(before);
    free(after);
    free(grads);
    free_task(&task);
    us_model_free(model);
}

/* In the flat buffer: weights, biases, batch norm's shifts, what is frozen. */
static void places_in_order(void **state)
{
    (void)state;
    struct us_graph graph = {0};
    const struct us_model_spec spec = spec_of("fastnet", 5, SIZE, CLASSES);
    assert_ok(us_graph_of(&spec, &graph));
    us_params_place(&graph.params, 64);
    const struct us_params *params = &graph.params;
    assert_true(0 < params->weights && params->weights < params->shifts && params->shifts < params->trained &&
                params->trained < params->floats);
    for (int k = 0; k < params->n; k++) {
        const struct us_param *param = &params->item[k];
        size_t from = 0, to = params->weights;
        if (param->frozen)
            from = params->trained, to = params->floats;
        else if (param->role == US_PARAM_SHIFT)
            from = params->shifts, to = params->trained;
        else if (!us_param_is_weight(param))
            from = params->weights, to = params->shifts;
        assert_true(from <= param->offset && param->offset + param->count <= to);
        assert_int_equal(param->offset % 16, 0);
    }
    us_graph_free(&graph);
}

/* Running statistics keep nine tenths, as elastic-airbench's, and a variance of 0 is divided by its tiny eps.
 */
static void batch_norm_has_its_own_constants(void **state)
{
    (void)state;
    struct us_model *model = model_of("fastnet", 8);
    for (int i = 0; i < model->graph.n_nodes; i++) {
        const struct us_node *node = &model->graph.nodes[i];
        if (node->kind != US_NODE_BATCHNORM)
            continue;
        assert_true(node->norm.eps == 1e-12 && node->norm.momentum == 0.1 && node->norm.fixed_scale);
        assert_int_equal(node->act, US_ACT_GELU);
    }
    us_model_free(model);
}

static void save_and_load(void **state)
{
    (void)state;
    struct us_model *a = model_of("fastnet", 8), *b = model_of("fastnet", 8);
    struct us_safetensors *file;
    struct task task;
    make_task(&task);
    backward(a, &task);
    assert_ok(us_model_save(a, test_path("fastnet.safetensors")));
    assert_ok(us_model_load(b, test_path("fastnet.safetensors")));
    for (int k = 0; k < 2; k++) {
        const enum us_model_part part = k ? US_MODEL_STATS : US_MODEL_PARAMS;
        float *values_a = part_of(a, part), *values_b = part_of(b, part);
        assert_memory_equal(values_a, values_b, us_model_count(a, part) * sizeof(float));
        free(values_a);
        free(values_b);
    }
    assert_ok(us_safetensors_open(test_path("fastnet.safetensors"), &file));
    assert_int_equal(us_safetensors_count(file), 21 + 12 + 6);
    assert_non_null(us_safetensors_find(file, "group3.norm2.weight"));
    us_safetensors_close(file);
    assert_ok(us_model_save_grads(a, test_path("grads.safetensors")));
    assert_ok(us_safetensors_open(test_path("grads.safetensors"), &file));
    assert_int_equal(us_safetensors_count(file), 21 - 7);
    assert_null(us_safetensors_find(file, "whiten.weight"));
    us_safetensors_close(file);
    free_task(&task);
    us_model_free(a);
    us_model_free(b);
}

/* Of another number of classes: the head, which has no bias, is drawn, and whitening is taken. */
static void another_number_of_classes(void **state)
{
    (void)state;
    struct us_model *a = model_of("fastnet", 8), *b;
    const struct us_model_spec spec = spec_of("fastnet", 8, SIZE, CLASSES + 3);
    size_t at_a, at_b;
    assert_ok(us_model_save(a, test_path("four.safetensors")));
    assert_ok(us_model_new(test_device(), &spec, &b));
    assert_ok(us_model_start(b, test_path("four.safetensors"), 2));
    float *values_a = part_of(a, US_MODEL_PARAMS), *values_b = part_of(b, US_MODEL_PARAMS);
    const struct us_param *fc = find(b, "fc.weight", &at_b);
    find(a, "fc.weight", &at_a);
    assert_int_equal(at_a, at_b);
    assert_memory_equal(values_a, values_b, at_a * sizeof(float));
    assert_int_equal(fc->count, (CLASSES + 3) * 32);
    free(values_a);
    free(values_b);
    us_model_free(a);
    us_model_free(b);
}

/* With batch norm in the convolutions' epilogue and beside it: the same logits, in training and evaluation.
 */
static void batch_norm_may_be_fused(void **state)
{
    (void)state;
    static const char *const algorithms[] = {"im2col", "direct"};
    float logits[2][2][N * CLASSES];
    struct task task;
    make_task(&task);
    for (int k = 0; k < 2; k++) {
        setenv("UNSEEN_CONV", algorithms[k], 1);
        struct us_model *model = model_of("fastnet", 8);
        unsetenv("UNSEEN_CONV");
        for (int training = 1; training >= 0; training--) {
            forward(model, &task, training);
            assert_ok(
                us_read(test_device(), us_model_logits(model), 0, logits[k][training], sizeof logits[0][0]));
        }
        us_model_free(model);
    }
    test_close("training", logits[1][1], logits[0][1], N * CLASSES, 1e-4);
    test_close("evaluation", logits[1][0], logits[0][0], N * CLASSES, 1e-4);
    free_task(&task);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_airbenchs),    cmocka_unit_test(sizes),
        cmocka_unit_test(starts_as_the_identity),  cmocka_unit_test(trains_what_is_not_frozen),
        cmocka_unit_test(places_in_order),         cmocka_unit_test(batch_norm_has_its_own_constants),
        cmocka_unit_test(save_and_load),           cmocka_unit_test(another_number_of_classes),
        cmocka_unit_test(batch_norm_may_be_fused),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
