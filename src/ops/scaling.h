/* Dynamic loss scaling, all on the device: gradients that pass through float16 are kept in its range by a
 * factor on the loss, which is halved, and the step left out, when a gradient is not finite, and doubled
 * after 2000 steps in a row that were (Micikevicius et al., Mixed Precision Training, ICLR 2018). */
#ifndef US_OPS_SCALING_H
#define US_OPS_SCALING_H

#include "device/device.h"

/* Floats of its state. What a checkpoint keeps of it is all of them. */
enum { US_SCALING_FLOATS = 4 };

/* The state that training begins with: a factor of 65536. Waits for the device. */
enum unseen_status us_scaling_begin(struct unseen_device *device, struct us_buf *state);

/* After a backward pass whose loss gradient was multiplied by the state's factor (us_loss): look through
 * `count` gradients, say to the step (us_sgd) what to do, and set the factor of the next pass. Enqueues only.
 */
enum unseen_status us_scaling_update(struct unseen_device *device, size_t count, struct us_buf *grads,
                                     struct us_buf *state);

/* Build the program ahead of the first run. */
enum unseen_status us_scaling_prepare(struct unseen_device *device);

#endif
