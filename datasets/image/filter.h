/* The inner loops of resizing, on bytes and weights of which 1 << US_FILTER_BITS is one. */
#ifndef US_DATASETS_FILTER_H
#define US_DATASETS_FILTER_H

#include <stddef.h>
#include <stdint.h>

enum {
    US_FILTER_BITS = 22, /* 8 bits for a pixel, 22 for its weight and 2 to spare, as in PIL */
    US_FILTER_TAPS = 2   /* numbers of weights are multiples of it */
};

/* In one row of pixels of four bytes, output i [3 bytes] is made of the `taps` pixels from first[i], with the
 * weights [outputs, taps, 4]: each weight four times. One byte more than the outputs is written. */
void us_filter_columns(const uint8_t *row, const int *first, const int32_t *weights, int taps, int outputs,
                       uint8_t *to);

/* The `size` bytes of a row that is made of n rows. Up to 15 bytes behind them are read. */
void us_filter_rows(const uint8_t *const *rows, const int32_t *weights, int n, size_t size, uint8_t *to);

#endif
