#include "config.h"

#include "nn/flat.h"

#include <stdlib.h>
#include <string.h>

size_t us_flat_bytes(const struct us_params *params)
{
    return params->floats * sizeof(float);
}

enum unseen_status us_flat_new(struct unseen_device *device, const struct us_params *params, bool windows,
                               struct us_flat *flat)
{
    enum unseen_status st = UNSEEN_OK;
    memset(flat, 0, sizeof *flat);
    flat->params = params;
    US_TRY(us_buf_new(device, us_flat_bytes(params), &flat->whole));
    US_TRY(us_zero(device, flat->whole));
    if (!windows)
        goto out;
    US_TRY_ALLOC(flat->part = us_calloc((size_t)params->n, sizeof(struct us_buf *)));
    for (int k = 0; k < params->n; k++)
        US_TRY(us_buf_sub(device, flat->whole, params->item[k].offset * sizeof(float),
                          params->item[k].count * sizeof(float), &flat->part[k]));
out:
    return st;
}

void us_flat_free(struct unseen_device *device, struct us_flat *flat)
{
    for (int k = 0; flat->part && k < flat->params->n; k++)
        us_buf_free(device, flat->part[k]);
    free(flat->part);
    us_buf_free(device, flat->whole);
    memset(flat, 0, sizeof *flat);
}

enum unseen_status us_flat_get(struct unseen_device *device, const struct us_flat *flat, float *values)
{
    enum unseen_status st = UNSEEN_OK;
    float *padded = us_calloc(flat->params->floats, sizeof *padded);
    US_TRY_ALLOC(padded);
    US_TRY(us_read(device, flat->whole, 0, padded, us_flat_bytes(flat->params)));
    for (int k = 0; k < flat->params->n; k++) {
        const struct us_param *param = &flat->params->item[k];
        memcpy(values, padded + param->offset, param->count * sizeof *values);
        values += param->count;
    }
out:
    free(padded);
    return st;
}

enum unseen_status us_flat_set(struct unseen_device *device, const struct us_flat *flat, const float *values)
{
    enum unseen_status st = UNSEEN_OK;
    float *padded = us_calloc(flat->params->floats, sizeof *padded);
    US_TRY_ALLOC(padded);
    for (int k = 0; k < flat->params->n; k++) {
        const struct us_param *param = &flat->params->item[k];
        memcpy(padded + param->offset, values, param->count * sizeof *values);
        values += param->count;
    }
    US_TRY(us_write(device, flat->whole, 0, padded, us_flat_bytes(flat->params)));
out:
    free(padded);
    return st;
}
