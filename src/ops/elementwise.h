/* Element by element: the ReLU and the sum, where no other kernel has taken them in. */
#ifndef US_OPS_ELEMENTWISE_H
#define US_OPS_ELEMENTWISE_H

#include "device/device.h"

/* y = max(x, 0) over `count` floats; y may be x. */
enum unseen_status us_relu_forward(struct unseen_device *device, size_t count, struct us_buf *x,
                                   struct us_buf *y);

/* dx = dy where y > 0, else 0; dx may be dy. */
enum unseen_status us_relu_backward(struct unseen_device *device, size_t count, struct us_buf *y,
                                    struct us_buf *dy, struct us_buf *dx);

/* y += x. */
enum unseen_status us_add(struct unseen_device *device, size_t count, struct us_buf *x, struct us_buf *y);

#endif
