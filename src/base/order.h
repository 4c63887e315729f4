/* Sorting samples by a key. */
#ifndef US_BASE_ORDER_H
#define US_BASE_ORDER_H

#include <stdint.h>

#include "base/status.h"

/* items [n] receives 0..n-1 by ascending key [n] (finite), or by descending key; equal keys in ascending
 * order of index either way. O(n log n). UNSEEN_FAILED if memory runs out. */
enum unseen_status us_order(const double *key, int64_t n, bool descending, int64_t *items);

/* The same for keys as scores are kept. */
enum unseen_status us_order_f32(const float *key, int64_t n, bool descending, int64_t *items);

#endif
