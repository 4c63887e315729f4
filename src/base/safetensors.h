/* .safetensors: named tensors in one file (8-byte header length, JSON header, data). */
#ifndef US_BASE_SAFETENSORS_H
#define US_BASE_SAFETENSORS_H

#include "base/npy.h"

struct us_tensor_view {
    const char *name;
    enum us_dtype dtype;
    int ndim;
    int64_t shape[4];
    const void *data; /* size from dtype and shape; aligned to the element's size in what is read */
};

/* Write atomically. Tensors lie in the order given; `metadata` is NULL or 2*n strings key, value, ...,
 * ended by NULL. Same input, same bytes. UNSEEN_USAGE: a name twice, a name or a value that is not UTF-8, a
 * shape of more than four dimensions. */
enum unseen_status us_safetensors_write(const char *path, const struct us_tensor_view *tensors, size_t n,
                                        const char *const *metadata);

struct us_safetensors; /* an open file, mapped */

/* UNSEEN_BAD_DATA with file and reason for whatever is malformed: header length, JSON, a dtype that we do
 * not know, offsets out of range, overlapping, with gaps or not matching the shape. */
enum unseen_status us_safetensors_open(const char *path, struct us_safetensors **file);
void us_safetensors_close(struct us_safetensors *file);

size_t us_safetensors_count(const struct us_safetensors *file);

/* The i-th tensor; valid until close. */
const struct us_tensor_view *us_safetensors_at(const struct us_safetensors *file, size_t i);

/* By name; NULL if it is not there. */
const struct us_tensor_view *us_safetensors_find(const struct us_safetensors *file, const char *name);

/* A metadata value; NULL if it is not there. */
const char *us_safetensors_metadata(const struct us_safetensors *file, const char *key);

#endif
