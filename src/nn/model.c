#include "config.h"

#include "nn/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/model_parts.h"
#include "ops/scaling.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static enum us_plan_for purpose(const struct us_model_spec *spec)
{
    return !us_model_learns(spec) ? US_PLAN_FORWARD : spec->recompute ? US_PLAN_RECOMPUTE : US_PLAN_TRAINING;
}

static enum unseen_status make_layer(struct us_model *model, int i)
{
    const struct us_node *node = &model->graph.nodes[i];
    struct us_value x = model->graph.values[node->x], y = model->graph.values[node->y];
    struct us_layer *layer = &model->layers[i];
    const size_t rows = (size_t)model->spec.batch * (size_t)x.h * (size_t)x.w;
    enum unseen_status st = UNSEEN_OK;
    switch (node->kind) {
    case US_NODE_CONV: {
        struct us_conv_shape shape = {
            model->spec.batch,    x.h, x.w, x.c, y.c, node->kernel, node->stride, node->pad,
            model->spec.precision};
        US_TRY(us_conv_new(model->device, &shape, NULL, &layer->conv));
        model->workspace_bytes = max_size(model->workspace_bytes, us_conv_workspace(layer->conv));
        break;
    }
    case US_NODE_BATCHNORM: {
        const struct us_batchnorm_spec spec = {x.c, node->act, node->norm.eps, node->norm.momentum};
        US_TRY(us_batchnorm_new(model->device, rows, &spec, &layer->batchnorm));
        model->workspace_bytes = max_size(model->workspace_bytes, us_batchnorm_workspace(layer->batchnorm));
        break;
    }
    case US_NODE_POOL: {
        struct us_pool_shape shape = {node->pool, x.h, x.w, x.c, node->kernel, node->stride, node->pad};
        US_TRY(us_pool_new(model->device, &shape, &layer->pool));
        break;
    }
    case US_NODE_LINEAR:
        US_TRY(us_linear_new(model->device, model->spec.batch, x.h * x.w * x.c, y.c, node->scale,
                             &layer->linear));
        model->workspace_bytes = max_size(model->workspace_bytes, us_linear_workspace(layer->linear));
        break;
    case US_NODE_BIAS:
        US_TRY(us_bias_new(model->device, rows, x.c, node->act, &layer->bias));
        model->workspace_bytes = max_size(model->workspace_bytes, us_bias_workspace(layer->bias));
        break;
    }
out:
    return st;
}

static bool scales(const struct us_model *model)
{
    return model->spec.training && model->spec.precision == UNSEEN_F16;
}

static bool looks_ahead(const struct us_model *model)
{
    return model->spec.training && model->spec.lookahead;
}

static bool accumulates(const struct us_model *model)
{
    return us_model_learns(&model->spec) && model->spec.accumulate > 1;
}

/* Their programs are built together. */
static enum unseen_status make_layers(struct us_model *model)
{
    enum unseen_status st = UNSEEN_OK;
    us_builds_begin(model->device);
    for (int i = 0; i < model->graph.n_nodes && !st; i++)
        st = make_layer(model, i);
    if (!st && scales(model))
        st = us_scaling_prepare(model->device);
    return us_builds_end(model->device, st);
}

/* Which convolutions take part in their batch norm: every one that can. */
static void fuse(struct us_model *model)
{
    for (int i = 0; i + 1 < model->graph.n_nodes; i++) {
        const struct us_layer *conv = &model->layers[i], *next = &model->layers[i + 1];
        if (!us_graph_feeds_batchnorm(&model->graph, i))
            continue;
        const int blocks = us_conv_moment_blocks(conv->conv, model->spec.batch);
        model->fused[i] = blocks > 0;
        const size_t affine = 2 * (size_t)model->graph.values[model->graph.nodes[i].y].c * sizeof(float);
        const size_t moments = us_batchnorm_moments(next->batchnorm, (size_t)blocks);
        if (blocks > 0)
            model->shared_bytes =
                max_size(model->shared_bytes, us_model_learns(&model->spec) ? moments : affine);
    }
}

/* Room for the largest gradient of a frozen vector. */
static size_t unwanted_bytes(const struct us_model *model)
{
    size_t count = 0;
    for (int k = 0; k < model->graph.params.n; k++) {
        const struct us_param *param = &model->graph.params.item[k];
        if (param->frozen && !us_param_is_weight(param))
            count = max_size(count, param->count);
    }
    return us_model_learns(&model->spec) ? count * sizeof(float) : 0;
}

static enum unseen_status check_spec(const struct us_model_spec *spec)
{
    if (spec->width < 1 || spec->width > 1024)
        return us_fail(UNSEEN_USAGE, "--width", "%d is not in 1..1024", spec->width);
    if (spec->batch < 1)
        return us_fail(UNSEEN_USAGE, "--batch", "%d is not positive", spec->batch);
    if (spec->classes < 2)
        return us_fail(UNSEEN_USAGE, "model", "%d classes: at least 2 are needed", spec->classes);
    return UNSEEN_OK;
}

enum unseen_status us_model_prepare(struct unseen_device *device, const struct us_model_spec *spec,
                                    us_builder *builder, struct us_model **out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_model *model = NULL;
    US_TRY(check_spec(spec));
    US_TRY_ALLOC(model = us_calloc(1, sizeof *model));
    model->device = device;
    model->spec = *spec;
    snprintf(model->name, sizeof model->name, "%s", spec->name);
    model->spec.name = model->name;
    us_graph_begin(&model->graph, spec->height, spec->height, spec->channels_in);
    if (!model->graph.status)
        builder(&model->graph, spec);
    US_TRY(model->graph.status);
    size_t align = max_size(unseen_device_info(device)->align, 64);
    us_params_place(&model->graph.params, align);
    us_params_place(&model->graph.stats, align);
    model->unwanted_bytes = unwanted_bytes(model);
    US_TRY_ALLOC(model->layers = us_calloc((size_t)model->graph.n_nodes, sizeof *model->layers));
    US_TRY_ALLOC(model->fused = us_calloc((size_t)model->graph.n_nodes, sizeof *model->fused));
    US_TRY(make_layers(model));
    fuse(model);
    US_TRY(us_plan_make(&model->graph, spec->batch, purpose(spec), model->fused, &model->plan));
    *out = model;
    model = NULL;
out:
    us_model_free(model);
    return st;
}

/* Bytes in all, and the largest single buffer. */
static uint64_t needed(const struct us_model *model, uint64_t *largest)
{
    size_t params = us_flat_bytes(&model->graph.params), stats = us_flat_bytes(&model->graph.stats);
    uint64_t sum = model->workspace_bytes ? us_buf_footprint(model->workspace_bytes) : 0;
    sum += model->shared_bytes ? us_buf_footprint(model->shared_bytes) : 0;
    sum += model->unwanted_bytes ? 2 * us_buf_footprint(model->unwanted_bytes) : 0;
    *largest = max_size(model->workspace_bytes, params);
    for (int s = 0; s < model->plan.n_slots; s++) {
        sum += us_buf_footprint(model->plan.slots[s]);
        *largest = max_size(*largest, model->plan.slots[s]);
    }
    if (accumulates(model))
        sum += us_buf_footprint(params);
    /* Training adds velocity and gradients to parameters, and saved statistics to running ones. */
    const size_t learns = us_model_learns(&model->spec), averages = looks_ahead(model);
    const size_t copies = 1 + learns + model->spec.training + averages;
    if (scales(model))
        sum += us_buf_footprint(US_SCALING_FLOATS * sizeof(float));
    return sum + copies * us_buf_footprint(params) + (1 + learns + averages) * us_buf_footprint(stats);
}

static bool fits(const struct us_model *model)
{
    struct us_memory memory = us_device_memory(model->device);
    uint64_t largest, bytes = needed(model, &largest);
    return largest <= memory.max_alloc && memory.used + bytes <= memory.limit;
}

/* The largest batch below the one that did not fit; 0 if none. */
static int fitting_batch(const struct us_model *model, us_builder *builder)
{
    int low = 0, high = model->spec.batch;
    struct us_model_spec spec = model->spec;
    while (high - low > 1) {
        spec.batch = low + (high - low) / 2;
        struct us_model *trial;
        if (us_model_prepare(model->device, &spec, builder, &trial))
            return low;
        bool good = fits(trial);
        us_model_free(trial);
        if (good)
            low = spec.batch;
        else
            high = spec.batch;
    }
    return low;
}

/* In how many equal parts the whole batch would fit where parts of `part` do; 0 where there may be but one.
 */
static int fitting_parts(const struct us_model_spec *spec, int part)
{
    const int whole = spec->batch * spec->accumulate;
    for (int n = spec->accumulate + 1; n <= whole && spec->accumulate > 0; n++)
        if (whole % n == 0 && whole / n <= part)
            return n;
    return 0;
}

static enum unseen_status does_not_fit(const struct us_model *model, us_builder *builder)
{
    const double mib = 1024.0 * 1024.0;
    struct us_memory memory = us_device_memory(model->device);
    uint64_t largest, bytes = needed(model, &largest);
    uint64_t there = memory.limit > memory.used ? memory.limit - memory.used : 0;
    int batch = fitting_batch(model, builder);
    if (bytes > there)
        us_fail(UNSEEN_FAILED, model->name,
                "width %d with batches of %d needs %.1f MiB of device memory; %.1f MiB are free",
                model->spec.width, model->spec.batch, (double)bytes / mib, (double)there / mib);
    else
        us_fail(UNSEEN_FAILED, model->name,
                "width %d with batches of %d needs a buffer of %.1f MiB; the device's limit is %.1f MiB",
                model->spec.width, model->spec.batch, (double)largest / mib, (double)memory.max_alloc / mib);
    const int parts = batch > 0 ? fitting_parts(&model->spec, batch) : 0;
    if (parts > 0)
        us_hint("--batch %d would fit, or --accumulate %d%s", batch, parts,
                model->spec.recompute ? "" : "; --recompute takes less");
    else if (batch > 0)
        us_hint("--batch %d would fit", batch);
    else
        us_hint("no batch size would fit; try a smaller --width");
    return UNSEEN_FAILED;
}

static enum unseen_status allocate(struct us_model *model)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device *device = model->device;
    const struct us_params *params = &model->graph.params, *stats = &model->graph.stats;
    US_TRY(us_flat_new(device, params, true, &model->params));
    US_TRY(us_flat_new(device, stats, true, &model->stats));
    if (model->spec.training)
        US_TRY(us_flat_new(device, params, false, &model->velocity));
    if (us_model_learns(&model->spec)) {
        US_TRY(us_flat_new(device, params, true, &model->grads));
        US_TRY(us_flat_new(device, stats, true, &model->saved));
    }
    if (looks_ahead(model)) {
        US_TRY(us_flat_new(device, params, false, &model->slow));
        US_TRY(us_flat_new(device, stats, false, &model->slow_stats));
    }
    if (accumulates(model))
        US_TRY(us_buf_new(device, us_flat_bytes(params), &model->sum));
    if (scales(model))
        US_TRY(us_buf_new(device, US_SCALING_FLOATS * sizeof(float), &model->scaling));
    if (model->workspace_bytes)
        US_TRY(us_buf_new(device, model->workspace_bytes, &model->workspace));
    if (model->shared_bytes)
        US_TRY(us_buf_new(device, model->shared_bytes, &model->shared));
    for (int k = 0; model->unwanted_bytes && k < 2; k++)
        US_TRY(us_buf_new(device, model->unwanted_bytes, &model->unwanted[k]));
    US_TRY_ALLOC(model->slots = us_calloc((size_t)model->plan.n_slots, sizeof(struct us_buf *)));
    for (int s = 0; s < model->plan.n_slots; s++)
        US_TRY(us_buf_new(device, model->plan.slots[s], &model->slots[s]));
    US_TRY_ALLOC(model->places = us_calloc((size_t)model->plan.n_places, sizeof(struct us_buf *)));
    for (int k = 0; k < model->plan.n_places; k++) {
        const struct us_place *place = &model->plan.places[k];
        US_TRY(us_buf_sub(device, model->slots[place->slot], place->offset, place->bytes, &model->places[k]));
    }
out:
    return st;
}

enum unseen_status us_model_build(struct unseen_device *device, const struct us_model_spec *spec,
                                  us_builder *builder, struct us_model **out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_model *model = NULL;
    US_TRY(us_model_prepare(device, spec, builder, &model));
    if (!fits(model)) {
        st = does_not_fit(model, builder);
        goto out;
    }
    US_TRY(allocate(model));
    *out = model;
    model = NULL;
out:
    us_model_free(model);
    return st;
}

enum unseen_status us_model_new(struct unseen_device *device, const struct us_model_spec *spec,
                                struct us_model **model)
{
    us_builder *builder;
    enum unseen_status st = us_builder_find(spec->name, &builder);
    return st ? st : us_model_build(device, spec, builder, model);
}

enum unseen_status us_model_memory(struct unseen_device *device, const struct us_model_spec *spec,
                                   uint64_t *bytes)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_model *model = NULL;
    us_builder *builder;
    uint64_t largest;
    US_TRY(us_builder_find(spec->name, &builder));
    US_TRY(us_model_prepare(device, spec, builder, &model));
    *bytes = needed(model, &largest);
out:
    us_model_free(model);
    return st;
}

void us_model_free(struct us_model *model)
{
    if (!model)
        return;
    for (int k = 0; model->places && k < model->plan.n_places; k++)
        us_buf_free(model->device, model->places[k]);
    free(model->places);
    for (int s = 0; model->slots && s < model->plan.n_slots; s++)
        us_buf_free(model->device, model->slots[s]);
    free(model->slots);
    us_buf_free(model->device, model->workspace);
    us_buf_free(model->device, model->scaling);
    us_buf_free(model->device, model->sum);
    us_buf_free(model->device, model->shared);
    for (int k = 0; k < 2; k++)
        us_buf_free(model->device, model->unwanted[k]);
    us_flat_free(model->device, &model->params);
    us_flat_free(model->device, &model->grads);
    us_flat_free(model->device, &model->velocity);
    us_flat_free(model->device, &model->stats);
    us_flat_free(model->device, &model->saved);
    us_flat_free(model->device, &model->slow);
    us_flat_free(model->device, &model->slow_stats);
    for (int i = 0; model->layers && i < model->graph.n_nodes; i++) {
        us_conv_free(model->layers[i].conv);
        us_batchnorm_free(model->layers[i].batchnorm);
        us_pool_free(model->layers[i].pool);
        us_linear_free(model->layers[i].linear);
        us_bias_free(model->layers[i].bias);
    }
    free(model->layers);
    free(model->fused);
    us_plan_free(&model->plan);
    us_graph_free(&model->graph);
    free(model);
}

enum unseen_status us_model_flat(const struct us_model *model, enum us_model_part part,
                                 const struct us_flat **flat)
{
    const struct us_flat *parts[] = {
        [US_MODEL_PARAMS] = &model->params,     [US_MODEL_GRADS] = &model->grads,
        [US_MODEL_VELOCITY] = &model->velocity, [US_MODEL_STATS] = &model->stats,
        [US_MODEL_SLOW] = &model->slow,         [US_MODEL_SLOW_STATS] = &model->slow_stats};
    *flat = parts[part];
    if (!(*flat)->whole)
        return us_fail(UNSEEN_USAGE, model->name, "the model was not built for training");
    return UNSEEN_OK;
}

size_t us_model_count(const struct us_model *model, enum us_model_part part)
{
    if (part == US_MODEL_SCALING)
        return model->scaling ? US_SCALING_FLOATS : 0;
    if (part >= US_MODEL_SLOW && !looks_ahead(model))
        return 0;
    return part == US_MODEL_STATS || part == US_MODEL_SLOW_STATS ? model->graph.stats.count
                                                                 : model->graph.params.count;
}

enum unseen_status us_model_get(struct us_model *model, enum us_model_part part, float *values)
{
    const struct us_flat *flat;
    if (part == US_MODEL_SCALING)
        return us_read(model->device, model->scaling, 0, values,
                       us_model_count(model, part) * sizeof *values);
    enum unseen_status st = us_model_flat(model, part, &flat);
    return st ? st : us_flat_get(model->device, flat, values);
}

enum unseen_status us_model_set(struct us_model *model, enum us_model_part part, const float *values)
{
    const struct us_flat *flat;
    if (part == US_MODEL_SCALING)
        return us_write(model->device, model->scaling, 0, values,
                        us_model_count(model, part) * sizeof *values);
    enum unseen_status st = us_model_flat(model, part, &flat);
    return st ? st : us_flat_set(model->device, flat, values);
}
