/* Arithmetic on feature vectors. */
#ifndef US_BASE_VECTORS_H
#define US_BASE_VECTORS_H

#include <stdint.h>

/* Squared Euclidean distance and dot product of float vectors [n], in sixteen interleaved sums whose order is
 * fixed: the same result on every machine with the same float arithmetic, and fast on vector units. */
float us_squared_distance(const float *a, const float *b, int64_t n);
float us_dot(const float *a, const float *b, int64_t n);

#endif
