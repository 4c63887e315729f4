/* What the arrays of a trajectory folder are. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trajectory/trajectory.h"

static const struct {
    const char *name;
    enum us_dtype dtype;
} arrays[US_TRAJECTORY_ARRAYS] = {
    [UNSEEN_P_TRUE] = {"p_true", US_F32},
    [UNSEEN_MARGIN] = {"margin", US_F32},
    [UNSEEN_EL2N] = {"el2n", US_F32},
    [UNSEEN_ENTROPY] = {"entropy", US_F32},
    [UNSEEN_LOSS] = {"loss", US_F32},
    [UNSEEN_CORRECT] = {"correct", US_U8},
    [UNSEEN_CHANGE] = {"change", US_F32},
    [UNSEEN_FEATURE_NORM] = {"feature_norm", US_F32},
    [UNSEEN_PREDICTED] = {"predicted", US_F32},
    [UNSEEN_RUNNER_UP] = {"runner_up", US_F32},
    [UNSEEN_PROBS] = {"probs", US_F16},
    [UNSEEN_FEATURES] = {"features", US_F32},
    [UNSEEN_GRADIENT_NORM] = {"gradient_norm", US_F32},
    [US_CENTRES] = {"centres", US_F32},
    [US_FOLD] = {"fold", US_U8},
    [US_LABELS] = {"labels", US_I64},
    [US_SKIPPED] = {"skipped", US_U8},
};

const char *us_trajectory_name(int array)
{
    return arrays[array].name;
}

const char *unseen_quantity_name(enum unseen_quantity quantity)
{
    return arrays[quantity].name;
}

enum us_dtype us_trajectory_dtype(int array)
{
    return arrays[array].dtype;
}

int us_trajectory_shape(const struct unseen_trajectory *t, int array, int64_t shape[4])
{
    int64_t r = t->repeats, e = t->epochs, d = t->feature_count;
    switch (array) {
    case UNSEEN_PROBS:
        memcpy(shape, (int64_t[]){r, e, t->n, t->classes}, 4 * sizeof *shape);
        return 4;
    case UNSEEN_FEATURES:
        memcpy(shape, (int64_t[]){r, t->n, d}, 3 * sizeof *shape);
        return 3;
    case US_CENTRES:
        memcpy(shape, (int64_t[]){r, t->folds, t->classes, d}, 4 * sizeof *shape);
        return 4;
    case UNSEEN_GRADIENT_NORM:
    case US_FOLD:
        memcpy(shape, (int64_t[]){r, t->n}, 2 * sizeof *shape);
        return 2;
    case US_LABELS:
    case US_SKIPPED:
        shape[0] = t->n;
        return 1;
    default:
        memcpy(shape, (int64_t[]){r, e, t->n}, 3 * sizeof *shape);
        return 3;
    }
}

bool us_trajectory_has(const struct unseen_trajectory *t, unsigned record, int array)
{
    switch (array) {
    case US_LABELS:
        return true;
    case US_FOLD:
        return t->folds > 0;
    case US_SKIPPED:
        return t->skipped;
    default:
        return (record | US_RECORD_ALWAYS) >> array & 1;
    }
}

double us_trajectory_bytes(const struct unseen_trajectory *t, unsigned record)
{
    double bytes = 0;
    for (int array = 0; array < US_TRAJECTORY_ARRAYS; array++) {
        int64_t shape[4];
        double size = (double)us_dtype_size(arrays[array].dtype);
        for (int axis = us_trajectory_shape(t, array, shape) - 1; axis >= 0; axis--)
            size *= (double)shape[axis];
        bytes += us_trajectory_has(t, record, array) ? size : 0;
    }
    return bytes;
}

/* A quantity recorded on demand; -1 if the name (of `length` characters) is none. */
static int on_demand(const char *name, size_t length)
{
    for (int q = UNSEEN_N_ALWAYS; q < UNSEEN_N_QUANTITIES; q++) {
        if (strlen(arrays[q].name) == length && memcmp(arrays[q].name, name, length) == 0)
            return q;
    }
    return -1;
}

unsigned us_record_whole(unsigned record)
{
    return record | (record >> UNSEEN_FEATURES & 1) << UNSEEN_FEATURE_NORM;
}

enum unseen_status unseen_record_parse(const char *names, unsigned *bits)
{
    unsigned found = 0;
    for (const char *at = names;; at++) {
        size_t length = strcspn(at, ",");
        int quantity = on_demand(at, length);
        if (quantity < 0) {
            us_fail(UNSEEN_USAGE, "--record-also", "'%.*s' is nothing that is recorded on demand",
                    (int)length, at);
            us_hint(
                "one or more of change, feature_norm, predicted, runner_up, probs, features, gradient_norm");
            return UNSEEN_USAGE;
        }
        found |= 1u << quantity;
        at += length;
        if (!*at)
            break;
    }
    *bits = us_record_whole(found);
    return UNSEEN_OK;
}

/* Softmax in half precision may round past 1, and logarithms of it past 0. */
#define P_MAX   1.001f
#define ROUNDED 0.01f

/* What a quantity can be, and a little more. */
static const struct range {
    float low, high;
    const char *what;
} ranges[UNSEEN_N_SCALAR] = {
    [UNSEEN_P_TRUE] = {0, P_MAX, "no probability"},
    [UNSEEN_MARGIN] = {-INFINITY, INFINITY, "no margin"},
    [UNSEEN_EL2N] = {0, 1.5f, "no norm of an error, which is 1.42 at most"},
    [UNSEEN_ENTROPY] = {-ROUNDED, INFINITY, "no entropy"},
    [UNSEEN_LOSS] = {-ROUNDED, INFINITY, "no loss"},
    [UNSEEN_CHANGE] = {0, INFINITY, "no change"},
    [UNSEEN_FEATURE_NORM] = {0, INFINITY, "no norm"},
    [UNSEEN_PREDICTED] = {0, 0x1p24f, "no class"},
    [UNSEEN_RUNNER_UP] = {0, P_MAX, "no probability"},
};

const char *us_trajectory_bad_value(int array, const void *values, size_t count, size_t *where, double *bad)
{
    const float *value = values;
    const uint8_t *correct = values;
    for (size_t i = 0; i < count; i++) {
        *where = i;
        *bad = array == UNSEEN_CORRECT ? correct[i] : (double)value[i];
        if (array == UNSEEN_CORRECT) {
            if (correct[i] > 1)
                return "neither 0 nor 1";
        } else if (!isfinite(value[i])) {
            return "not finite";
        } else if (!(value[i] >= ranges[array].low && value[i] <= ranges[array].high)) {
            return ranges[array].what;
        }
    }
    return NULL;
}

bool us_trajectory_holds(const struct unseen_trajectory *t, enum unseen_quantity quantity)
{
    switch (quantity) {
    case UNSEEN_CORRECT:
        return t->correct;
    case UNSEEN_PROBS:
        return t->probs;
    case UNSEEN_FEATURES:
        return t->features;
    case UNSEEN_GRADIENT_NORM:
        return t->gradient_norm;
    default:
        return t->value[quantity];
    }
}

json_t *us_record_json(unsigned record)
{
    json_t *names = json_array();
    for (int q = 0; names && q < UNSEEN_N_QUANTITIES; q++) {
        if ((record >> q & 1) && json_array_append_new(names, json_string(arrays[q].name))) {
            json_decref(names);
            names = NULL;
        }
    }
    return names;
}
