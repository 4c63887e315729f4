#include "config.h"

#include "support/device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/model_parts.h"
#include "ops/loss.h"

/* Gradients of small nets against central differences: everything a model can be made of, with tensors that
 * have several consumers. */

enum { N = 6, SIZE = 12, CLASSES = 3 };

static void everything(struct us_graph *graph, const struct us_model_spec *spec)
{
    int x = us_graph_conv(graph, "stem", 0, 4, 3, 1, 1);
    x = us_graph_batchnorm(graph, "stem_bn", x, -1, US_ACT_RELU, NULL);
    x = us_graph_pool(graph, US_POOL_MAX, x, 3, 2, 1);
    /* An identity block: x feeds a convolution and a residual. */
    int y = us_graph_conv(graph, "a1", x, 4, 3, 1, 1);
    y = us_graph_batchnorm(graph, "a1_bn", y, -1, US_ACT_RELU, NULL);
    y = us_graph_conv(graph, "a2", y, 4, 3, 1, 1);
    x = us_graph_batchnorm(graph, "a2_bn", y, x, US_ACT_RELU, NULL);
    /* A block with a projection: x feeds two convolutions. */
    y = us_graph_conv(graph, "b1", x, 6, 3, 2, 1);
    y = us_graph_batchnorm(graph, "b1_bn", y, -1, US_ACT_RELU, NULL);
    int skip = us_graph_conv(graph, "skip", x, 6, 1, 2, 0);
    skip = us_graph_batchnorm(graph, "skip_bn", skip, -1, US_ACT_NONE, NULL);
    y = us_graph_conv(graph, "b2", y, 6, 3, 1, 1);
    x = us_graph_batchnorm(graph, "b2_bn", y, skip, US_ACT_RELU, NULL);
    /* Pre-activation: x feeds a batch norm, which cannot add to a gradient, and a residual. */
    y = us_graph_batchnorm(graph, "c_bn1", x, -1, US_ACT_RELU, NULL);
    y = us_graph_conv(graph, "c", y, 6, 3, 1, 1);
    x = us_graph_batchnorm(graph, "c_bn2", y, x, US_ACT_NONE, NULL);
    x = us_graph_pool(graph, US_POOL_AVERAGE, x, 3, 1, 0);
    us_graph_linear(graph, "fc", x, spec->classes);
}

/* Features flattened before the classifier, and a batch norm on the input itself. */
static void flattened(struct us_graph *graph, const struct us_model_spec *spec)
{
    int x = us_graph_batchnorm(graph, "bn0", 0, -1, US_ACT_NONE, NULL);
    x = us_graph_conv(graph, "conv", x, 5, 3, 1, 1);
    x = us_graph_batchnorm(graph, "bn1", x, -1, US_ACT_RELU, NULL);
    x = us_graph_pool(graph, US_POOL_AVERAGE, x, 3, 3, 0);
    us_graph_linear(graph, "fc", x, spec->classes);
}

/* What airbench's networks are made of: frozen parameters, a bias, GELU, pools at odd sizes, a batch norm
 * with constants of its own and a fixed scale, and a linear layer that scales and has no bias. Behind the
 * frozen convolution in the middle, which takes what is trained, there is a residual without anything to
 * train before it. */
static void frozen(struct us_graph *graph, const struct us_model_spec *spec)
{
    static const struct us_norm norm = {.eps = 1e-3, .momentum = 0.4, .fixed_scale = true};
    int x = us_graph_conv(graph, "first", 0, 6, 2, 1, 0);
    us_graph_freeze(graph, "first.weight");
    int y = us_graph_bias(graph, "first", x, US_ACT_GELU);
    y = us_graph_conv(graph, "a", y, 6, 3, 1, 1);
    us_graph_draw(graph, "a.weight", US_INIT_DIRAC);
    y = us_graph_batchnorm(graph, "a_bn", y, -1, US_ACT_GELU, &norm);
    y = us_graph_conv(graph, "b", y, 6, 3, 1, 1);
    us_graph_freeze(graph, "b.weight");
    y = us_graph_batchnorm(graph, "b_bn", y, x, US_ACT_RELU, NULL);
    us_graph_freeze(graph, "b_bn.weight");
    us_graph_freeze(graph, "b_bn.bias");
    y = us_graph_pool(graph, US_POOL_MAX, y, 2, 2, 0);
    int skip = us_graph_bias(graph, "b", y, US_ACT_NONE); /* adds to y's gradient */
    us_graph_freeze(graph, "b.bias");
    y = us_graph_bias(graph, "c", y, US_ACT_GELU);
    y = us_graph_batchnorm(graph, "c_bn", y, skip, US_ACT_NONE, NULL);
    y = us_graph_pool(graph, US_POOL_MAX, y, 5, 1, 0);
    us_graph_linear_scaled(graph, "fc", y, spec->classes, 1.0f / 3.0f);
}

struct net {
    struct unseen_device *device;
    struct us_model *model;
    struct us_buf *labels, *rows, *record;
    float *x;
};

static void open_net(struct net *net, us_builder *builder)
{
    int32_t labels[N], rows[N];
    struct us_model_spec spec = {.name = "test",
                                 .width = 4,
                                 .classes = CLASSES,
                                 .height = SIZE,
                                 .channels_in = 3,
                                 .batch = N + 1,
                                 .training = true};
    net->device = test_device();
    assert_ok(us_model_build(net->device, &spec, builder, &net->model));
    assert_ok(us_model_init(net->model, 7));
    for (int i = 0; i < N; i++) {
        labels[i] = i % CLASSES;
        rows[i] = i;
    }
    net->labels = test_buf_int(N, labels);
    net->rows = test_buf_int(N, rows);
    net->record = test_buf((UNSEEN_N_ALWAYS + 1) * N, NULL);
    net->x = test_random(3, N * SIZE * SIZE * 3, -1.0f, 1.0f);
}

static void close_net(struct net *net)
{
    us_model_free(net->model);
    test_buf_free(net->labels);
    test_buf_free(net->rows);
    test_buf_free(net->record);
    free(net->x);
}

/* The mean loss, with gradients if asked for. */
static double loss_of(struct net *net, bool gradients)
{
    float record[(UNSEEN_N_ALWAYS + 1) * N];
    struct us_loss loss = {.n = N,
                           .classes = CLASSES,
                           .logits = us_model_logits(net->model),
                           .labels = net->labels,
                           .rows = net->rows,
                           .dlogits = us_model_dlogits(net->model),
                           .record = net->record,
                           .stride = N};
    assert_ok(
        us_write(net->device, us_model_input(net->model), 0, net->x, N * SIZE * SIZE * 3 * sizeof(float)));
    assert_ok(us_model_forward(net->model, N, true));
    assert_ok(us_loss_run(net->device, &loss));
    if (gradients)
        assert_ok(us_model_backward(net->model, N));
    assert_ok(us_read(net->device, net->record, 0, record, sizeof record));
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += (double)record[UNSEEN_N_ALWAYS * N + i];
    return sum / N;
}

/* (f(p + h e) - f(p - h e)) / 2h at element `at`. The step is a compromise between float32 noise in the loss
 * and crossing the kinks of ReLU and max pooling, hence the caller's tolerance. */
static double difference(struct net *net, float *params, size_t at)
{
    const float h = 1e-3f, old = params[at];
    params[at] = old + h;
    assert_ok(us_model_set(net->model, US_MODEL_PARAMS, params));
    double up = loss_of(net, false);
    params[at] = old - h;
    assert_ok(us_model_set(net->model, US_MODEL_PARAMS, params));
    double down = loss_of(net, false);
    params[at] = old;
    return (up - down) / (2.0 * (double)h);
}

/* Three elements of every parameter; a frozen one has no gradient. */
static void check_gradients(us_builder *builder)
{
    struct net net;
    open_net(&net, builder);
    size_t count = us_model_count(net.model, US_MODEL_PARAMS), start = 0;
    float *params = calloc(count, sizeof *params), *grads = calloc(count, sizeof *grads);
    assert_non_null(params);
    assert_non_null(grads);
    assert_ok(us_model_get(net.model, US_MODEL_PARAMS, params));
    loss_of(&net, true);
    assert_ok(us_model_get(net.model, US_MODEL_GRADS, grads));
    for (int k = 0; k < net.model->graph.params.n; k++) {
        const struct us_param *param = &net.model->graph.params.item[k];
        double largest = 0;
        for (size_t e = 0; e < param->count; e++)
            largest = fmax(largest, fabs((double)grads[start + e]));
        if (param->frozen)
            assert_true(largest == 0);
        for (size_t e = 0; e < 3 && !param->frozen; e++) {
            size_t at = start + e * 7919 % param->count;
            double want = difference(&net, params, at), got = (double)grads[at];
            if (!(fabs(want - got) <= 0.03 * largest + 1e-3))
                fail_msg("%s element %zu: gradient %g, difference quotient %g", param->name, at - start, got,
                         want);
        }
        start += param->count;
    }
    free(params);
    free(grads);
    close_net(&net);
}

static void gradients_of_everything(void **state)
{
    (void)state;
    check_gradients(everything);
}

static void gradients_through_flattening(void **state)
{
    (void)state;
    check_gradients(flattened);
}

static void gradients_past_what_is_frozen(void **state)
{
    (void)state;
    check_gradients(frozen);
}

/* No gradient where nothing is trained before: none of the frozen first convolution's output, if no residual
 * asks for it. */
static void no_gradient_before_frozen_layers(void **state)
{
    (void)state;
    struct us_graph graph;
    struct us_plan plan;
    us_graph_begin(&graph, 8, 8, 3);
    int first = us_graph_conv(&graph, "first", 0, 4, 3, 1, 1);
    us_graph_freeze(&graph, "first.weight");
    int second = us_graph_bias(&graph, "first", first, US_ACT_RELU);
    us_graph_linear(&graph, "fc", second, 2);
    assert_ok(graph.status);
    assert_ok(us_plan_make(&graph, 2, US_PLAN_TRAINING, NULL, &plan));
    assert_int_equal(plan.gradient[first], -1);
    assert_true(plan.gradient[second] >= 0);
    us_plan_free(&plan);
    us_graph_free(&graph);
}

/* What a builder may not ask for. */
static void bad_graphs(void **state)
{
    (void)state;
    struct us_graph graph;
    us_graph_begin(&graph, 8, 8, 3);
    int x = us_graph_conv(&graph, "c", 0, 3, 3, 1, 1);
    assert_int_equal(us_graph_batchnorm(&graph, "bn", x, x, US_ACT_GELU, NULL), -1);
    assert_fails(UNSEEN_USAGE, "a batch norm with residual cannot end with GELU", graph.status);
    us_graph_free(&graph);
    us_graph_begin(&graph, 8, 8, 3);
    us_graph_conv(&graph, "c", 0, 3, 3, 1, 1);
    us_graph_freeze(&graph, "d.weight");
    assert_fails(UNSEEN_FAILED, "no parameter d.weight", graph.status);
    us_graph_free(&graph);
}

/* The same pass twice gives the same bits, also with other work in between. */
static void passes_repeat(void **state)
{
    (void)state;
    struct net net;
    open_net(&net, everything);
    size_t bytes = us_model_count(net.model, US_MODEL_GRADS) * sizeof(float);
    float *first = malloc(bytes), *second = malloc(bytes);
    assert_non_null(first);
    assert_non_null(second);
    double loss = loss_of(&net, true);
    assert_ok(us_model_get(net.model, US_MODEL_GRADS, first));
    assert_ok(us_model_forward(net.model, N + 1, false));
    assert_true(loss_of(&net, true) == loss);
    assert_ok(us_model_get(net.model, US_MODEL_GRADS, second));
    assert_memory_equal(first, second, bytes);
    free(first);
    free(second);
    close_net(&net);
}

static void wrong_passes(void **state)
{
    (void)state;
    struct net net;
    open_net(&net, flattened);
    assert_fails(UNSEEN_USAGE, "batch", us_model_forward(net.model, 0, false));
    assert_fails(UNSEEN_USAGE, "batch", us_model_forward(net.model, N + 2, false));
    close_net(&net);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_everything),
        cmocka_unit_test(gradients_through_flattening),
        cmocka_unit_test(gradients_past_what_is_frozen),
        cmocka_unit_test(no_gradient_before_frozen_layers),
        cmocka_unit_test(bad_graphs),
        cmocka_unit_test(passes_repeat),
        cmocka_unit_test(wrong_passes),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
