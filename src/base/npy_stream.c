#include "config.h"

#include "base/npy_stream.h"

#include <errno.h>
#include <unistd.h>

#include "base/npy_header.h"

enum unseen_status us_npy_stream_begin(const char *path, enum us_dtype dtype, int ndim, const int64_t *shape,
                                       struct us_npy_stream *stream)
{
    char header[US_NPY_HEADER_MAX];
    struct us_npy_stream s = {.element = us_dtype_size(dtype)};
    size_t bytes;
    if (ndim < 0 || ndim > 4 || !us_shape_size(ndim, shape, s.element, &s.count, &bytes))
        return us_fail(UNSEEN_USAGE, path, "not a shape that a .npy file is written with");
    s.header_bytes = us_npy_header_make(us_dtype_descr(dtype), ndim, shape, header);
    enum unseen_status st = us_atomic_begin(path, &s.file);
    if (st)
        return st;
    s.sum = us_checksum_new();
    if (!s.sum) {
        us_npy_stream_abandon(&s);
        return UNSEEN_FAILED;
    }
    us_checksum_add(s.sum, header, s.header_bytes);
    s.summed = s.header_bytes;
    if (fwrite(header, 1, s.header_bytes, s.file.stream) != s.header_bytes || fflush(s.file.stream) != 0 ||
        ftruncate(fileno(s.file.stream), (off_t)(s.header_bytes + bytes)) != 0) {
        st = us_fail_errno(path, "cannot write");
        us_npy_stream_abandon(&s);
        return st;
    }
    *stream = s;
    return UNSEEN_OK;
}

enum unseen_status us_npy_stream_put(struct us_npy_stream *stream, size_t first, size_t count,
                                     const void *values)
{
    const char *from = values;
    size_t left = count * stream->element;
    off_t at = (off_t)(stream->header_bytes + first * stream->element);
    if ((size_t)at == stream->summed) {
        us_checksum_add(stream->sum, values, left);
        stream->summed += left;
    } else {
        stream->summed = 0; /* out of order: the file will have to be read */
    }
    while (left > 0) {
        ssize_t done = pwrite(fileno(stream->file.stream), from, left, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return us_fail_errno(stream->file.path, "cannot write");
        from += done;
        at += done;
        left -= (size_t)done;
    }
    return UNSEEN_OK;
}

bool us_npy_stream_open(const struct us_npy_stream *stream)
{
    return stream->file.stream != NULL;
}

enum unseen_status us_npy_stream_checksum(struct us_npy_stream *stream, char text[US_CHECKSUM_TEXT])
{
    if (stream->summed != stream->header_bytes + stream->count * stream->element)
        return us_checksum_file(stream->file.temporary, text);
    us_checksum_text(stream->sum, text);
    return UNSEEN_OK;
}

static void end_sum(struct us_npy_stream *stream)
{
    us_checksum_free(stream->sum);
    stream->sum = NULL;
}

enum unseen_status us_npy_stream_commit(struct us_npy_stream *stream)
{
    end_sum(stream);
    return us_atomic_commit(&stream->file);
}

void us_npy_stream_abandon(struct us_npy_stream *stream)
{
    end_sum(stream);
    us_atomic_abandon(&stream->file);
}
