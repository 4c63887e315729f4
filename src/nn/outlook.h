/* What is known of a model before it is made. */
#ifndef US_NN_OUTLOOK_H
#define US_NN_OUTLOOK_H

#include "nn/model.h"

struct us_outlook {
    uint64_t bytes;      /* of device memory, as us_model_memory tells */
    uint64_t algorithms; /* us_algorithms_hash */
};

/* Kernels are built, or fetched from the cache, as for the model itself. */
enum unseen_status us_model_outlook(struct unseen_device *device, const struct us_model_spec *spec,
                                    struct us_outlook *outlook);

/* The shape of a model alone, without a device. */
struct us_shape_outlook {
    double flops;              /* of an image's way forward, multiply-add = 2, convolutions and linear */
    int nodes, features;       /* operators; numbers in the last linear layer's input */
    int64_t parameters, state; /* numbers that are trained; that a checkpoint holds */
};
enum unseen_status us_shape_outlook(const struct us_model_spec *spec, struct us_shape_outlook *outlook);

#endif
