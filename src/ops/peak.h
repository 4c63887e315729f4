/* What a device can do at most, measured. */
#ifndef US_OPS_PEAK_H
#define US_OPS_PEAK_H

#include "device/device.h"

/* float32 operations per second, multiply-add = 2, of all compute units together: the best of some runs of
 * some ten milliseconds. */
enum unseen_status us_peak_flops(struct unseen_device *device, double *flops);

#endif
