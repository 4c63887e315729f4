/* The types of numbers that .npy files hold here. */
#include "config.h"

#include "base/npy.h"

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
