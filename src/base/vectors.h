/* Arithmetic on vectors of floats: features, scores. */
#ifndef US_BASE_VECTORS_H
#define US_BASE_VECTORS_H

#include <stdint.h>

#include "base/status.h"

/* Squared Euclidean distance and dot product of float vectors [n], in sixteen interleaved sums whose order is
 * fixed: the same result on every machine with the same float arithmetic, and fast on vector units. */
float us_squared_distance(const float *a, const float *b, int64_t n);
float us_dot(const float *a, const float *b, int64_t n);

/* UNSEEN_BAD_DATA, naming `what` and the first index, if one of value [n] is not finite. */
enum unseen_status us_check_finite(const char *what, const float *value, int64_t n);

#endif
