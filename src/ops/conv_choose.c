#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ops/conv_algorithm.h"

#define US_CONV_ALGORITHM(name) extern const struct us_conv_algorithm name;
#include "ops/conv_algorithms.def"
#undef US_CONV_ALGORITHM

static const struct us_conv_algorithm *const algorithms[] = {
#define US_CONV_ALGORITHM(name) &name,
#include "ops/conv_algorithms.def"
#undef US_CONV_ALGORITHM
};
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

static const struct us_conv_algorithm *find(const char *name)
{
    for (int i = 0; i < ALGORITHMS; i++)
        if (!strcmp(algorithms[i]->name, name))
            return algorithms[i];
    return NULL;
}

const char *us_conv_algorithm_at(int i)
{
    return i >= 0 && i < ALGORITHMS ? algorithms[i]->name : NULL;
}

bool us_conv_suits(const char *name, const struct us_conv_shape *shape, enum us_conv_direction direction)
{
    const struct us_conv_algorithm *a = find(name);
    return a && (!a->suits || a->suits(shape, direction));
}

static enum unseen_status unknown(const char *where, const char *name)
{
    char known[128] = "";
    for (int i = 0; i < ALGORITHMS; i++) {
        strncat(known, i ? ", " : "", sizeof known - strlen(known) - 1);
        strncat(known, algorithms[i]->name, sizeof known - strlen(known) - 1);
    }
    return us_fail(UNSEEN_USAGE, where, "'%s' is not one of %s", name, known);
}

/* What is best where nothing was measured. */
static const char *usual(const struct unseen_device *device)
{
    return us_device_is_cpu(device) ? "direct" : "im2col";
}

enum unseen_status us_conv_choose(const struct unseen_device *device, const struct us_conv_shape *shape,
                                  enum us_conv_direction direction, const char *wish,
                                  const struct us_conv_algorithm **algorithm)
{
    const char *environment = getenv("UNSEEN_CONV");
    if (wish && !us_conv_suits(wish, shape, direction))
        return find(wish) ? us_fail(UNSEEN_USAGE, "convolution", "%s cannot do this shape", wish)
                          : unknown("convolution", wish);
    if (!wish && environment && *environment) {
        if (!find(environment))
            return unknown("UNSEEN_CONV", environment);
        if (us_conv_suits(environment, shape, direction))
            wish = environment;
    }
    *algorithm = find(wish ? wish : usual(device));
    return UNSEEN_OK;
}
