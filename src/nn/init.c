#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "nn/model_parts.h"
#include "ops/scaling.h"

/* A convolution's elements: He normal, fan out (He et al., ICCV 2015). */
static void draw_normal(uint64_t seed, uint32_t number, const struct us_param *param, float *values)
{
    const float deviation = (float)sqrt(2.0 / ((double)param->o * param->h * param->w));
    for (size_t e = 0; e < param->count; e += 4) {
        uint32_t word[4];
        float normal[4];
        us_philox(seed, US_STREAM_INIT, number, e / 4, word);
        us_normals(word, normal);
        for (size_t i = 0; i < 4 && e + i < param->count; i++)
            values[e + i] = deviation * normal[i];
    }
}

static void draw_uniform(uint64_t seed, uint32_t number, size_t count, int fan_in, float *values)
{
    const float bound = (float)(1.0 / sqrt((double)fan_in));
    for (size_t e = 0; e < count; e += 4) {
        uint32_t word[4];
        us_philox(seed, US_STREAM_INIT, number, e / 4, word);
        for (size_t i = 0; i < 4 && e + i < count; i++)
            values[e + i] = (2.0f * us_uniform(word[i]) - 1.0f) * bound;
    }
}

/* Filter k of the first min(o, i) passes channel k on, by its centre. */
static void set_dirac(const struct us_param *param, float *values)
{
    for (int o = 0; o < param->o && o < param->i; o++)
        for (int i = 0; i < param->i; i++)
            for (int y = 0; y < param->h; y++)
                for (int x = 0; x < param->w; x++)
                    values[us_param_index(param, o, i, y, x)] =
                        o == i && y == param->h / 2 && x == param->w / 2 ? 1.0f : 0.0f;
}

static void fill(const struct us_params *params, uint64_t seed, float *values)
{
    for (int k = 0; k < params->n; k++) {
        const struct us_param *param = &params->item[k];
        switch (param->init) {
        case US_INIT_NORMAL:
            draw_normal(seed, (uint32_t)k, param, values);
            break;
        case US_INIT_UNIFORM:
        case US_INIT_DIRAC:
        case US_INIT_WHITEN:
            draw_uniform(seed, (uint32_t)k, param->count, param->fan_in, values);
            if (param->init == US_INIT_DIRAC)
                set_dirac(param, values);
            break;
        case US_INIT_ZERO:
        case US_INIT_ONE:
            for (size_t e = 0; e < param->count; e++)
                values[e] = param->init == US_INIT_ONE ? 1.0f : 0.0f;
            break;
        }
        values += param->count;
    }
}

enum unseen_status us_model_init(struct us_model *model, uint64_t seed)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_params *params = &model->graph.params, *stats = &model->graph.stats;
    float *values = us_calloc(params->count > stats->count ? params->count : stats->count, sizeof *values);
    US_TRY_ALLOC(values);
    fill(params, seed, values);
    US_TRY(us_flat_set(model->device, &model->params, values));
    fill(stats, seed, values);
    US_TRY(us_flat_set(model->device, &model->stats, values));
    if (model->spec.training)
        US_TRY(us_zero(model->device, model->velocity.whole));
    if (model->scaling)
        US_TRY(us_scaling_begin(model->device, model->scaling));
    model->batches = 0;
out:
    free(values);
    return st;
}
