#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/tuning.h"
#include "ops/conv/conv_algorithm.h"

#define US_CONV_ALGORITHM(name) extern const struct us_conv_algorithm name;
#include "ops/conv/conv_algorithms.def"
#undef US_CONV_ALGORITHM

static const struct us_conv_algorithm *const algorithms[] = {
#define US_CONV_ALGORITHM(name) &name,
#include "ops/conv/conv_algorithms.def"
#undef US_CONV_ALGORITHM
};
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

/* By name; what follows a colon counts not. */
static const struct us_conv_algorithm *find(const char *name)
{
    const size_t length = strcspn(name, ":");
    for (int i = 0; i < ALGORITHMS; i++)
        if (strlen(algorithms[i]->name) == length && !strncmp(algorithms[i]->name, name, length))
            return algorithms[i];
    return NULL;
}

const char *us_conv_algorithm_at(int i)
{
    return i >= 0 && i < ALGORITHMS ? algorithms[i]->name : NULL;
}

bool us_conv_suits(struct unseen_device *device, const char *name, const struct us_conv_shape *shape,
                   enum us_conv_direction direction)
{
    const struct us_conv_algorithm *a = find(name);
    const char *values = us_conv_values(name);
    return a && strlen(name) < US_CONV_NAME &&
           (a->precision == UNSEEN_FLOAT32 || a->precision == shape->precision) &&
           (!a->suits || a->suits(shape, direction)) && (!a->usable || a->usable(device)) &&
           (!values || (a->accepts && a->accepts(device, shape, direction, values)));
}

bool us_conv_competes(struct unseen_device *device, const char *name, const struct us_conv_shape *shape,
                      enum us_conv_direction direction)
{
    const char *environment = getenv("UNSEEN_CONV");
    const enum us_conv_made_for other = us_device_is_cpu(device) ? US_CONV_FOR_GPU : US_CONV_FOR_CPU;
    if (!us_conv_suits(device, name, shape, direction))
        return false;
    const struct us_conv_algorithm *a = find(name);
    return a->made_for != other || (environment && find(environment) == a);
}

bool us_conv_way_at(const struct unseen_device *device, const char *algorithm,
                    const struct us_conv_shape *shape, enum us_conv_direction direction, int i,
                    char name[US_CONV_NAME])
{
    const struct us_conv_algorithm *a = find(algorithm);
    char values[US_CONV_NAME] = "";
    if (a->offers ? !a->offers(device, shape, direction, i, values) : i > 0)
        return false;
    snprintf(name, US_CONV_NAME, "%s%s%s", a->name, a->offers ? ":" : "", values);
    return true;
}

static enum unseen_status unknown(const char *where, const char *name)
{
    char known[256] = "";
    for (int i = 0; i < ALGORITHMS; i++) {
        strncat(known, i ? ", " : "", sizeof known - strlen(known) - 1);
        strncat(known, algorithms[i]->name, sizeof known - strlen(known) - 1);
    }
    return us_fail(UNSEEN_USAGE, where, "'%s' is not one of %s", name, known);
}

const char *us_conv_direction_name(enum us_conv_direction direction)
{
    static const char *const names[] = {"forward", "data", "weights"};
    return names[direction];
}

const char *us_conv_why_name(enum us_conv_why why)
{
    static const char *const names[] = {"wished", "forced", "tuned", "shipped", "usual"};
    return names[why];
}

void us_conv_key(const struct us_conv_shape *s, enum us_conv_direction direction, char key[US_CONV_KEY])
{
    int batch = 1;
    while (batch < s->n && batch <= INT_MAX / 2)
        batch *= 2;
    const bool narrow = s->precision != UNSEEN_FLOAT32;
    snprintf(key, US_CONV_KEY, "conv %s n%d %dx%dx%d to %d k%d s%d p%d%s%s",
             us_conv_direction_name(direction), batch, s->h, s->w, s->cin, s->cout, s->kernel, s->stride,
             s->pad, narrow ? " " : "", narrow ? unseen_precision_name(s->precision) : "");
}

/* Whether a row of what was found fastest elsewhere holds here. */
static bool pays(struct unseen_device *device, const char *name)
{
    const struct us_conv_algorithm *a = find(name);
    return !a->pays || a->pays(device);
}

/* The user's winner; NULL if there is none, or one that this version does not have, or not for the shape of
 * kernels that the device has now. */
static const char *tuned(struct unseen_device *device, const struct us_conv_shape *shape,
                         enum us_conv_direction direction)
{
    char key[US_CONV_KEY];
    struct us_tuned entry;
    us_conv_key(shape, direction, key);
    if (!us_tuning_find(device, key, &entry) || !us_conv_competes(device, entry.winner, shape, direction))
        return NULL;
    return entry.winner;
}

/* Who asks for less precision than float32 gets it where nothing was measured; NULL elsewhere. */
static const char *narrow(struct unseen_device *device, const struct us_conv_shape *shape,
                          enum us_conv_direction direction)
{
    static const char *const names[UNSEEN_PRECISIONS] = {
        [UNSEEN_BF16] = "matrix-bf16", [UNSEEN_F16] = "matrix-f16", [UNSEEN_TF32] = "matrix-tf32"};
    const char *name = names[shape->precision];
    if (!name ||
        (shape->precision == UNSEEN_BF16 && (us_device_has_bf16(device) || us_device_has_tiles(device))))
        return NULL;
    return us_conv_suits(device, name, shape, direction) ? name : NULL;
}

static const char *shipped(struct unseen_device *device, const struct us_conv_shape *shape,
                           enum us_conv_direction direction)
{
    static const struct {
        const char *platform;
        int direction, kernel, stride, least;
        const char *algorithm;
    } rows[] = {
#define US_CONV_SHIPPED(...) {__VA_ARGS__},
#include "ops/conv/conv_shipped.def"
#undef US_CONV_SHIPPED
    };
    for (size_t i = 0; us_device_is_cpu(device) && i < sizeof rows / sizeof *rows; i++) {
        const bool applies =
            strstr(unseen_device_info(device)->platform, rows[i].platform) &&
            (rows[i].direction == US_CONV_DIRECTIONS || rows[i].direction == (int)direction) &&
            (!rows[i].kernel || rows[i].kernel == shape->kernel) &&
            (!rows[i].stride || rows[i].stride == shape->stride) &&
            (shape->cin < shape->cout ? shape->cin : shape->cout) >= rows[i].least;
        if (applies && us_conv_suits(device, rows[i].algorithm, shape, direction) &&
            pays(device, rows[i].algorithm))
            return rows[i].algorithm;
    }
    return NULL;
}

/* With few channels Winograd's transforms cost more than they save. */
static const char *usual(struct unseen_device *device, const struct us_conv_shape *shape,
                         enum us_conv_direction direction)
{
    if (!us_device_is_cpu(device))
        return us_conv_suits(device, "tiled", shape, direction) ? "tiled" : "im2col";
    if (us_conv_suits(device, "stem", shape, direction))
        return "stem";
    const bool enough = shape->cin >= 16 && shape->cout >= 16;
    return enough && us_conv_suits(device, "winograd4", shape, direction) ? "winograd4" : "direct";
}

/* UNSEEN_CONV where it suits. */
static enum unseen_status forced(struct unseen_device *device, const struct us_conv_shape *shape,
                                 enum us_conv_direction direction, const char **name)
{
    const char *environment = getenv("UNSEEN_CONV");
    *name = NULL;
    if (!environment || !*environment)
        return UNSEEN_OK;
    if (!find(environment))
        return unknown("UNSEEN_CONV", environment);
    if (us_conv_suits(device, environment, shape, direction))
        *name = environment;
    return UNSEEN_OK;
}

enum unseen_status us_conv_choose(struct unseen_device *device, const struct us_conv_shape *shape,
                                  enum us_conv_direction direction, const char *wish,
                                  struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const char *name = wish;
    if (wish && !us_conv_suits(device, wish, shape, direction))
        return find(wish) ? us_fail(UNSEEN_USAGE, "convolution", "%s cannot do this shape", wish)
                          : unknown("convolution", wish);
    plan->why = US_CONV_WISHED;
    if (!name) {
        plan->why = US_CONV_FORCED;
        US_TRY(forced(device, shape, direction, &name));
    }
    if (!name) {
        plan->why = US_CONV_TUNED;
        name = tuned(device, shape, direction);
    }
    if (!name) {
        plan->why = US_CONV_USUAL;
        name = narrow(device, shape, direction);
    }
    if (!name) {
        plan->why = US_CONV_SHIPPED;
        name = shipped(device, shape, direction);
    }
    if (!name) {
        plan->why = US_CONV_USUAL;
        name = usual(device, shape, direction);
    }
    plan->algorithm = find(name);
    snprintf(plan->name, sizeof plan->name, "%s", name);
out:
    return st;
}
