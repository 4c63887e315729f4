#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/safetensors.h"
#include "nn/model_parts.h"
#include "ops/scaling.h"

/* Weights as .safetensors with PyTorch's names and layouts. */

static const char counter_suffix[] = ".num_batches_tracked";
static const char mean_suffix[] = ".running_mean";

static bool ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

/* A parameter's shape as PyTorch has it. */
static int torch_shape(const struct us_param *param, int64_t shape[4])
{
    shape[0] = param->o;
    switch (param->role) {
    case US_PARAM_CONV:
        shape[1] = param->i;
        shape[2] = param->h;
        shape[3] = param->w;
        return 4;
    case US_PARAM_LINEAR:
        shape[1] = (int64_t)param->i * param->h * param->w;
        return 2;
    default:
        return 1;
    }
}

/* Between the device's order of elements and PyTorch's. */
static void convert(const struct us_param *param, const float *from, bool to_torch, float *to)
{
    size_t torch = 0;
    for (int o = 0; o < param->o; o++) {
        for (int i = 0; i < param->i; i++) {
            for (int y = 0; y < param->h; y++) {
                for (int x = 0; x < param->w; x++, torch++) {
                    size_t ours = us_param_index(param, o, i, y, x);
                    if (to_torch)
                        to[torch] = from[ours];
                    else
                        to[ours] = from[torch];
                }
            }
        }
    }
}

/* Views of a whole part in PyTorch's layout, which lies in `storage` [params->count]. */
static enum unseen_status view_part(struct us_model *model, enum us_model_part part, float *storage,
                                    struct us_tensor_view *views)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_flat *flat;
    float *ours = NULL;
    US_TRY(us_model_flat(model, part, &flat));
    US_TRY_ALLOC(ours = us_calloc(flat->params->count, sizeof *ours));
    US_TRY(us_flat_get(model->device, flat, ours));
    size_t at = 0;
    for (int k = 0; k < flat->params->n; k++) {
        const struct us_param *param = &flat->params->item[k];
        convert(param, ours + at, true, storage + at);
        views[k] = (struct us_tensor_view){.name = param->name, .dtype = US_F32, .data = storage + at};
        views[k].ndim = torch_shape(param, views[k].shape);
        at += param->count;
    }
out:
    free(ours);
    return st;
}

static const char *const torch_metadata[] = {"format", "pt", NULL};

enum unseen_status us_model_save_grads(struct us_model *model, const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_params *params = &model->graph.params;
    float *storage = us_calloc(params->count, sizeof *storage);
    struct us_tensor_view *views = us_calloc((size_t)params->n, sizeof *views);
    US_TRY_ALLOC(storage);
    US_TRY_ALLOC(views);
    US_TRY(view_part(model, US_MODEL_GRADS, storage, views));
    size_t n = 0;
    for (int k = 0; k < params->n; k++)
        if (!params->item[k].frozen)
            views[n++] = views[k];
    US_TRY(us_safetensors_write(path, views, n, torch_metadata));
out:
    free(storage);
    free(views);
    return st;
}

typedef char counter_name[sizeof((struct us_param *)0)->name + sizeof counter_suffix];

/* "bn1.num_batches_tracked" for "bn1.running_mean". */
static void name_counter(const char *mean, counter_name name)
{
    int module = (int)(strlen(mean) - (sizeof mean_suffix - 1));
    snprintf(name, sizeof(counter_name), "%.*s%s", module, mean, counter_suffix);
}

enum unseen_status us_model_save(struct us_model *model, const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_params *params = &model->graph.params, *stats = &model->graph.stats;
    size_t n = (size_t)params->n + (size_t)stats->n;
    float *storage = us_calloc(params->count + stats->count, sizeof *storage);
    struct us_tensor_view *views = us_calloc(n + (size_t)stats->n, sizeof *views);
    counter_name *names = us_calloc((size_t)stats->n, sizeof *names);
    US_TRY_ALLOC(storage);
    US_TRY_ALLOC(views);
    US_TRY_ALLOC(names);
    US_TRY(view_part(model, US_MODEL_PARAMS, storage, views));
    US_TRY(view_part(model, US_MODEL_STATS, storage + params->count, views + params->n));
    for (int k = 0; k < stats->n; k++) {
        if (!ends_with(stats->item[k].name, mean_suffix))
            continue;
        name_counter(stats->item[k].name, names[k]);
        views[n++] = (struct us_tensor_view){.name = names[k], .dtype = US_I64, .data = &model->batches};
    }
    US_TRY(us_safetensors_write(path, views, n, torch_metadata));
out:
    free(storage);
    free(views);
    free(names);
    return st;
}

/* "[64, 3, 3, 3]" */
static const char *print_shape(int ndim, const int64_t *shape, char text[96])
{
    size_t at = (size_t)snprintf(text, 96, "[");
    for (int d = 0; d < ndim && at < 90; d++)
        at += (size_t)snprintf(text + at, 96 - at, "%s%lld", d ? ", " : "", (long long)shape[d]);
    snprintf(at < 95 ? text + at : text + 94, 2, "]");
    return text;
}

/* Say why a file may not fit. */
static enum unseen_status other_model(enum unseen_status st)
{
    us_hint("are these weights of another --model, --width or size of images?");
    return st;
}

/* The tensor of a parameter, or why there is none that fits. */
static enum unseen_status find_tensor(const struct us_safetensors *file, const char *path,
                                      const struct us_param *param, const struct us_tensor_view **view)
{
    int64_t shape[4];
    int ndim = torch_shape(param, shape);
    char want[96], have[96];
    *view = us_safetensors_find(file, param->name);
    if (!*view)
        return other_model(us_fail(UNSEEN_BAD_DATA, path, "tensor %s is missing", param->name));
    if ((*view)->dtype != US_F32)
        return us_fail(UNSEEN_BAD_DATA, path, "tensor %s is not float32", param->name);
    if ((*view)->ndim != ndim || memcmp((*view)->shape, shape, (size_t)ndim * sizeof *shape) != 0)
        return other_model(us_fail(UNSEEN_BAD_DATA, path, "tensor %s has shape %s; the model's is %s",
                                   param->name, print_shape((*view)->ndim, (*view)->shape, have),
                                   print_shape(ndim, shape, want)));
    return UNSEEN_OK;
}

/* The parameters of the last linear layer: its weights, and its bias if it has one. */
struct head {
    const struct us_param *weights, *bias;
};

static struct head head_of(const struct us_model *model)
{
    const struct us_graph *graph = &model->graph;
    const struct us_node *node = &graph->nodes[graph->n_nodes - 1];
    const struct us_param *weights = &graph->params.item[node->param];
    return (struct head){weights, node->has_bias ? weights + 1 : NULL};
}

/* Whether the file's head is the model's but for the number of classes, which *classes receives. */
static bool is_other_head(const struct us_safetensors *file, const struct head *head, int64_t *classes)
{
    const struct us_tensor_view *weights = us_safetensors_find(file, head->weights->name);
    int64_t shape[4] = {0};
    torch_shape(head->weights, shape);
    *classes = weights && weights->ndim == 2 ? weights->shape[0] : 0;
    if (*classes <= 0 || *classes == shape[0] || weights->shape[1] != shape[1])
        return false;
    const struct us_tensor_view *bias = head->bias ? us_safetensors_find(file, head->bias->name) : NULL;
    return !head->bias || (bias && bias->ndim == 1 && bias->shape[0] == *classes);
}

/* But for those of the `head`, if it is not NULL, which stay as they are. */
static enum unseen_status read_part(const struct us_safetensors *file, const char *path,
                                    const struct us_params *params, const struct head *head, float *values)
{
    enum unseen_status st = UNSEEN_OK;
    for (int k = 0; k < params->n; k++) {
        const struct us_tensor_view *view;
        const struct us_param *param = &params->item[k];
        if (!head || (param != head->weights && param != head->bias)) {
            US_TRY(find_tensor(file, path, param, &view));
            convert(param, view->data, false, values);
        }
        values += param->count;
    }
out:
    return st;
}

static bool has_param(const struct us_params *params, const char *name)
{
    for (int k = 0; k < params->n; k++) {
        if (strcmp(params->item[k].name, name) == 0)
            return true;
    }
    return false;
}

/* True for the counter of one of the model's batch norms. */
static bool is_counter(const struct us_params *stats, const char *name)
{
    char mean[128];
    if (!ends_with(name, counter_suffix) || strlen(name) >= sizeof mean)
        return false;
    snprintf(mean, sizeof mean, "%.*s%s", (int)(strlen(name) - (sizeof counter_suffix - 1)), name,
             mean_suffix);
    return has_param(stats, mean);
}

/* Refuse tensors that the model has no place for; take the counter of batches on the way. */
static enum unseen_status check_names(const struct us_model *model, const struct us_safetensors *file,
                                      const char *path, int64_t *batches)
{
    *batches = 0;
    for (size_t i = 0; i < us_safetensors_count(file); i++) {
        const struct us_tensor_view *view = us_safetensors_at(file, i);
        if (is_counter(&model->graph.stats, view->name)) {
            if (view->dtype == US_I64 && view->ndim == 0)
                memcpy(batches, view->data, sizeof *batches);
        } else if (!has_param(&model->graph.params, view->name) &&
                   !has_param(&model->graph.stats, view->name)) {
            return other_model(
                us_fail(UNSEEN_BAD_DATA, path, "tensor %s has no place in %s", view->name, model->name));
        }
    }
    return UNSEEN_OK;
}

/* The `head`, if it is not NULL, stays as it is. */
static enum unseen_status load(struct us_model *model, const struct us_safetensors *file, const char *path,
                               const struct head *head)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_params *params = &model->graph.params, *stats = &model->graph.stats;
    float *values = NULL;
    int64_t batches;
    US_TRY(check_names(model, file, path, &batches));
    US_TRY_ALLOC(values = us_calloc(params->count + stats->count, sizeof *values));
    if (head)
        US_TRY(us_flat_get(model->device, &model->params, values));
    US_TRY(read_part(file, path, params, head, values));
    US_TRY(read_part(file, path, stats, NULL, values + params->count));
    US_TRY(us_flat_set(model->device, &model->params, values));
    US_TRY(us_flat_set(model->device, &model->stats, values + params->count));
    if (model->spec.training)
        US_TRY(us_zero(model->device, model->velocity.whole));
    if (model->scaling)
        US_TRY(us_scaling_begin(model->device, model->scaling));
    model->batches = batches;
out:
    free(values);
    return st;
}

enum unseen_status us_model_load(struct us_model *model, const char *path)
{
    struct us_safetensors *file;
    enum unseen_status st = us_safetensors_open(path, &file);
    if (st)
        return st;
    st = load(model, file, path, NULL);
    us_safetensors_close(file);
    return st;
}

enum unseen_status us_model_start(struct us_model *model, const char *path, uint64_t seed)
{
    enum unseen_status st = UNSEEN_OK;
    const struct head head = head_of(model);
    struct us_safetensors *file = NULL;
    int64_t classes;
    US_TRY(us_safetensors_open(path, &file));
    const bool other = is_other_head(file, &head, &classes);
    if (other)
        US_TRY(us_model_init(model, seed));
    US_TRY(load(model, file, path, other ? &head : NULL));
    if (other)
        us_log(UNSEEN_LOG_WARNING, "%s: its %s is of %lld classes, this one's of %d is drawn", path,
               head.weights->name, (long long)classes, head.weights->o);
out:
    us_safetensors_close(file);
    return st;
}
