#include "config.h"

#include "support/device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/safetensors.h"
#include "nn/model_parts.h"
#include "ops/sgd.h"
#include "support/folder.h"

static struct us_model_spec spec_of(const char *name, int width, int batch, bool training)
{
    return (struct us_model_spec){.name = name,
                                  .width = width,
                                  .classes = 10,
                                  .height = 16,
                                  .channels_in = 3,
                                  .batch = batch,
                                  .training = training};
}

static struct us_model *model_of(const char *name, int width, bool training)
{
    struct us_model *model;
    struct us_model_spec spec = spec_of(name, width, 4, training);
    assert_ok(us_model_new(test_device(), &spec, &model));
    return model;
}

static void assert_shape(const struct us_safetensors *file, const char *name, int ndim, const int64_t *shape)
{
    const struct us_tensor_view *view = us_safetensors_find(file, name);
    if (!view)
        fail_msg("%s is missing", name);
    assert_int_equal(view->ndim, ndim);
    assert_memory_equal(view->shape, shape, (size_t)ndim * sizeof *shape);
}

/* torchvision's names; the parameter count is the one published for CIFAR's ResNet-18. */
static void resnet18_is_torchvisions(void **state)
{
    (void)state;
    struct us_model *model = model_of("resnet18", 64, false);
    struct us_safetensors *file;
    assert_int_equal(us_model_count(model, US_MODEL_PARAMS), 11173962);
    assert_ok(us_model_init(model, 1));
    assert_ok(us_model_save(model, test_path("resnet18.safetensors")));
    assert_ok(us_safetensors_open(test_path("resnet18.safetensors"), &file));
    assert_int_equal(us_safetensors_count(file), 122);
    assert_shape(file, "conv1.weight", 4, (const int64_t[]){64, 3, 3, 3});
    assert_shape(file, "layer1.0.bn2.bias", 1, (const int64_t[]){64});
    assert_shape(file, "layer2.0.downsample.0.weight", 4, (const int64_t[]){128, 64, 1, 1});
    assert_shape(file, "layer2.0.downsample.1.running_var", 1, (const int64_t[]){128});
    assert_shape(file, "layer4.1.conv2.weight", 4, (const int64_t[]){512, 512, 3, 3});
    assert_shape(file, "layer4.1.bn2.num_batches_tracked", 0, NULL);
    assert_shape(file, "fc.weight", 2, (const int64_t[]){10, 512});
    assert_shape(file, "fc.bias", 1, (const int64_t[]){10});
    us_safetensors_close(file);
    us_model_free(model);
    /* 0.56 GFLOP multiply-adds at 32 pixels. */
    struct us_model_spec spec = spec_of("resnet18", 64, 1, false);
    spec.height = 32;
    assert_ok(us_model_new(test_device(), &spec, &model));
    assert_float_equal(us_model_flops(model) / 1e9, 1.11, 0.01);
    us_model_free(model);
}

/* The graph alone, which takes no device: names, counts and FLOPs of ImageNet's ResNets as torchvision has
 * them (its version 1.5 of ResNet-50: 4.09 billion multiply-adds). */
static void resnets_for_imagenet_are_torchvisions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t count;
        int tensors, stats;
        double gflop;
        const char *last;
    } want[] = {{"resnet18", 11689512, 62, 40, 3.628, "layer4.1.bn2.weight"},
                {"resnet34", 21797672, 110, 72, 7.328, "layer4.2.bn2.weight"},
                {"resnet50", 25557032, 161, 106, 8.178, "layer4.2.bn3.weight"}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        struct us_model model = {.spec = spec_of(want[k].name, 64, 1, false)};
        struct us_graph *graph = &model.graph;
        us_builder *builder;
        model.spec.classes = 1000;
        us_graph_begin(graph, 224, 224, 3);
        model.spec.height = 224;
        assert_ok(us_builder_find(want[k].name, &builder));
        builder(graph, &model.spec);
        assert_ok(graph->status);
        assert_int_equal(graph->params.count, want[k].count);
        assert_int_equal(graph->params.n, want[k].tensors);
        assert_int_equal(graph->stats.n, want[k].stats);
        assert_string_equal(graph->params.item[0].name, "conv1.weight");
        assert_int_equal(graph->params.item[0].h, 7);
        assert_string_equal(graph->params.item[want[k].tensors - 4].name, want[k].last);
        assert_int_equal(us_model_feature_count(&model), k < 2 ? 512 : 2048);
        assert_float_equal(us_model_flops(&model) / 1e9, want[k].gflop, 0.001);
        us_graph_free(graph);
    }
}

/* Bottleneck blocks, and the stem for large images, on the device: tensors of a file, and a pass. */
static void resnet50_takes_large_images(void **state)
{
    (void)state;
    struct us_model *model;
    struct us_safetensors *file;
    struct us_model_spec spec = spec_of("resnet50", 4, 1, true);
    spec.height = 65;
    assert_ok(us_model_new(test_device(), &spec, &model));
    assert_ok(us_model_init(model, 1));
    assert_ok(us_model_save(model, test_path("resnet50.safetensors")));
    assert_ok(us_safetensors_open(test_path("resnet50.safetensors"), &file));
    assert_int_equal(us_safetensors_count(file), 320);
    assert_shape(file, "conv1.weight", 4, (const int64_t[]){4, 3, 7, 7});
    assert_shape(file, "layer1.0.downsample.0.weight", 4, (const int64_t[]){16, 4, 1, 1});
    assert_shape(file, "layer2.0.conv1.weight", 4, (const int64_t[]){8, 16, 1, 1});
    assert_shape(file, "layer2.0.conv2.weight", 4, (const int64_t[]){8, 8, 3, 3});
    assert_shape(file, "layer3.5.conv3.weight", 4, (const int64_t[]){64, 16, 1, 1});
    assert_shape(file, "fc.weight", 2, (const int64_t[]){10, 128});
    us_safetensors_close(file);
    float *x = test_random(1, 65 * 65 * 3, -1.0f, 1.0f), logits[10];
    assert_ok(us_write(test_device(), us_model_input(model), 0, x, 65 * 65 * 3 * sizeof *x));
    free(x);
    assert_ok(us_model_forward(model, 1, false));
    assert_ok(us_read(test_device(), us_model_logits(model), 0, logits, sizeof logits));
    for (int c = 0; c < 10; c++)
        assert_true(isfinite(logits[c]));
    us_model_free(model);
}

static float *part_of(struct us_model *model, enum us_model_part part)
{
    float *values = calloc(us_model_count(model, part), sizeof *values);
    assert_non_null(values);
    assert_ok(us_model_get(model, part, values));
    return values;
}

static void save_and_load(void **state)
{
    (void)state;
    static const char *const names[] = {"resnet10", "convnet3"};
    for (int k = 0; k < 2; k++) {
        struct us_model *a = model_of(names[k], 8, false), *b = model_of(names[k], 8, true);
        assert_ok(us_model_init(a, 5));
        assert_ok(us_model_init(b, 6));
        float *stats = part_of(a, US_MODEL_STATS);
        for (size_t i = 0; i < us_model_count(a, US_MODEL_STATS); i++)
            stats[i] = (float)i;
        assert_ok(us_model_set(a, US_MODEL_STATS, stats));
        assert_ok(us_model_save(a, test_path("a.safetensors")));
        assert_ok(us_model_load(b, test_path("a.safetensors")));
        float *params_a = part_of(a, US_MODEL_PARAMS), *params_b = part_of(b, US_MODEL_PARAMS);
        float *stats_b = part_of(b, US_MODEL_STATS);
        assert_memory_equal(params_a, params_b, us_model_count(a, US_MODEL_PARAMS) * sizeof(float));
        assert_memory_equal(stats, stats_b, us_model_count(a, US_MODEL_STATS) * sizeof(float));
        free(params_a);
        free(params_b);
        free(stats);
        free(stats_b);
        us_model_free(a);
        us_model_free(b);
    }
}

/* Where gradients are 1 and parameters 2, a step leaves 2 - lr (1 + decay * 2), of each group its own. */
static void groups_step_as_they_should(void **state)
{
    (void)state;
    const struct us_sgd plain = {.lr = 0.125f, .weight_decay = 0.5f};
    struct us_model *model = model_of("resnet10", 5, true);
    const struct us_params *params = &model->graph.params;
    const size_t n = us_model_count(model, US_MODEL_PARAMS);
    float *values = calloc(n, sizeof *values);
    assert_non_null(values);
    for (int all = 0; all < 2; all++) {
        struct us_sgd sgd = plain;
        us_model_groups(model, 4, all != 0, &sgd);
        assert_ok(us_model_init(model, 1));
        for (int part = US_MODEL_PARAMS; part <= US_MODEL_GRADS; part++) {
            for (size_t i = 0; i < n; i++)
                values[i] = part == US_MODEL_PARAMS ? 2.0f : 1.0f;
            assert_ok(us_model_set(model, (enum us_model_part)part, values));
        }
        assert_ok(us_model_step(model, &sgd));
        assert_ok(us_model_get(model, US_MODEL_PARAMS, values));
        const float weights = 1.75f, scales = all ? 1.75f : 1.875f, shifts = all ? 1.375f : 1.5f;
        size_t at = 0;
        for (int k = 0; k < params->n; k++) {
            const enum us_param_role role = params->item[k].role;
            const bool weight = role == US_PARAM_CONV || role == US_PARAM_LINEAR;
            for (size_t i = 0; i < params->item[k].count; i++)
                assert_float_equal(values[at + i],
                                   weight                   ? weights
                                   : role == US_PARAM_SHIFT ? shifts
                                                            : scales,
                                   0);
            at += params->item[k].count;
        }
    }
    free(values);
    us_model_free(model);
}

/* Layouts on disk: OIHW, and CHW before the classifier. Element order is checked by value. */
static void layouts_are_pytorchs(void **state)
{
    (void)state;
    enum { W = 2, FEATURES = W * 2 * 2 };
    struct us_model *model = model_of("convnet3", W, false);
    size_t n = us_model_count(model, US_MODEL_PARAMS);
    float *params = calloc(n, sizeof *params);
    assert_non_null(params);
    for (size_t i = 0; i < n; i++)
        params[i] = (float)i;
    assert_ok(us_model_set(model, US_MODEL_PARAMS, params));
    assert_ok(us_model_save(model, test_path("layout.safetensors")));
    struct us_safetensors *file;
    assert_ok(us_safetensors_open(test_path("layout.safetensors"), &file));
    const float *conv = us_safetensors_find(file, "conv1.weight")->data;
    for (int o = 0; o < W; o++)
        for (int i = 0; i < 3; i++)
            for (int y = 0; y < 3; y++)
                for (int x = 0; x < 3; x++)
                    assert_float_equal(conv[((o * 3 + i) * 3 + y) * 3 + x], ((y * 3 + x) * 3 + i) * W + o, 0);
    const float *fc = us_safetensors_find(file, "fc.weight")->data;
    size_t start = n - 10 - 10 * FEATURES;
    for (int c = 0; c < W; c++)
        for (int y = 0; y < 2; y++)
            for (int x = 0; x < 2; x++)
                assert_float_equal(fc[FEATURES + (c * 2 + y) * 2 + x],
                                   (float)start + FEATURES + (y * 2 + x) * W + c, 0);
    us_safetensors_close(file);
    free(params);
    us_model_free(model);
}

/* Rewrite `from` with tensor `change` renamed, reshaped or dropped. */
static void spoil(const char *from, const char *to, const char *change, const char *name, bool flat)
{
    struct us_safetensors *file;
    assert_ok(us_safetensors_open(from, &file));
    size_t n = us_safetensors_count(file), m = 0;
    struct us_tensor_view *views = calloc(n, sizeof *views);
    assert_non_null(views);
    for (size_t i = 0; i < n; i++) {
        struct us_tensor_view view = *us_safetensors_at(file, i);
        if (strcmp(view.name, change) == 0) {
            if (!name && !flat)
                continue;
            if (name)
                view.name = name;
            if (flat) {
                view.shape[0] = view.shape[0] * view.shape[1];
                view.ndim = 1;
            }
        }
        views[m++] = view;
    }
    assert_ok(us_safetensors_write(to, views, m, NULL));
    free(views);
    us_safetensors_close(file);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    struct us_model *model = model_of("convnet3", 4, false);
    assert_ok(us_model_init(model, 1));
    const char *good = test_path("good.safetensors"), *bad = test_path("bad.safetensors");
    assert_ok(us_model_save(model, good));
    spoil(good, bad, "bn2.bias", NULL, false);
    assert_fails(UNSEEN_BAD_DATA, "bn2.bias is missing", us_model_load(model, bad));
    spoil(good, bad, "bn2.bias", "bn9.bias", false);
    assert_fails(UNSEEN_BAD_DATA, "bn9.bias", us_model_load(model, bad));
    spoil(good, bad, "fc.weight", NULL, true);
    assert_fails(UNSEEN_BAD_DATA, "[160]", us_model_load(model, bad));
    /* The counters of batches may be missing, as in files of other frameworks. */
    spoil(good, bad, "bn1.num_batches_tracked", NULL, false);
    assert_ok(us_model_load(model, bad));
    struct us_model *wider = model_of("convnet3", 6, false);
    assert_fails(UNSEEN_BAD_DATA, "conv1.weight has shape [4, 3, 3, 3]", us_model_load(wider, good));
    us_model_free(wider);
    us_model_free(model);
}

/* Fine-tuning: all but the classifier is taken, which is drawn as the seed has it. */
static void another_number_of_classes(void **state)
{
    (void)state;
    const char *path = test_path("tuned.safetensors");
    struct us_model_spec spec = spec_of("resnet10", 4, 4, true);
    struct us_model *from = model_of("resnet10", 4, true), *model, *drawn;
    assert_ok(us_model_init(from, 1));
    assert_ok(us_model_save(from, path));
    spec.classes = 7;
    assert_ok(us_model_new(test_device(), &spec, &model));
    assert_ok(us_model_new(test_device(), &spec, &drawn));
    assert_ok(us_model_init(drawn, 2));
    assert_fails(UNSEEN_BAD_DATA, "fc.weight has shape [10, 32]", us_model_load(model, path));
    assert_non_null(strstr(unseen_last_hint(), "--model"));
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    assert_ok(us_model_start(model, path, 2));
    unseen_log_level_set(UNSEEN_LOG_INFO);
    const size_t n = us_model_count(model, US_MODEL_PARAMS), head = 7 * 32 + 7;
    float *got = part_of(model, US_MODEL_PARAMS), *taken = part_of(from, US_MODEL_PARAMS);
    float *fresh = part_of(drawn, US_MODEL_PARAMS);
    assert_memory_equal(got, taken, (n - head) * sizeof *got);
    assert_memory_equal(got + n - head, fresh + n - head, head * sizeof *got);
    /* Of as many classes nothing is drawn; of another width nothing is taken. */
    assert_ok(us_model_start(from, path, 2));
    float *again = part_of(from, US_MODEL_PARAMS);
    assert_memory_equal(again, taken, us_model_count(from, US_MODEL_PARAMS) * sizeof *again);
    spec.width = 5;
    us_model_free(model);
    assert_ok(us_model_new(test_device(), &spec, &model));
    assert_fails(UNSEEN_BAD_DATA, "conv1.weight has shape [4, 3, 3, 3]", us_model_start(model, path, 2));
    free(got);
    free(taken);
    free(fresh);
    free(again);
    us_model_free(from);
    us_model_free(model);
    us_model_free(drawn);
}

static void bad_specs_are_refused(void **state)
{
    (void)state;
    struct us_model *model;
    struct us_model_spec spec = spec_of("vgg", 8, 4, false);
    assert_fails(UNSEEN_USAGE, "vgg", us_model_new(test_device(), &spec, &model));
    spec = spec_of("convnet3", 8, 0, false);
    assert_fails(UNSEEN_USAGE, "--batch", us_model_new(test_device(), &spec, &model));
    spec = spec_of("convnet3", 8, 4, false);
    spec.height = 4;
    assert_fails(UNSEEN_USAGE, "too small", us_model_new(test_device(), &spec, &model));
}

static void evaluation_models_do_not_train(void **state)
{
    (void)state;
    struct us_model *model = model_of("convnet3", 4, false);
    float dummy;
    assert_null(us_model_dlogits(model));
    assert_fails(UNSEEN_USAGE, "training", us_model_forward(model, 1, true));
    assert_fails(UNSEEN_USAGE, "training", us_model_backward(model, 1));
    assert_fails(UNSEEN_USAGE, "training", us_model_get(model, US_MODEL_GRADS, &dummy));
    us_model_free(model);
}

/* A device with a lid on its memory: the error names the batch that fits, and that batch does fit. */
static void what_does_not_fit_says_so(void **state)
{
    (void)state;
    struct unseen_device *device;
    struct us_model *model;
    uint64_t bytes;
    int batch;
    setenv("UNSEEN_MEMORY_LIMIT", "64", 1);
    assert_ok(unseen_device_open(NULL, &device));
    unsetenv("UNSEEN_MEMORY_LIMIT");
    struct us_model_spec spec = spec_of("convnet3", 32, 4096, true);
    assert_fails(UNSEEN_FAILED, "64.0 MiB are free", us_model_new(device, &spec, &model));
    assert_int_equal(sscanf(unseen_last_hint(), "--batch %d would fit", &batch), 1);
    assert_in_range(batch, 16, 4095);
    assert_ok(us_model_memory(device, &spec, &bytes));
    assert_true(bytes > 64 << 20);
    spec.batch = batch + batch / 4;
    assert_int_equal(us_model_new(device, &spec, &model), UNSEEN_FAILED);
    spec.batch = batch;
    assert_ok(us_model_memory(device, &spec, &bytes));
    assert_true(bytes <= 64 << 20);
    assert_ok(us_model_new(device, &spec, &model));
    us_model_free(model);
    spec = spec_of("resnet18", 128, 1, true);
    assert_fails(UNSEEN_FAILED, "resnet18", us_model_new(device, &spec, &model));
    assert_non_null(strstr(unseen_last_hint(), "--width"));
    unseen_device_close(device);
}

/* Logits [batch, classes] of one pass over the same made-up images. */
static float *logits_of(struct us_model *model, bool training)
{
    enum { N = 3, FLOATS = N * 16 * 16 * 3 };
    float *x = test_random(7, FLOATS, -1.0f, 1.0f), *logits = calloc(N * 10, sizeof *logits);
    assert_non_null(logits);
    assert_ok(us_write(test_device(), us_model_input(model), 0, x, FLOATS * sizeof *x));
    assert_ok(us_model_forward(model, N, training));
    assert_ok(us_read(test_device(), us_model_logits(model), 0, logits, N * 10 * sizeof *logits));
    free(x);
    return logits;
}

/* im2col leaves batch norm to kernels of its own, direct takes part in it. */
static void batch_norm_may_be_fused(void **state)
{
    (void)state;
    static const char *const algorithms[] = {"im2col", "direct", "direct"};
    struct us_model *model[3];
    float *logits[3][2];
    for (int k = 0; k < 3; k++) {
        setenv("UNSEEN_CONV", algorithms[k], 1);
        model[k] = model_of("resnet10", 8, k < 2);
        unsetenv("UNSEEN_CONV");
        assert_ok(us_model_init(model[k], 3));
    }
    for (int k = 0; k < 2; k++)
        logits[k][0] = logits_of(model[k], true);
    test_close("training", logits[1][0], logits[0][0], 30, 1e-4);
    float *stats = part_of(model[0], US_MODEL_STATS), *fused = part_of(model[1], US_MODEL_STATS);
    test_close("statistics", fused, stats, us_model_count(model[0], US_MODEL_STATS), 1e-4);
    for (int k = 0; k < 3; k++) {
        assert_ok(us_model_set(model[k], US_MODEL_STATS, stats));
        logits[k][1] = logits_of(model[k], false);
    }
    test_close("evaluation", logits[1][1], logits[0][1], 30, 1e-4);
    assert_memory_equal(logits[2][1], logits[1][1], 30 * sizeof(float));
    for (int k = 0; k < 3; k++) {
        us_model_free(model[k]);
        free(logits[k][1]);
    }
    free(logits[0][0]);
    free(logits[1][0]);
    free(stats);
    free(fused);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet18_is_torchvisions),
        cmocka_unit_test(resnets_for_imagenet_are_torchvisions),
        cmocka_unit_test(resnet50_takes_large_images),
        cmocka_unit_test(save_and_load),
        cmocka_unit_test(groups_step_as_they_should),
        cmocka_unit_test(layouts_are_pytorchs),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(another_number_of_classes),
        cmocka_unit_test(bad_specs_are_refused),
        cmocka_unit_test(evaluation_models_do_not_train),
        cmocka_unit_test(what_does_not_fit_says_so),
        cmocka_unit_test(batch_norm_may_be_fused),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
