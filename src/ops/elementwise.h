/* The sum of two buffers, where no other kernel has taken it in. */
#ifndef US_OPS_ELEMENTWISE_H
#define US_OPS_ELEMENTWISE_H

#include "device/device.h"

/* y += x, of `count` floats. */
enum unseen_status us_add(struct unseen_device *device, size_t count, struct us_buf *x, struct us_buf *y);

#endif
