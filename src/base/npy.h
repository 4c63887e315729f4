/* NumPy .npy files, version 1.0, little endian, C order. */
#ifndef US_BASE_NPY_H
#define US_BASE_NPY_H

#include <stdint.h>

#include "base/status.h"

enum us_dtype { US_U8, US_I32, US_I64, US_F16, US_F32, US_F64 };

/* Bytes of one element. */
size_t us_dtype_size(enum us_dtype dtype);

/* "uint8", "int32", ... as messages name it. */
const char *us_dtype_name(enum us_dtype dtype);

/* "|u1", "<i4", ... as headers have it. */
const char *us_dtype_descr(enum us_dtype dtype);

/* Product of shape[0..ndim) times `size` bytes. False if it overflows or a length is negative. `count` and
 * `bytes` may be NULL. */
bool us_shape_size(int ndim, const int64_t *shape, size_t size, size_t *count, size_t *bytes);

struct us_npy {
    enum us_dtype dtype;
    int ndim;
    int64_t shape[4];
    size_t count;     /* product of shape */
    const void *data; /* read only, aligned to 16 at least; inside the mapping */
    void *mapping;
    size_t mapping_size;
};

/* Map an array for reading. Version 1.0 to 3.0 headers, at most four dimensions. Types that us_dtype lacks
 * become one that holds all their values (b1: uint8; i1, i2, u2: int32; u4, u8: int64); these, big-endian
 * numbers and Fortran order are converted in memory, as large as the array. UNSEEN_BAD_DATA with the file and
 * the reason otherwise (a header that claims more than the file holds included), UNSEEN_FAILED if it cannot
 * be opened. End with us_npy_close; a zeroed `array` may be closed too. */
enum unseen_status us_npy_open(const char *path, struct us_npy *array);
void us_npy_close(struct us_npy *array);

/* Let what was read of the file leave this process's memory; it is read again when it is looked at again. */
void us_npy_drop_pages(const struct us_npy *array);

/* The same for `count` elements, in C order, from `first` on; the page that holds the last of them stays. */
void us_npy_drop_page_range(const struct us_npy *array, size_t first, size_t count);

/* us_npy_open that also demands a type and a number of dimensions. */
enum unseen_status us_npy_open_as(const char *path, enum us_dtype dtype, int ndim, struct us_npy *array);

/* us_npy_open that also demands a number of dimensions and converts to `dtype`, in memory where the file's is
 * another: to floats from any type, to integers from any whole numbers that they hold; to float16 from none.
 * UNSEEN_BAD_DATA names the first number that does not fit. us_npy_cast does that to an open array. */
enum unseen_status us_npy_open_cast(const char *path, enum us_dtype dtype, int ndim, struct us_npy *array);
enum unseen_status us_npy_cast(const char *path, enum us_dtype dtype, struct us_npy *array);

/* us_npy_open that also demands integers, of any type, and a number of dimensions. */
enum unseen_status us_npy_open_integers(const char *path, int ndim, struct us_npy *array);

/* Element i of an array of integers. */
static inline int64_t us_npy_integer(const struct us_npy *array, size_t i)
{
    switch (array->dtype) {
    case US_U8:
        return ((const uint8_t *)array->data)[i];
    case US_I32:
        return ((const int32_t *)array->data)[i];
    default:
        return ((const int64_t *)array->data)[i];
    }
}

/* Write a whole array at once, atomically. Bytes depend on the values alone. */
US_SHARED enum unseen_status us_npy_write(const char *path, enum us_dtype dtype, int ndim,
                                          const int64_t *shape, const void *data);

/* float32 from any array of `ndim` dimensions: fresh memory [count], freed with free().
 * `shape` receives [ndim]; it may be NULL. */
enum unseen_status us_npy_read_f32(const char *path, int ndim, int64_t *shape, float **values);

/* The same for int64 from an array of whole numbers. */
enum unseen_status us_npy_read_i64(const char *path, int ndim, int64_t *shape, int64_t **values);

#endif
