#include "config.h"

#include "base/npy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "base/npy_convert.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little endian and mapped as they are");

bool us_shape_size(int ndim, const int64_t *shape, size_t size, size_t *count, size_t *bytes)
{
    size_t product = 1, total;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0 || __builtin_mul_overflow(product, (size_t)shape[i], &product))
            return false;
    }
    if (__builtin_mul_overflow(product, size, &total) || total > PTRDIFF_MAX)
        return false;
    if (count)
        *count = product;
    if (bytes)
        *bytes = total;
    return true;
}

/* Take the elements to memory of our own. */
static enum unseen_status copy(const char *path, const struct us_npy_stored *stored, struct us_npy *array)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_npy taken = {0};
    US_TRY(us_npy_take(path, stored->dtype, array->ndim, array->shape, array->count, &taken));
    US_TRY(us_npy_load(path, stored, array->data, &taken));
    us_npy_close(array);
    *array = taken;
    taken = (struct us_npy){0};
out:
    us_npy_close(&taken);
    return st;
}

static enum unseen_status interpret(const char *path, struct us_npy *array)
{
    struct us_npy_header header;
    struct us_npy_stored stored;
    size_t bytes;
    enum unseen_status st = us_npy_header_parse(path, array->mapping, array->mapping_size, &header);
    if (st != UNSEEN_OK)
        return st;
    if (!us_npy_stored(&header, &stored))
        return us_fail(UNSEEN_BAD_DATA, path, "type '%s' is not one of b1, u1..u8, i1..i8, f2..f8",
                       header.descr);
    if (!us_shape_size(header.ndim, header.shape, (size_t)stored.size, &array->count, &bytes) ||
        bytes > array->mapping_size - header.data_offset ||
        !us_shape_size(header.ndim, header.shape, us_dtype_size(stored.dtype), NULL, NULL))
        return us_fail(UNSEEN_BAD_DATA, path, "the header claims more data than the file holds");
    array->dtype = stored.dtype;
    array->ndim = header.ndim;
    memcpy(array->shape, header.shape, sizeof header.shape);
    array->data = (const char *)array->mapping + header.data_offset;
    /* Old writers aligned data to less than 16 bytes. */
    return stored.native && (uintptr_t)array->data % 16 == 0 ? UNSEEN_OK : copy(path, &stored, array);
}

enum unseen_status us_npy_open(const char *path, struct us_npy *array)
{
    struct us_npy opened = {0};
    enum unseen_status st = us_map_file(path, &opened.mapping, &opened.mapping_size);
    if (st == UNSEEN_OK)
        st = interpret(path, &opened);
    if (st != UNSEEN_OK)
        us_npy_close(&opened);
    else
        *array = opened;
    return st;
}

/* A copy begins where its data does: it is in no file and has to stay. */
static bool is_mapped(const struct us_npy *array)
{
    return array->mapping && array->mapping != array->data;
}

void us_npy_drop_page_range(const struct us_npy *array, size_t first, size_t count)
{
    if (!is_mapped(array))
        return;
    size_t size = us_dtype_size(array->dtype), page = (size_t)sysconf(_SC_PAGESIZE);
    size_t data = (size_t)((const char *)array->data - (const char *)array->mapping);
    size_t from = (data + first * size) / page * page, to = (data + (first + count) * size) / page * page;
    if (to > from)
        (void)madvise((char *)array->mapping + from, to - from, MADV_DONTNEED);
}

void us_npy_drop_pages(const struct us_npy *array)
{
    if (!is_mapped(array))
        return;
    (void)madvise(array->mapping, array->mapping_size, MADV_DONTNEED);
#ifdef MADV_NOHUGEPAGE
    /* Or a few bytes looked at would count as two megabytes. */
    (void)madvise(array->mapping, array->mapping_size, MADV_NOHUGEPAGE);
#endif
}

static enum unseen_status check_ndim(const char *path, const struct us_npy *array, int ndim)
{
    if (array->ndim == ndim)
        return UNSEEN_OK;
    return us_fail(UNSEEN_BAD_DATA, path, "has %d dimensions instead of %d", array->ndim, ndim);
}

enum unseen_status us_npy_open_as(const char *path, enum us_dtype dtype, int ndim, struct us_npy *array)
{
    struct us_npy opened;
    enum unseen_status st = us_npy_open(path, &opened);
    if (st != UNSEEN_OK)
        return st;
    if (opened.dtype != dtype)
        st = us_fail(UNSEEN_BAD_DATA, path, "holds %s instead of %s", us_dtype_name(opened.dtype),
                     us_dtype_name(dtype));
    else
        st = check_ndim(path, &opened, ndim);
    if (st != UNSEEN_OK)
        us_npy_close(&opened);
    else
        *array = opened;
    return st;
}

enum unseen_status us_npy_open_cast(const char *path, enum us_dtype dtype, int ndim, struct us_npy *array)
{
    struct us_npy opened;
    enum unseen_status st = us_npy_open(path, &opened);
    if (st != UNSEEN_OK)
        return st;
    st = check_ndim(path, &opened, ndim);
    if (st == UNSEEN_OK)
        st = us_npy_cast(path, dtype, &opened);
    if (st != UNSEEN_OK)
        us_npy_close(&opened);
    else
        *array = opened;
    return st;
}

enum unseen_status us_npy_open_integers(const char *path, int ndim, struct us_npy *array)
{
    struct us_npy opened;
    enum unseen_status st = us_npy_open(path, &opened);
    if (st != UNSEEN_OK)
        return st;
    st = check_ndim(path, &opened, ndim);
    if (st == UNSEEN_OK && opened.dtype != US_U8 && opened.dtype != US_I32 && opened.dtype != US_I64) {
        st = us_fail(UNSEEN_BAD_DATA, path, "holds %s instead of integers", us_dtype_name(opened.dtype));
        us_hint("NumPy makes integers of them by .astype(\"int64\")");
    }
    if (st != UNSEEN_OK)
        us_npy_close(&opened);
    else
        *array = opened;
    return st;
}

enum unseen_status us_npy_write(const char *path, enum us_dtype dtype, int ndim, const int64_t *shape,
                                const void *data)
{
    size_t bytes;
    if (ndim < 0 || ndim > 4 || !us_shape_size(ndim, shape, us_dtype_size(dtype), NULL, &bytes))
        return us_fail(UNSEEN_USAGE, path, "not a shape that a .npy file is written with");
    char header[US_NPY_HEADER_MAX];
    size_t header_bytes = us_npy_header_make(us_dtype_descr(dtype), ndim, shape, header);
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st != UNSEEN_OK)
        return st;
    /* A short write sets the stream's error flag, which the commit looks at. */
    (void)!fwrite(header, 1, header_bytes, file.stream);
    if (bytes > 0)
        (void)!fwrite(data, 1, bytes, file.stream);
    return us_atomic_commit(&file);
}

/* The elements of an open array, which is closed, in fresh memory. */
static enum unseen_status take_out(struct us_npy *array, int64_t *shape, void **values)
{
    const size_t size = us_dtype_size(array->dtype);
    *values = us_calloc(array->count, size);
    if (*values) {
        memcpy(*values, array->data, array->count * size);
        if (shape)
            memcpy(shape, array->shape, (size_t)array->ndim * sizeof *shape);
    }
    us_npy_close(array);
    return *values ? UNSEEN_OK : UNSEEN_FAILED;
}

enum unseen_status us_npy_read_f32(const char *path, int ndim, int64_t *shape, float **values)
{
    struct us_npy array;
    void *taken;
    enum unseen_status st = us_npy_open_cast(path, US_F32, ndim, &array);
    if (st == UNSEEN_OK && (st = take_out(&array, shape, &taken)) == UNSEEN_OK)
        *values = taken;
    return st;
}

enum unseen_status us_npy_read_i64(const char *path, int ndim, int64_t *shape, int64_t **values)
{
    struct us_npy array;
    void *taken;
    enum unseen_status st = us_npy_open_cast(path, US_I64, ndim, &array);
    if (st == UNSEEN_OK && (st = take_out(&array, shape, &taken)) == UNSEEN_OK)
        *values = taken;
    return st;
}
