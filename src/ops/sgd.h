/* SGD with momentum, Nesterov and weight decay over one flat buffer, group by group, with torch.optim.SGD's
 * arithmetic. */
#ifndef US_OPS_SGD_H
#define US_OPS_SGD_H

#include "device/device.h"

enum { US_SGD_GROUPS = 3 };

/* What the floats of a group, those from the end of the one before on, take lr and weight_decay times. */
struct us_sgd_group {
    size_t end; /* a multiple of 16, but for the last */
    float lr, weight_decay;
};

/* g += weight_decay * p;  v = momentum * v + g;  p -= lr * (nesterov ? g + momentum * v : v), over `count`
 * floats; velocity starts at zero. */
struct us_sgd {
    float lr, momentum, weight_decay;
    bool nesterov;
    struct us_buf
        *scaling; /* NULL, or what us_scaling_update left: g is divided by a factor first, or no step taken */
    int groups;   /* 0: all floats are one, of factors 1 */
    struct us_sgd_group group[US_SGD_GROUPS]; /* the last takes in what is behind it */
};
enum unseen_status us_sgd_step(struct unseen_device *device, const struct us_sgd *sgd, size_t count,
                               struct us_buf *params, struct us_buf *grads, struct us_buf *velocity);

/* Build the program ahead of the first run. */
enum unseen_status us_sgd_prepare(struct unseen_device *device);

#endif
