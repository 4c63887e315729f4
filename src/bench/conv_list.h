/* The convolutions of a model as shapes, each once; linear layers are among them (see ops/linear.h). */
#ifndef US_BENCH_CONV_LIST_H
#define US_BENCH_CONV_LIST_H

#include "nn/model.h"
#include "ops/conv/conv.h"
#include "unseen/tune.h"

/* A shape and how often a training step computes it. */
struct us_conv_use {
    struct us_conv_shape shape;
    int times[US_CONV_DIRECTIONS]; /* no data gradient where a layer reads the images */
    char layer[64];                /* name of the first, as in a state dict without ".weight" */
};

struct us_conv_list {
    struct us_conv_use *use;
    int n;
};

/* Add the convolutions of spec's model to a list that is zeroed or holds those of others. Touches no device.
 * Freed with free(list->use), also after a failure. */
enum unseen_status us_conv_list_add(struct us_conv_list *list, const struct us_model_spec *spec);

/* As the public headers show it. */
struct unseen_conv us_conv_about(const struct us_conv_shape *shape, enum us_conv_direction direction);

#endif
