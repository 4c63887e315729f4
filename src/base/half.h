/* IEEE 754 half precision, converted in software so that every host gives the same bits. */
#ifndef US_BASE_HALF_H
#define US_BASE_HALF_H

#include <stdint.h>

/* Exact. */
float us_half_to_float(uint16_t half);

/* Rounded to nearest, ties to even; overflow gives infinity, NaN stays NaN. */
uint16_t us_float_to_half(float value);

#endif
