#include "config.h"

#include "base/npy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/half.h"
#include "base/npy_header.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little endian and mapped as they are");

static const struct {
    size_t size;
    const char *name, *descr;
} dtypes[] = {
    [US_U8] = {1, "uint8", "|u1"},    [US_I32] = {4, "int32", "<i4"},   [US_I64] = {8, "int64", "<i8"},
    [US_F16] = {2, "float16", "<f2"}, [US_F32] = {4, "float32", "<f4"}, [US_F64] = {8, "float64", "<f8"},
};

size_t us_dtype_size(enum us_dtype dtype)
{
    return dtypes[dtype].size;
}

const char *us_dtype_name(enum us_dtype dtype)
{
    return dtypes[dtype].name;
}

const char *us_dtype_descr(enum us_dtype dtype)
{
    return dtypes[dtype].descr;
}

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

/* Old writers aligned data to less than 16 bytes; such arrays are copied to where they can be read. */
static enum unseen_status align(const char *path, struct us_npy *array, size_t bytes)
{
    if ((uintptr_t)array->data % 16 == 0)
        return UNSEEN_OK;
    size_t room = bytes ? bytes : 1;
    void *copy = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return us_fail_errno(path, "cannot take %zu bytes of memory", room);
    memcpy(copy, array->data, bytes);
    munmap(array->mapping, array->mapping_size);
    array->mapping = copy;
    array->mapping_size = room;
    array->data = copy;
    return UNSEEN_OK;
}

/* Whether one-dimensional in effect: then Fortran and C order are the same bytes. */
static bool order_matters(const struct us_npy_header *header)
{
    int long_axes = 0;
    for (int i = 0; i < header->ndim; i++)
        long_axes += header->shape[i] > 1;
    return long_axes > 1;
}

static enum unseen_status interpret(const char *path, struct us_npy *array)
{
    struct us_npy_header header;
    enum unseen_status st = us_npy_header_parse(path, array->mapping, array->mapping_size, &header);
    if (st != UNSEEN_OK)
        return st;
    const char *kind = header.descr + 1; /* behind the byte order */
    int dtype = strcmp(kind, "b1") == 0 ? US_U8 : -1;
    for (int i = 0; i < (int)(sizeof dtypes / sizeof dtypes[0]); i++) {
        if (strcmp(kind, dtypes[i].descr + 1) == 0)
            dtype = i;
    }
    bool order_known = header.descr[0] == '<' || (dtype == US_U8 && header.descr[0] == '|');
    if (dtype < 0 || !order_known)
        return us_fail(UNSEEN_BAD_DATA, path, "type '%s' is not one of |u1 |b1 <i4 <i8 <f2 <f4 <f8",
                       header.descr);
    if (header.fortran_order && order_matters(&header))
        return us_fail(UNSEEN_BAD_DATA, path, "is in Fortran order; save np.ascontiguousarray of it");
    size_t bytes;
    if (!us_shape_size(header.ndim, header.shape, dtypes[dtype].size, &array->count, &bytes) ||
        bytes > array->mapping_size - header.data_offset)
        return us_fail(UNSEEN_BAD_DATA, path, "the header claims more data than the file holds");
    array->dtype = (enum us_dtype)dtype;
    array->ndim = header.ndim;
    memcpy(array->shape, header.shape, sizeof header.shape);
    array->data = (const char *)array->mapping + header.data_offset;
    return align(path, array, bytes);
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

void us_npy_rest_part(const struct us_npy *array, size_t first, size_t count)
{
    if (!is_mapped(array))
        return;
    size_t size = us_dtype_size(array->dtype), page = (size_t)sysconf(_SC_PAGESIZE);
    size_t data = (size_t)((const char *)array->data - (const char *)array->mapping);
    size_t from = (data + first * size) / page * page, to = (data + (first + count) * size) / page * page;
    if (to > from)
        (void)madvise((char *)array->mapping + from, to - from, MADV_DONTNEED);
}

void us_npy_rest(const struct us_npy *array)
{
    if (!is_mapped(array))
        return;
    (void)madvise(array->mapping, array->mapping_size, MADV_DONTNEED);
#ifdef MADV_NOHUGEPAGE
    /* Or a few bytes looked at would count as two megabytes. */
    (void)madvise(array->mapping, array->mapping_size, MADV_NOHUGEPAGE);
#endif
}

void us_npy_close(struct us_npy *array)
{
    if (array->mapping)
        munmap(array->mapping, array->mapping_size);
    *array = (struct us_npy){0};
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

enum unseen_status us_npy_open_integers(const char *path, int ndim, struct us_npy *array)
{
    struct us_npy opened;
    enum unseen_status st = us_npy_open(path, &opened);
    if (st != UNSEEN_OK)
        return st;
    st = check_ndim(path, &opened, ndim);
    if (st == UNSEEN_OK && opened.dtype != US_U8 && opened.dtype != US_I32 && opened.dtype != US_I64)
        st = us_fail(UNSEEN_BAD_DATA, path, "holds %s instead of integers", us_dtype_name(opened.dtype));
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
    size_t header_bytes = us_npy_header_make(dtypes[dtype].descr, ndim, shape, header);
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

/* Takes memory for all elements, of `size` bytes each; closes `array` if there is none. */
static void *take_room(struct us_npy *array, size_t size)
{
    void *room = us_calloc(array->count, size);
    if (!room)
        us_npy_close(array);
    return room;
}

static void close_converted(struct us_npy *array, int64_t *shape)
{
    if (shape)
        memcpy(shape, array->shape, (size_t)array->ndim * sizeof *shape);
    us_npy_close(array);
}

#define CONVERT(type, expression)                                                                            \
    do {                                                                                                     \
        const type *in = array.data;                                                                         \
        for (size_t i = 0; i < array.count; i++)                                                             \
            out[i] = (expression);                                                                           \
    } while (0)

enum unseen_status us_npy_read_f32(const char *path, int ndim, int64_t *shape, float **values)
{
    struct us_npy array;
    enum unseen_status st = us_npy_open(path, &array);
    if (st != UNSEEN_OK)
        return st;
    if ((st = check_ndim(path, &array, ndim)) != UNSEEN_OK) {
        us_npy_close(&array);
        return st;
    }
    float *out = take_room(&array, sizeof *out);
    if (!out)
        return UNSEEN_FAILED;
    switch (array.dtype) {
    case US_U8:
        CONVERT(uint8_t, in[i]);
        break;
    case US_I32:
        CONVERT(int32_t, (float)in[i]);
        break;
    case US_I64:
        CONVERT(int64_t, (float)in[i]);
        break;
    case US_F16:
        CONVERT(uint16_t, us_half_to_float(in[i]));
        break;
    case US_F32:
        CONVERT(float, in[i]);
        break;
    case US_F64:
        CONVERT(double, (float)in[i]);
        break;
    }
    close_converted(&array, shape);
    *values = out;
    return UNSEEN_OK;
}

enum unseen_status us_npy_read_i64(const char *path, int ndim, int64_t *shape, int64_t **values)
{
    struct us_npy array;
    enum unseen_status st = us_npy_open_integers(path, ndim, &array);
    if (st != UNSEEN_OK)
        return st;
    int64_t *out = take_room(&array, sizeof *out);
    if (!out)
        return UNSEEN_FAILED;
    for (size_t i = 0; i < array.count; i++)
        out[i] = us_npy_integer(&array, i);
    close_converted(&array, shape);
    *values = out;
    return UNSEEN_OK;
}
