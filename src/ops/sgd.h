/* SGD with momentum, Nesterov and weight decay over one flat buffer, with torch.optim.SGD's arithmetic. */
#ifndef US_OPS_SGD_H
#define US_OPS_SGD_H

#include "device/device.h"

/* g += weight_decay * p;  v = momentum * v + g;  p -= lr * (nesterov ? g + momentum * v : v), over `count`
 * floats; velocity starts at zero. */
struct us_sgd {
    float lr, momentum, weight_decay;
    bool nesterov;
    struct us_buf
        *scaling; /* NULL, or what us_scaling_update left: g is divided by a factor first, or no step taken */
    size_t decayed; /* weight decay is of the first so many floats, a multiple of 16; 0: of all */
};
enum unseen_status us_sgd_step(struct unseen_device *device, const struct us_sgd *sgd, size_t count,
                               struct us_buf *params, struct us_buf *grads, struct us_buf *velocity);

/* Build the program ahead of the first run. */
enum unseen_status us_sgd_prepare(struct unseen_device *device);

#endif
