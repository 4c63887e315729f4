#include "config.h"

#include "nn/model_parts.h"
#include "ops/elementwise.h"

/* A model's passes: forward over its nodes in order, backward in reverse. */

enum way {
    EVALUATE,
    TRAIN,
    AGAIN, /* in the backward pass, what a training pass computed before, to the bit */
};

/* NULL where there is no such value, or none in memory. */
static struct us_buf *value_of(const struct us_model *model, const int *places, int value)
{
    return value < 0 || places[value] < 0 ? NULL : model->places[places[value]];
}

static struct us_buf *activation(const struct us_model *model, int value)
{
    return value_of(model, model->plan.activation, value);
}

/* The same as the backward pass finds it. */
static struct us_buf *kept(const struct us_model *model, int value)
{
    return value_of(model, model->plan.again, value);
}

/* NULL where no gradient is wanted. */
static struct us_buf *gradient(const struct us_model *model, int value)
{
    return value < 0 || model->plan.gradient[value] < 0 ? NULL : model->places[model->plan.gradient[value]];
}

static size_t pixels(const struct us_model *model, int value, int n)
{
    return (size_t)n * (size_t)model->graph.values[value].h * (size_t)model->graph.values[value].w;
}

/* Where the gradient of parameter k goes. NULL for frozen weights, whose gradient need not be computed. */
static struct us_buf *param_gradient(const struct us_model *model, int k)
{
    const struct us_param *param = &model->graph.params.item[k];
    if (!param->frozen)
        return model->grads.part[k];
    return us_param_is_weight(param) ? NULL : model->unwanted[param->role == US_PARAM_SHIFT];
}

static struct us_batchnorm_params batchnorm_params(const struct us_model *model, const struct us_node *node)
{
    struct us_batchnorm_params params = {.gamma = model->params.part[node->param],
                                         .beta = model->params.part[node->param + 1],
                                         .running_mean = model->stats.part[node->stat],
                                         .running_var = model->stats.part[node->stat + 1]};
    if (us_model_learns(&model->spec)) {
        params.dgamma = param_gradient(model, node->param);
        params.dbeta = param_gradient(model, node->param + 1);
        params.mean = model->saved.part[node->stat];
        params.invstd = model->saved.part[node->stat + 1];
        params.frozen = model->frozen;
    }
    return params;
}

/* A convolution's share of the batch norm behind it: in training the moments, in evaluation all of it. */
static enum unseen_status forward_fused(struct us_model *model, int i, int n, enum way way, struct us_buf *x,
                                        struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_node *node = &model->graph.nodes[i], *next = node + 1;
    struct us_conv_epilogue epilogue = {.moments = model->shared};
    if (way == EVALUATE) {
        const struct us_batchnorm_params params = batchnorm_params(model, next);
        US_TRY(us_batchnorm_affine(model->layers[i + 1].batchnorm, &params, model->shared));
        epilogue = (struct us_conv_epilogue){
            .affine = model->shared, .residual = activation(model, next->residual), .act = next->act};
    }
    US_TRY(us_conv_forward_fused(model->layers[i].conv, n, x, model->params.part[node->param],
                                 model->workspace, &epilogue,
                                 way == EVALUATE ? activation(model, next->y) : y));
out:
    return st;
}

static enum unseen_status forward_batchnorm(struct us_model *model, int i, int n, enum way way,
                                            struct us_buf *x, struct us_buf *residual, struct us_buf *y)
{
    const struct us_node *node = &model->graph.nodes[i];
    const bool fused = i > 0 && model->fused[i - 1];
    struct us_batchnorm *batchnorm = model->layers[i].batchnorm;
    const struct us_batchnorm_params params = batchnorm_params(model, node);
    const size_t rows = pixels(model, node->x, n);
    if (way == AGAIN)
        return us_batchnorm_forward_again(batchnorm, rows, x, residual, &params, y);
    if (way == EVALUATE)
        return fused ? UNSEEN_OK
                     : us_batchnorm_forward_eval(batchnorm, rows, x, residual, &params, model->workspace, y);
    if (model->frozen)
        return us_batchnorm_forward_frozen(batchnorm, rows, x, residual, &params, y);
    if (!fused)
        return us_batchnorm_forward_train(batchnorm, rows, x, residual, &params, model->workspace, y);
    const int blocks = us_conv_moment_blocks(model->layers[i - 1].conv, n);
    return us_batchnorm_forward_moments(batchnorm, rows, (size_t)blocks, model->shared, x, residual, &params,
                                        y);
}

static enum unseen_status forward_node(struct us_model *model, int i, int n, enum way way)
{
    const struct us_node *node = &model->graph.nodes[i];
    const struct us_layer *layer = &model->layers[i];
    const int *places = way == AGAIN ? model->plan.again : model->plan.activation;
    struct us_buf *x = value_of(model, places, node->x), *y = value_of(model, places, node->y);
    switch (node->kind) {
    case US_NODE_CONV:
        if (model->fused[i] && (way == EVALUATE || !model->frozen))
            return forward_fused(model, i, n, way, x, y);
        return us_conv_forward(layer->conv, n, x, model->params.part[node->param], model->workspace, y);
    case US_NODE_BATCHNORM:
        return forward_batchnorm(model, i, n, way, x, value_of(model, places, node->residual), y);
    case US_NODE_POOL:
        return us_pool_forward(layer->pool, n, x, y);
    case US_NODE_LINEAR:
        return us_linear_forward(layer->linear, n, x, model->params.part[node->param],
                                 node->has_bias ? model->params.part[node->param + 1] : NULL,
                                 model->workspace, y);
    case US_NODE_BIAS:
        return us_bias_forward(layer->bias, pixels(model, node->x, n), x, model->params.part[node->param], y);
    }
    return UNSEEN_OK;
}

static enum unseen_status backward_batchnorm(struct us_model *model, int i, int n)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_node *node = &model->graph.nodes[i];
    struct us_batchnorm_params params = batchnorm_params(model, node);
    struct us_buf *dy = gradient(model, node->y), *dx = gradient(model, node->x);
    size_t rows = pixels(model, node->x, n);
    US_TRY(us_batchnorm_backward(model->layers[i].batchnorm, rows, dy, kept(model, node->x),
                                 kept(model, node->y), &params, model->workspace, dy,
                                 gradient(model, node->residual), model->plan.accumulate_residual[i]));
    if (model->plan.accumulate_x[i])
        US_TRY(us_add(model->device, rows * (size_t)model->graph.values[node->x].c, dy, dx));
out:
    return st;
}

static enum unseen_status backward_conv(struct us_model *model, int i, int n, struct us_buf *x,
                                        struct us_buf *dy, struct us_buf *dx)
{
    enum unseen_status st = UNSEEN_OK;
    const int k = model->graph.nodes[i].param;
    struct us_conv *conv = model->layers[i].conv;
    struct us_buf *dweights = param_gradient(model, k);
    if (dweights)
        US_TRY(us_conv_backward_weights(conv, n, x, dy, model->workspace, dweights));
    if (dx)
        US_TRY(us_conv_backward_data(conv, n, dy, model->params.part[k], model->workspace,
                                     model->plan.accumulate_x[i], dx));
out:
    return st;
}

static enum unseen_status backward_node(struct us_model *model, int i, int n)
{
    const struct us_node *node = &model->graph.nodes[i];
    const struct us_layer *layer = &model->layers[i];
    struct us_buf *x = kept(model, node->x);
    struct us_buf *dy = gradient(model, node->y), *dx = gradient(model, node->x);
    const bool accumulate = model->plan.accumulate_x[i];
    const int k = node->param;
    if (!dy)
        return UNSEEN_OK;
    switch (node->kind) {
    case US_NODE_CONV:
        return backward_conv(model, i, n, x, dy, dx);
    case US_NODE_BATCHNORM:
        return backward_batchnorm(model, i, n);
    case US_NODE_POOL:
        return dx ? us_pool_backward(layer->pool, n, x, kept(model, node->y), dy, accumulate, dx) : UNSEEN_OK;
    case US_NODE_LINEAR:
        return us_linear_backward(layer->linear, n, x, dy, model->params.part[k], model->workspace,
                                  param_gradient(model, k),
                                  node->has_bias ? param_gradient(model, k + 1) : NULL, accumulate, dx);
    case US_NODE_BIAS:
        return us_bias_backward(layer->bias, pixels(model, node->x, n), dy, x, model->params.part[k],
                                model->workspace, param_gradient(model, k), accumulate, dx);
    }
    return UNSEEN_OK;
}

void us_model_freeze(struct us_model *model)
{
    model->frozen = true;
}

static enum unseen_status check_pass(const struct us_model *model, int n, bool training)
{
    if (n < 1 || n > model->spec.batch)
        return us_fail(UNSEEN_USAGE, model->name, "a batch of %d is not in 1..%d", n, model->spec.batch);
    if (training && !us_model_learns(&model->spec))
        return us_fail(UNSEEN_USAGE, model->name, "the model was not built for training");
    return UNSEEN_OK;
}

enum unseen_status us_model_forward(struct us_model *model, int n, bool training)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(check_pass(model, n, training));
    for (int i = 0; i < model->graph.n_nodes; i++)
        US_TRY(forward_node(model, i, n, training ? TRAIN : EVALUATE));
    model->batches += training && !model->frozen;
out:
    return st;
}

enum unseen_status us_model_backward(struct us_model *model, int n)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(check_pass(model, n, true));
    for (int i = model->graph.n_nodes - 1; i >= 0; i--) {
        for (int k = model->plan.restart[i]; k >= 0 && k < i; k++)
            US_TRY(forward_node(model, k, n, AGAIN));
        US_TRY(backward_node(model, i, n));
    }
out:
    return st;
}

static int logits(const struct us_model *model)
{
    return model->graph.nodes[model->graph.n_nodes - 1].y;
}

struct us_buf *us_model_input(struct us_model *model)
{
    return activation(model, 0);
}

struct us_buf *us_model_logits(struct us_model *model)
{
    return activation(model, logits(model));
}

struct us_buf *us_model_dlogits(struct us_model *model)
{
    return gradient(model, logits(model));
}

struct us_buf *us_model_scaling(struct us_model *model)
{
    return model->scaling;
}

struct us_buf *us_model_features(struct us_model *model)
{
    return activation(model, model->graph.nodes[model->graph.n_nodes - 1].x);
}

int us_model_feature_count(const struct us_model *model)
{
    return us_graph_feature_count(&model->graph);
}

double us_model_flops(const struct us_model *model)
{
    return us_graph_flops(&model->graph);
}
