/* The header of a .npy file: magic, version, length, and a Python dictionary that describes the array.
 * Format: numpy.lib.format, versions 1.0 to 3.0. */
#ifndef US_BASE_NPY_HEADER_H
#define US_BASE_NPY_HEADER_H

#include <stdint.h>

#include "base/status.h"

struct us_npy_header {
    char descr[8]; /* byte order character, then kind and size, e.g. "<f4" */
    bool fortran_order;
    int ndim;
    int64_t shape[4];
    size_t data_offset; /* at most the file's size */
};

/* Parse the first bytes of a file of `size` bytes. UNSEEN_BAD_DATA with `path` and the reason. */
enum unseen_status us_npy_header_parse(const char *path, const void *bytes, size_t size,
                                       struct us_npy_header *header);

/* Room that any header we make fits in. */
#define US_NPY_HEADER_MAX 256

/* Make a version 1.0 header, padded to a multiple of 64 bytes as numpy does. Returns its length. */
size_t us_npy_header_make(const char *descr, int ndim, const int64_t *shape, char *header);

#endif
