/* Max, average and global average pooling over [n,h,w,c]. */
#ifndef US_OPS_POOL_H
#define US_OPS_POOL_H

#include "device/device.h"

enum us_pool_kind {
    US_POOL_MAX,
    US_POOL_AVERAGE
}; /* average divides by kernel^2, padding counted, as PyTorch */

struct us_pool_shape {
    enum us_pool_kind kind;
    int h, w, c;
    int kernel, stride, pad; /* square; global average pooling: kernel = h = w, stride 1, pad 0 */
};

struct us_pool;

enum unseen_status us_pool_new(struct unseen_device *device, const struct us_pool_shape *shape,
                               struct us_pool **pool);
void us_pool_free(struct us_pool *pool);

enum unseen_status us_pool_forward(struct us_pool *pool, int n, struct us_buf *x, struct us_buf *y);

/* A gather; max pooling finds the window's winner again from x (the first in row-major order wins a tie, as
 * in PyTorch), so nothing need be stored. dx is written, or added to with accumulate. */
enum unseen_status us_pool_backward(struct us_pool *pool, int n, struct us_buf *x, struct us_buf *y,
                                    struct us_buf *dy, bool accumulate, struct us_buf *dx);

#endif
