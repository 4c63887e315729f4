#include "config.h"

#include "nn/model_parts.h"
#include "ops/elementwise.h"
#include "ops/scaling.h"
#include "ops/sgd.h"

/* What becomes of a model's gradients: sums of parts, and steps. */

void us_model_groups(const struct us_model *model, float bias_lr, bool decay_all, struct us_sgd *sgd)
{
    const struct us_params *params = &model->graph.params;
    const float decay = decay_all ? 1.0f : 0.0f;
    sgd->groups = US_SGD_GROUPS;
    sgd->group[0] = (struct us_sgd_group){params->weights, 1.0f, 1.0f};
    sgd->group[1] = (struct us_sgd_group){params->shifts, 1.0f, decay};
    sgd->group[2] = (struct us_sgd_group){params->trained, bias_lr, decay / bias_lr};
}

enum unseen_status us_model_accumulate(struct us_model *model, bool first, bool last)
{
    const struct us_flat *grads = &model->grads;
    const size_t count = model->graph.params.trained;
    if (first && last)
        return UNSEEN_OK;
    if (!model->sum)
        return us_fail(UNSEEN_USAGE, model->name, "the model was not built for steps of several parts");
    if (first)
        return us_copy(model->device, grads->whole, 0, model->sum, 0, count * sizeof(float));
    return last ? us_add(model->device, count, model->sum, grads->whole)
                : us_add(model->device, count, grads->whole, model->sum);
}

enum unseen_status us_model_step(struct us_model *model, const struct us_sgd *sgd)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_flat *grads;
    const size_t count = model->graph.params.trained;
    struct us_sgd scaled = *sgd;
    US_TRY(us_model_flat(model, US_MODEL_GRADS, &grads));
    scaled.scaling = model->scaling;
    if (model->scaling)
        US_TRY(us_scaling_update(model->device, count, grads->whole, model->scaling));
    US_TRY(
        us_sgd_step(model->device, &scaled, count, model->params.whole, grads->whole, model->velocity.whole));
out:
    return st;
}

enum unseen_status us_model_lookahead_begin(struct us_model *model)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_flat *slow, *slow_stats;
    US_TRY(us_model_flat(model, US_MODEL_SLOW, &slow));
    US_TRY(us_model_flat(model, US_MODEL_SLOW_STATS, &slow_stats));
    US_TRY(us_copy(model->device, model->params.whole, 0, slow->whole, 0, us_flat_bytes(slow->params)));
    US_TRY(us_copy(model->device, model->stats.whole, 0, slow_stats->whole, 0,
                   us_flat_bytes(slow_stats->params)));
out:
    return st;
}

enum unseen_status us_model_lookahead(struct us_model *model, float weight)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_flat *slow, *slow_stats;
    US_TRY(us_model_flat(model, US_MODEL_SLOW, &slow));
    US_TRY(us_model_flat(model, US_MODEL_SLOW_STATS, &slow_stats));
    US_TRY(us_approach(model->device, slow->params->floats, weight, model->params.whole, slow->whole));
    US_TRY(us_approach(model->device, slow_stats->params->floats, weight, model->stats.whole,
                       slow_stats->whole));
out:
    return st;
}
