/* Sums of two buffers, where no other kernel has taken them in. */
#ifndef US_OPS_ELEMENTWISE_H
#define US_OPS_ELEMENTWISE_H

#include "device/device.h"

/* y += x, of `count` floats. */
enum unseen_status us_add(struct unseen_device *device, size_t count, struct us_buf *x, struct us_buf *y);

/* slow += weight * (fast - slow), then fast = slow, of `count` floats. */
enum unseen_status us_approach(struct unseen_device *device, size_t count, float weight, struct us_buf *fast,
                               struct us_buf *slow);

#endif
