/* A .npy file that is filled piece by piece, in any order: for arrays that must never be whole in memory. */
#ifndef US_BASE_NPY_STREAM_H
#define US_BASE_NPY_STREAM_H

#include "base/atomic.h"
#include "base/checksum.h"
#include "base/npy.h"

struct us_npy_stream {
    struct us_atomic file;
    size_t header_bytes, element, count; /* bytes of header and of one element; elements in all */
    struct us_checksum *sum;             /* of the first `summed` bytes of the file */
    size_t summed;
};

/* Begin `path`; what is never put reads as zeros. Ends with us_npy_stream_commit or us_npy_stream_abandon. */
enum unseen_status us_npy_stream_begin(const char *path, enum us_dtype dtype, int ndim, const int64_t *shape,
                                       struct us_npy_stream *stream);

/* `count` elements from element `first` (in C order) on. UNSEEN_FAILED with the system's reason. */
enum unseen_status us_npy_stream_put(struct us_npy_stream *stream, size_t first, size_t count,
                                     const void *values);

/* The checksum of the file, all of whose elements were put; costs no reading if they were put in order.
 * Before us_npy_stream_commit. */
enum unseen_status us_npy_stream_checksum(struct us_npy_stream *stream, char text[US_CHECKSUM_TEXT]);

/* True between begin and commit or abandon. */
bool us_npy_stream_open(const struct us_npy_stream *stream);

/* The file appears under its name, as us_atomic_commit says. Releases `stream` either way. */
enum unseen_status us_npy_stream_commit(struct us_npy_stream *stream);

/* A zeroed or committed `stream` is left alone. */
void us_npy_stream_abandon(struct us_npy_stream *stream);

#endif
