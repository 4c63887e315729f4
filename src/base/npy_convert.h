/* Arrays of .npy files that are not what memory holds: of other types, big endian, in Fortran order. */
#ifndef US_BASE_NPY_CONVERT_H
#define US_BASE_NPY_CONVERT_H

#include "base/npy.h"
#include "base/npy_header.h"

/* How an element lies in a file. */
struct us_npy_stored {
    char kind; /* 'u', 'i', 'f' */
    int size;  /* bytes: 1, 2, 4 or 8 */
    bool big_endian, fortran_order;
    enum us_dtype dtype; /* that holds every value of it */
    bool native;         /* the bytes are what an array of `dtype` in C order is */
};

/* False if it is no type that we read. */
bool us_npy_stored(const struct us_npy_header *header, struct us_npy_stored *stored);

/* An anonymous mapping with `count` elements of `dtype`; UNSEEN_FAILED without memory. End with
 * us_npy_close. */
enum unseen_status us_npy_take(const char *path, enum us_dtype dtype, int ndim, const int64_t *shape,
                               size_t count, struct us_npy *array);

/* Fill `array`, of us_npy_take with stored->dtype, from the file's elements at `bytes`. UNSEEN_BAD_DATA for
 * an integer beyond int64. */
enum unseen_status us_npy_load(const char *path, const struct us_npy_stored *stored,
                               const unsigned char *bytes, struct us_npy *array);

#endif
