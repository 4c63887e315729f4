#include "config.h"

#include "base/npy_convert.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "base/half.h"

/* ---- files ---- */

static const struct {
    char kind;
    int size;
    enum us_dtype dtype;
    bool exact; /* the very type of us_dtype */
} types[] = {
    {'b', 1, US_U8, true},   {'u', 1, US_U8, true},   {'i', 1, US_I32, false}, {'u', 2, US_I32, false},
    {'i', 2, US_I32, false}, {'u', 4, US_I64, false}, {'i', 4, US_I32, true},  {'u', 8, US_I64, false},
    {'i', 8, US_I64, true},  {'f', 2, US_F16, true},  {'f', 4, US_F32, true},  {'f', 8, US_F64, true},
};

/* With one axis longer than 1, Fortran and C order are the same bytes. */
static bool order_matters(const struct us_npy_header *header)
{
    int long_axes = 0;
    for (int i = 0; i < header->ndim; i++)
        long_axes += header->shape[i] > 1;
    return header->fortran_order && long_axes > 1;
}

bool us_npy_stored(const struct us_npy_header *header, struct us_npy_stored *stored)
{
    const char *descr = header->descr;
    if (!descr[0] || !descr[1] || descr[2] < '1' || descr[2] > '8' || descr[3])
        return false;
    const int size = descr[2] - '0';
    const bool order_known = descr[0] == '<' || descr[0] == '>' || (descr[0] == '|' && size == 1);
    for (size_t i = 0; order_known && i < sizeof types / sizeof types[0]; i++) {
        if (types[i].kind != descr[1] || types[i].size != size)
            continue;
        *stored = (struct us_npy_stored){.kind = descr[1] == 'b' ? 'u' : descr[1],
                                         .size = size,
                                         .big_endian = descr[0] == '>' && size > 1,
                                         .fortran_order = order_matters(header),
                                         .dtype = types[i].dtype};
        stored->native = types[i].exact && !stored->big_endian && !stored->fortran_order;
        return true;
    }
    return false;
}

enum unseen_status us_npy_take(const char *path, enum us_dtype dtype, int ndim, const int64_t *shape,
                               size_t count, struct us_npy *array)
{
    const size_t bytes = count * us_dtype_size(dtype), room = bytes ? bytes : 1;
    void *copy = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return us_fail_errno(path, "cannot take %zu bytes of memory", room);
    *array = (struct us_npy){
        .dtype = dtype, .ndim = ndim, .count = count, .data = copy, .mapping = copy, .mapping_size = room};
    if (ndim > 0)
        memcpy(array->shape, shape, (size_t)ndim * sizeof *shape);
    return UNSEEN_OK;
}

void us_npy_close(struct us_npy *array)
{
    if (array->mapping)
        munmap(array->mapping, array->mapping_size);
    *array = (struct us_npy){0};
}

/* The little-endian bits of element `i`, counted as they lie in the file. */
static uint64_t bits_of(const struct us_npy_stored *s, const unsigned char *bytes, size_t i)
{
    uint64_t bits = 0;
    for (int b = 0; b < s->size; b++)
        bits |= (uint64_t)bytes[i * (size_t)s->size + (size_t)b] << 8 * (s->big_endian ? s->size - 1 - b : b);
    return bits;
}

/* Where the element of index `i` in C order lies in Fortran order. */
static size_t fortran_place(const struct us_npy *array, size_t i)
{
    size_t place = 0;
    for (int axis = array->ndim - 1; axis >= 0; axis--) {
        size_t stride = 1;
        for (int before = 0; before < axis; before++)
            stride *= (size_t)array->shape[before];
        place += i % (size_t)array->shape[axis] * stride;
        i /= (size_t)array->shape[axis];
    }
    return place;
}

enum unseen_status us_npy_load(const char *path, const struct us_npy_stored *s, const unsigned char *bytes,
                               struct us_npy *array)
{
    unsigned char *to = array->mapping;
    const size_t size = us_dtype_size(array->dtype);
    if (s->native) {
        memcpy(to, bytes, array->count * size);
        return UNSEEN_OK;
    }
    for (size_t i = 0; i < array->count; i++) {
        uint64_t bits = bits_of(s, bytes, s->fortran_order ? fortran_place(array, i) : i);
        if (s->kind == 'u' && s->size == 8 && bits > INT64_MAX)
            return us_fail(UNSEEN_BAD_DATA, path, "element %zu, %" PRIu64 ", is too large", i, bits);
        if (s->kind == 'i' && s->size < 8 && bits >> (8 * s->size - 1))
            bits |= UINT64_MAX << 8 * s->size; /* its sign */
        memcpy(to + i * size, &bits, size);
    }
    return UNSEEN_OK;
}

/* ---- types ---- */

static double real_of(const struct us_npy *a, size_t i)
{
    switch (a->dtype) {
    case US_F16:
        return (double)us_half_to_float(((const uint16_t *)a->data)[i]);
    case US_F32:
        return (double)((const float *)a->data)[i];
    case US_F64:
        return ((const double *)a->data)[i];
    default:
        return (double)us_npy_integer(a, i);
    }
}

static bool is_integer(enum us_dtype dtype)
{
    return dtype == US_U8 || dtype == US_I32 || dtype == US_I64;
}

/* The whole number that element `i` is; false if it is none. */
static bool whole_of(const struct us_npy *a, size_t i, int64_t *value)
{
    const double real = is_integer(a->dtype) ? 0 : real_of(a, i);
    if (!is_integer(a->dtype) && !(real == floor(real) && fabs(real) <= 0x1p53))
        return false;
    *value = is_integer(a->dtype) ? us_npy_integer(a, i) : (int64_t)real;
    return true;
}

static enum unseen_status to_integers(const char *path, const struct us_npy *from, struct us_npy *to)
{
    const int64_t low = to->dtype == US_U8 ? 0 : to->dtype == US_I32 ? INT32_MIN : INT64_MIN;
    const int64_t high = to->dtype == US_U8 ? UINT8_MAX : to->dtype == US_I32 ? INT32_MAX : INT64_MAX;
    unsigned char *bytes = to->mapping;
    const size_t size = us_dtype_size(to->dtype);
    for (size_t i = 0; i < from->count; i++) {
        int64_t value;
        if (!whole_of(from, i, &value) || value < low || value > high)
            return us_fail(UNSEEN_BAD_DATA, path, "element %zu, %g, is not of type %s", i, real_of(from, i),
                           us_dtype_name(to->dtype));
        memcpy(bytes + i * size, &value, size);
    }
    return UNSEEN_OK;
}

static void to_reals(const struct us_npy *from, struct us_npy *to)
{
    for (size_t i = 0; i < from->count; i++) {
        if (to->dtype == US_F64)
            ((double *)to->mapping)[i] = real_of(from, i);
        else
            ((float *)to->mapping)[i] = (float)real_of(from, i);
    }
}

enum unseen_status us_npy_cast(const char *path, enum us_dtype dtype, struct us_npy *array)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_npy to = {0};
    if (array->dtype == dtype)
        return UNSEEN_OK;
    if (dtype == US_F16)
        return us_fail(UNSEEN_BAD_DATA, path, "holds %s instead of %s", us_dtype_name(array->dtype),
                       us_dtype_name(dtype));
    US_TRY(us_npy_take(path, dtype, array->ndim, array->shape, array->count, &to));
    if (is_integer(dtype))
        US_TRY(to_integers(path, array, &to));
    else
        to_reals(array, &to);
    us_npy_close(array);
    *array = to;
    to = (struct us_npy){0};
out:
    us_npy_close(&to);
    return st;
}
