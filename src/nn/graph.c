#include "config.h"

#include "nn/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/conv/conv.h"

/* Grow `array` of *n items by one, zeroed, and return the new item. */
static void *append(struct us_graph *graph, void **array, int *n, size_t size)
{
    void *grown = us_realloc(*array, (size_t)*n + 1, size);
    if (!grown) {
        graph->status = UNSEEN_FAILED;
        return NULL;
    }
    *array = grown;
    void *item = (char *)grown + (size_t)*n * size;
    memset(item, 0, size);
    (*n)++;
    return item;
}

static int add_value(struct us_graph *graph, int h, int w, int c)
{
    if (h < 1 || w < 1 || c < 1) {
        graph->status = us_fail(UNSEEN_USAGE, "model", "the images are too small for this model");
        return -1;
    }
    struct us_value *value = append(graph, (void **)&graph->values, &graph->n_values, sizeof *graph->values);
    if (!value)
        return -1;
    *value = (struct us_value){h, w, c};
    return graph->n_values - 1;
}

static struct us_node *add_node(struct us_graph *graph, enum us_node_kind kind, int x)
{
    struct us_node *node = append(graph, (void **)&graph->nodes, &graph->n_nodes, sizeof *graph->nodes);
    if (node)
        *node = (struct us_node){.kind = kind, .x = x, .residual = -1, .y = -1, .param = -1, .stat = -1};
    return node;
}

/* The output of the node just added. */
static int finish_node(struct us_graph *graph, int h, int w, int c)
{
    int y = add_value(graph, h, w, c);
    if (y >= 0)
        graph->nodes[graph->n_nodes - 1].y = y;
    return y;
}

static int add_param(struct us_graph *graph, struct us_params *params, const char *module, const char *name,
                     struct us_param shape)
{
    struct us_param *param = append(graph, (void **)&params->item, &params->n, sizeof *params->item);
    if (!param)
        return -1;
    *param = shape;
    snprintf(param->name, sizeof param->name, "%s.%s", module, name);
    param->count = (size_t)shape.o * (size_t)shape.i * (size_t)shape.h * (size_t)shape.w;
    params->count += param->count;
    return params->n - 1;
}

static struct us_param vector(enum us_param_role role, enum us_param_init init, int n)
{
    return (struct us_param){.role = role, .init = init, .o = n, .i = 1, .h = 1, .w = 1};
}

/* As us_conv_out, and 0 where a window does not fit at all. */
static int out_size(int size, const struct us_node *node)
{
    if (size + 2 * node->pad < node->kernel)
        return 0;
    return us_conv_out(size, node->kernel, node->stride, node->pad);
}

void us_graph_begin(struct us_graph *graph, int h, int w, int c)
{
    memset(graph, 0, sizeof *graph);
    add_value(graph, h, w, c);
}

void us_graph_free(struct us_graph *graph)
{
    free(graph->values);
    free(graph->nodes);
    free(graph->params.item);
    free(graph->stats.item);
    memset(graph, 0, sizeof *graph);
}

int us_graph_conv(struct us_graph *graph, const char *name, int x, int cout, int kernel, int stride, int pad)
{
    if (graph->status)
        return -1;
    struct us_value in = graph->values[x];
    struct us_node *node = add_node(graph, US_NODE_CONV, x);
    if (!node)
        return -1;
    node->kernel = kernel;
    node->stride = stride;
    node->pad = pad;
    node->param = add_param(graph, &graph->params, name, "weight",
                            (struct us_param){.role = US_PARAM_CONV,
                                              .init = US_INIT_NORMAL,
                                              .fan_in = in.c * kernel * kernel,
                                              .o = cout,
                                              .i = in.c,
                                              .h = kernel,
                                              .w = kernel});
    return finish_node(graph, out_size(in.h, node), out_size(in.w, node), cout);
}

int us_graph_batchnorm(struct us_graph *graph, const char *name, int x, int residual, enum us_activation act,
                       const struct us_norm *norm)
{
    if (graph->status)
        return -1;
    struct us_value in = graph->values[x];
    if (residual == 0) { /* it has no gradient, which batch norm takes for having no residual */
        graph->status = us_fail(UNSEEN_USAGE, "model", "the input cannot be a residual");
        return -1;
    }
    if (residual > 0 &&
        act == US_ACT_GELU) { /* its gradient needs the sum, of which only GELU's value is kept */
        graph->status = us_fail(UNSEEN_USAGE, "model", "a batch norm with residual cannot end with GELU");
        us_hint("ReLU goes with a residual, and GELU goes without one");
        return -1;
    }
    struct us_node *node = add_node(graph, US_NODE_BATCHNORM, x);
    if (!node)
        return -1;
    node->residual = residual;
    node->act = act;
    node->norm = norm ? *norm : (struct us_norm){.eps = 1e-5, .momentum = 0.1};
    struct us_param scale = vector(US_PARAM_SCALE, US_INIT_ONE, in.c);
    scale.frozen = node->norm.fixed_scale;
    node->param = add_param(graph, &graph->params, name, "weight", scale);
    add_param(graph, &graph->params, name, "bias", vector(US_PARAM_SHIFT, US_INIT_ZERO, in.c));
    node->stat =
        add_param(graph, &graph->stats, name, "running_mean", vector(US_PARAM_STAT, US_INIT_ZERO, in.c));
    add_param(graph, &graph->stats, name, "running_var", vector(US_PARAM_STAT, US_INIT_ONE, in.c));
    return finish_node(graph, in.h, in.w, in.c);
}

int us_graph_pool(struct us_graph *graph, enum us_pool_kind kind, int x, int kernel, int stride, int pad)
{
    if (graph->status)
        return -1;
    struct us_value in = graph->values[x];
    struct us_node *node = add_node(graph, US_NODE_POOL, x);
    if (!node)
        return -1;
    node->pool = kind;
    node->kernel = kernel;
    node->stride = stride;
    node->pad = pad;
    return finish_node(graph, out_size(in.h, node), out_size(in.w, node), in.c);
}

static int add_linear(struct us_graph *graph, const char *name, int x, int out, bool bias, float scale)
{
    if (graph->status)
        return -1;
    struct us_value in = graph->values[x];
    struct us_node *node = add_node(graph, US_NODE_LINEAR, x);
    if (!node)
        return -1;
    const int fan_in = in.c * in.h * in.w;
    node->has_bias = bias;
    node->scale = scale;
    node->param = add_param(graph, &graph->params, name, "weight",
                            (struct us_param){.role = US_PARAM_LINEAR,
                                              .init = US_INIT_UNIFORM,
                                              .fan_in = fan_in,
                                              .o = out,
                                              .i = in.c,
                                              .h = in.h,
                                              .w = in.w});
    struct us_param vector_bias = vector(US_PARAM_BIAS, US_INIT_UNIFORM, out);
    vector_bias.fan_in = fan_in;
    if (bias)
        add_param(graph, &graph->params, name, "bias", vector_bias);
    return finish_node(graph, 1, 1, out);
}

int us_graph_linear(struct us_graph *graph, const char *name, int x, int out)
{
    return add_linear(graph, name, x, out, true, 1.0f);
}

int us_graph_linear_scaled(struct us_graph *graph, const char *name, int x, int out, float scale)
{
    return add_linear(graph, name, x, out, false, scale);
}

int us_graph_bias(struct us_graph *graph, const char *name, int x, enum us_activation act)
{
    if (graph->status)
        return -1;
    struct us_value in = graph->values[x];
    struct us_node *node = add_node(graph, US_NODE_BIAS, x);
    if (!node)
        return -1;
    node->act = act;
    node->param = add_param(graph, &graph->params, name, "bias", vector(US_PARAM_BIAS, US_INIT_ZERO, in.c));
    return finish_node(graph, in.h, in.w, in.c);
}

int us_node_params(const struct us_node *node)
{
    switch (node->kind) {
    case US_NODE_BATCHNORM:
        return 2;
    case US_NODE_LINEAR:
        return node->has_bias ? 2 : 1;
    case US_NODE_CONV:
    case US_NODE_BIAS:
        return 1;
    case US_NODE_POOL:
        break;
    }
    return 0;
}

void us_graph_find_wanted(const struct us_graph *graph, bool *wanted)
{
    wanted[0] = false;
    for (int i = 0; i < graph->n_nodes; i++) {
        const struct us_node *node = &graph->nodes[i];
        bool trains = false;
        for (int k = 0; k < us_node_params(node); k++)
            trains |= !graph->params.item[node->param + k].frozen;
        wanted[node->y] = trains || wanted[node->x] || node->residual > 0;
    }
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].residual > 0)
            wanted[graph->nodes[i].residual] = true;
    wanted[graph->nodes[graph->n_nodes - 1].y] = true;
}

/* UNSEEN_FAILED is a builder's mistake. */
static struct us_param *find_param(struct us_graph *graph, const char *name)
{
    for (int k = 0; !graph->status && k < graph->params.n; k++)
        if (strcmp(graph->params.item[k].name, name) == 0)
            return &graph->params.item[k];
    if (!graph->status)
        graph->status = us_fail(UNSEEN_FAILED, "model", "it has no parameter %s", name);
    return NULL;
}

void us_graph_draw(struct us_graph *graph, const char *name, enum us_param_init init)
{
    struct us_param *param = find_param(graph, name);
    if (param)
        param->init = init;
}

void us_graph_freeze(struct us_graph *graph, const char *name)
{
    struct us_param *param = find_param(graph, name);
    if (param)
        param->frozen = true;
}

int us_graph_feature_count(const struct us_graph *graph)
{
    const struct us_value *x = &graph->values[graph->nodes[graph->n_nodes - 1].x];
    return x->h * x->w * x->c;
}

bool us_graph_feeds_batchnorm(const struct us_graph *graph, int i)
{
    const int y = graph->nodes[i].y;
    if (graph->nodes[i].kind != US_NODE_CONV || i + 1 == graph->n_nodes ||
        graph->nodes[i + 1].kind != US_NODE_BATCHNORM || graph->nodes[i + 1].x != y)
        return false;
    for (int k = i + 1; k < graph->n_nodes; k++)
        if (graph->nodes[k].residual == y || (k > i + 1 && graph->nodes[k].x == y))
            return false;
    return true;
}

bool us_graph_cut_behind(const struct us_graph *graph, int i)
{
    const int y = graph->nodes[i].y; /* values are numbered in the order in which they are made */
    for (int k = i + 1; k < graph->n_nodes; k++) {
        const struct us_node *node = &graph->nodes[k];
        if (node->x < y || (node->residual >= 0 && node->residual < y))
            return false;
    }
    return true;
}

bool us_param_is_weight(const struct us_param *param)
{
    return param->role == US_PARAM_CONV || param->role == US_PARAM_LINEAR;
}

/* Where a parameter lies in the flat buffer: the number of its part there. */
static int part_of(const struct us_param *param)
{
    if (param->frozen)
        return 3;
    if (us_param_is_weight(param))
        return 0;
    return param->role == US_PARAM_SHIFT ? 2 : 1;
}

void us_params_place(struct us_params *params, size_t align)
{
    const size_t step = align / sizeof(float) > 1 ? align / sizeof(float) : 1;
    size_t ends[4];
    params->floats = 0;
    for (int part = 0; part < 4; part++) {
        for (int k = 0; k < params->n; k++) {
            struct us_param *param = &params->item[k];
            if (part_of(param) != part)
                continue;
            param->offset = params->floats;
            params->floats = (params->floats + param->count + step - 1) / step * step;
        }
        ends[part] = params->floats;
    }
    params->weights = ends[0];
    params->shifts = ends[1];
    params->trained = ends[2];
}

size_t us_param_index(const struct us_param *param, int o, int i, int y, int x)
{
    size_t so = (size_t)o, si = (size_t)i, sy = (size_t)y, sx = (size_t)x;
    size_t n_o = (size_t)param->o, n_i = (size_t)param->i, n_h = (size_t)param->h, n_w = (size_t)param->w;
    if (param->role == US_PARAM_CONV)
        return ((sy * n_w + sx) * n_i + si) * n_o + so;
    return ((so * n_h + sy) * n_w + sx) * n_i + si;
}
