#include "config.h"

#include "nn/model_copy.h"

#include <stdlib.h>

#include "nn/model_parts.h"

static int list_parts(const struct us_model *model, enum us_model_part list[US_COPY_PARTS])
{
    static const enum us_model_part parts[US_COPY_PARTS] = {US_MODEL_PARAMS, US_MODEL_VELOCITY,
                                                            US_MODEL_STATS,  US_MODEL_SCALING,
                                                            US_MODEL_SLOW,   US_MODEL_SLOW_STATS};
    int n = 0;
    for (int i = 0; i < US_COPY_PARTS; i++)
        if (us_model_count(model, parts[i]) > 0)
            list[n++] = parts[i];
    return n;
}

enum us_model_part us_copy_part(const struct us_model *model, int i)
{
    enum us_model_part list[US_COPY_PARTS];
    (void)list_parts(model, list);
    return list[i];
}

int us_copy_parts(const struct us_model *model)
{
    enum us_model_part list[US_COPY_PARTS];
    return list_parts(model, list);
}

enum unseen_status us_model_copy_read(struct us_model *model, struct us_model_copy *copy)
{
    enum unseen_status st = UNSEEN_OK;
    *copy = (struct us_model_copy){.n = us_copy_parts(model), .batches = model->batches};
    for (int i = 0; i < copy->n; i++) {
        copy->count[i] = us_model_count(model, us_copy_part(model, i));
        US_TRY_ALLOC(copy->values[i] = us_calloc(copy->count[i], sizeof *copy->values[i]));
        US_TRY(us_model_get(model, us_copy_part(model, i), copy->values[i]));
    }
out:
    return st;
}

void us_model_copy_free(struct us_model_copy *copy)
{
    for (int i = 0; i < US_COPY_PARTS; i++)
        free(copy->values[i]);
}

enum unseen_status us_model_copy_write(struct us_model *model, const struct us_model_copy *copy)
{
    enum unseen_status st = UNSEEN_OK;
    if (copy->n != us_copy_parts(model))
        return us_fail(UNSEEN_FAILED, model->name, "one model has more to its state than the other");
    for (int i = 0; i < copy->n; i++) {
        if (copy->count[i] != us_model_count(model, us_copy_part(model, i)))
            return us_fail(UNSEEN_FAILED, model->name, "the sizes of two models' parameters differ");
        US_TRY(us_model_set(model, us_copy_part(model, i), copy->values[i]));
    }
    model->batches = copy->batches;
out:
    return st;
}
