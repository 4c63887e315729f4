/* A small trajectory, whole in memory. */
#include "config.h"

#include <stdlib.h>

#include "trajectory/trajectory.h"

static enum unseen_status count_of(const struct unseen_trajectory *t, int array, size_t *count)
{
    int64_t shape[4];
    int ndim = us_trajectory_shape(t, array, shape);
    if (!us_shape_size(ndim, shape, us_dtype_size(us_trajectory_dtype(array)), count, NULL))
        return us_fail(UNSEEN_FAILED, "trajectory", "%d repeats of %d epochs do not fit in memory",
                       t->repeats, t->epochs);
    return UNSEEN_OK;
}

static enum unseen_status allocate(struct us_trajectory_build *b, unsigned arrays)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *t = &b->view;
    size_t count;
    for (int a = 0; a < US_TRAJECTORY_ARRAYS; a++) {
        if (!(arrays >> a & 1))
            continue;
        US_TRY(count_of(t, a, &count));
        US_TRY_ALLOC(b->array[a] = us_calloc(count, us_dtype_size(us_trajectory_dtype(a))));
    }
    for (int q = 0; q < UNSEEN_N_SCALAR; q++)
        t->value[q] = b->value[q] = q == UNSEEN_CORRECT ? NULL : b->array[q];
    t->correct = b->correct = b->array[UNSEEN_CORRECT];
    t->probs = b->probs = b->array[UNSEEN_PROBS];
    t->features = b->features = b->array[UNSEEN_FEATURES];
    t->centres = b->centres = b->array[US_CENTRES];
    t->gradient_norm = b->gradient_norm = b->array[UNSEEN_GRADIENT_NORM];
    t->labels = b->labels = b->array[US_LABELS];
    t->fold = b->fold = b->array[US_FOLD];
out:
    return st;
}

enum unseen_status us_trajectory_new(enum unseen_protocol protocol, int64_t n, int repeats, int epochs,
                                     int classes, int folds, struct us_trajectory_build **build)
{
    struct us_trajectory_build *b = us_calloc(1, sizeof *b);
    if (!b)
        return UNSEEN_FAILED;
    b->evaluated = protocol != UNSEEN_SEEN;
    b->view = (struct unseen_trajectory){
        .protocol = protocol,
        .n = n,
        .repeats = repeats,
        .epochs = epochs,
        .classes = classes,
        .folds = folds,
    };
    enum unseen_status st = allocate(b, US_RECORD_ALWAYS | 1u << US_LABELS | (folds ? 1u << US_FOLD : 0));
    if (st != UNSEEN_OK)
        us_trajectory_free(b);
    else
        *build = b;
    return st;
}

enum unseen_status us_trajectory_demand(struct us_trajectory_build *build, unsigned record, int feature_count)
{
    record &= US_RECORD_DEMAND;
    if (record >> UNSEEN_FEATURES & 1) {
        build->view.feature_count = feature_count;
        record |= build->view.folds ? 1u << US_CENTRES : 0;
    }
    return allocate(build, record);
}

void us_trajectory_free(struct us_trajectory_build *build)
{
    if (!build)
        return;
    for (int a = 0; a < US_TRAJECTORY_ARRAYS; a++)
        free(build->array[a]);
    free(build);
}

enum unseen_status us_trajectory_write(const struct us_trajectory_build *build, const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_trajectory_writer writer = {.view = build->view, .evaluated = build->evaluated};
    size_t count;
    for (int a = 0; a <= US_CENTRES; a++)
        writer.record |= build->array[a] ? 1u << a : 0;
    US_TRY(us_trajectory_begin(&writer, folder));
    for (int a = 0; a < US_TRAJECTORY_ARRAYS; a++) {
        if (!build->array[a])
            continue;
        US_TRY(count_of(&build->view, a, &count));
        US_TRY(us_trajectory_put(&writer, a, 0, count, build->array[a]));
    }
    US_TRY(us_trajectory_finish(&writer));
out:
    us_trajectory_abandon(&writer);
    return st;
}
