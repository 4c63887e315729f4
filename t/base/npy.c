#include "config.h"

#include "base/npy.h"

#include <string.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "support/cmocka.h"
#include "support/folder.h"

/* Writes a file with the given version and dictionary, then `data`. */
static void write_raw(const char *path, int version, const char *dictionary, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    size_t length = strlen(dictionary);
    fwrite("\x93NUMPY", 1, 6, file);
    fputc(version, file);
    fputc(0, file);
    for (int i = 0; i < (version == 1 ? 2 : 4); i++)
        fputc((int)(length >> (8 * i) & 0xff), file);
    fwrite(dictionary, 1, length, file);
    fwrite(data, 1, size, file);
    assert_int_equal(fclose(file), 0);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    const char *path = test_path("a.npy");
    double data[24];
    for (int i = 0; i < 24; i++)
        data[i] = i * 0.5;
    static const int64_t shape[4] = {2, 3, 1, 4};
    for (int dtype = US_U8; dtype <= US_F64; dtype++) {
        for (int ndim = 0; ndim <= 4; ndim++) {
            struct us_npy array;
            assert_ok(us_npy_write(path, (enum us_dtype)dtype, ndim, shape, data));
            assert_ok(us_npy_open_as(path, (enum us_dtype)dtype, ndim, &array));
            size_t count = 1;
            for (int i = 0; i < ndim; i++) {
                assert_int_equal(array.shape[i], shape[i]);
                count *= (size_t)shape[i];
            }
            assert_int_equal(array.count, count);
            assert_int_equal((uintptr_t)array.data % 16, 0);
            assert_memory_equal(array.data, data, count * us_dtype_size((enum us_dtype)dtype));
            us_npy_close(&array);
            us_npy_close(&array);
        }
    }
}

/* The bytes that numpy.save writes for np.array([1, 2], "<i4"). */
static void the_bytes_are_numpys(void **state)
{
    (void)state;
    char *bytes;
    size_t size;
    int32_t data[] = {1, 2};
    assert_ok(us_npy_write(test_path("b.npy"), US_I32, 1, (int64_t[]){2}, data));
    assert_ok(us_read_file(test_path("b.npy"), &bytes, &size));
    assert_int_equal(size, 128 + 8);
    char expected[128];
    memset(expected, ' ', sizeof expected);
    static const char start[] = "\x93NUMPY\1\0v\0{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }";
    memcpy(expected, start, sizeof start - 1);
    expected[127] = '\n';
    assert_memory_equal(bytes, expected, 128);
    assert_memory_equal(bytes + 128, data, 8);
    free(bytes);
}

static void empty_arrays(void **state)
{
    (void)state;
    int64_t shape[2], *values;
    assert_ok(us_npy_write(test_path("e.npy"), US_I64, 2, (int64_t[]){0, 5}, NULL));
    assert_ok(us_npy_read_i64(test_path("e.npy"), 2, shape, &values));
    assert_int_equal(shape[0], 0);
    assert_int_equal(shape[1], 5);
    free(values);
}

static void accepts_what_other_writers_make(void **state)
{
    (void)state;
    const char *path = test_path("o.npy");
    static const char *const headers[] = {
        "{'descr': '<i4', 'fortran_order': False, 'shape': (2L, 2L), }",
        "{\"shape\":(2,2),\"fortran_order\":False,\"descr\":\"<i4\"}\n",
        " { 'fortran_order' : False , 'shape' : ( 2 , 2 , ) , 'descr' : '<i4' , } \n",
        "{'descr': '<i4', 'fortran_order': True, 'shape': (1, 4)}",
    };
    int32_t data[] = {1, -2, 3, -4};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        for (int version = 1; version <= 3; version++) { /* most of these leave the data misaligned */
            struct us_npy array;
            write_raw(path, version, headers[i], data, sizeof data);
            assert_ok(us_npy_open_as(path, US_I32, 2, &array));
            assert_int_equal((uintptr_t)array.data % 16, 0);
            assert_memory_equal(array.data, data, sizeof data);
            us_npy_drop_pages(&array);
            assert_memory_equal(array.data, data, sizeof data);
            us_npy_close(&array);
        }
    }
    struct us_npy array;
    write_raw(path, 1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", "\1\0\1", 3);
    assert_ok(us_npy_open_as(path, US_U8, 1, &array));
    us_npy_close(&array);
    write_raw(path, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': ()}", "\0\0\0\0\0\0\0\0", 8);
    assert_ok(us_npy_open_as(path, US_F64, 0, &array));
    assert_int_equal(array.count, 1);
    us_npy_close(&array);
}

static void refuses_bad_headers(void **state)
{
    (void)state;
    const char *path = test_path("bad.npy");
    static const struct {
        const char *header, *reason;
    } cases[] = {
        {"", "no dictionary"},
        {"{", "not a dictionary"},
        {"{}", "missing"},
        {"{'descr': '<f4'", "not closed"},
        {"{'descr': '<f4', 'fortran_order': False}", "missing"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "not closed"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", "follows"},
        {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,)}", "neither"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': [2]}", "tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "tuple of lengths"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2", "not closed"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "tuple of lengths"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1)}", "more than 4"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "claims more"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,4)}", "claims more"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,4611686018427387904,4)}", ""},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (1,2)}", ""},
        {"{'descr': '|u1', 'fortran_order': True, 'shape': (2,2)}", ""},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", ""},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (2,)}", "'|f4'"},
        {"{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}", "'<f3'"},
        {"{'descr': '<f1', 'fortran_order': False, 'shape': (1,)}", "'<f1'"},
        {"{'descr': '<b2', 'fortran_order': False, 'shape': (1,)}", "'<b2'"},
        {"{'descr': '<f16', 'fortran_order': False, 'shape': (1,)}", "'<f16'"},
        {"{'descr': '<i2', 'fortran_order': True, 'shape': (2,3)}", "claims more"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "'<c8'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (1,)}", "not a type"},
        {"{'descr': '<', 'fortran_order': False, 'shape': (1,)}", "'<'"},
        {"{'descr': '<U12345678', 'fortran_order': False, 'shape': (1,)}", "not a type"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "structured"},
        {"{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}", "dictionary"},
        {"{'color': 1, 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "a key is not"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct us_npy array;
        write_raw(path, 1, cases[i].header, "12345678", 8);
        if (*cases[i].reason) {
            assert_fails(UNSEEN_BAD_DATA, cases[i].reason, us_npy_open(path, &array));
            assert_non_null(strstr(unseen_last_error(), "bad.npy: "));
        } else {
            assert_ok(us_npy_open(path, &array));
            us_npy_close(&array);
        }
    }
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    const char *path = test_path("t.npy");
    char *bytes;
    size_t size;
    assert_ok(us_npy_write(path, US_F32, 2, (int64_t[]){2, 1}, (float[]){1, 2}));
    assert_ok(us_read_file(path, &bytes, &size));
    for (size_t i = 0; i < size; i++) {
        struct us_npy array;
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fwrite(bytes, 1, i, file);
        fclose(file);
        assert_int_equal(us_npy_open(path, &array), UNSEEN_BAD_DATA);
    }
    bytes[6] = 4;
    assert_ok(us_write_file(path, bytes, size));
    struct us_npy array;
    assert_fails(UNSEEN_BAD_DATA, "version 4", us_npy_open(path, &array));
    free(bytes);
    assert_fails(UNSEEN_FAILED, "No such file", us_npy_open(test_path("none.npy"), &array));
}

static void demands_type_and_dimensions(void **state)
{
    (void)state;
    const char *path = test_path("d.npy");
    struct us_npy array;
    float *values;
    int64_t *integers;
    assert_ok(us_npy_write(path, US_F32, 1, (int64_t[]){2}, (float[]){1, 2}));
    assert_fails(UNSEEN_BAD_DATA, "float32 instead of int64", us_npy_open_as(path, US_I64, 1, &array));
    assert_fails(UNSEEN_BAD_DATA, "1 dimensions instead of 2", us_npy_open_as(path, US_F32, 2, &array));
    assert_fails(UNSEEN_BAD_DATA, "1 dimensions instead of 2", us_npy_read_f32(path, 2, NULL, &values));
    assert_ok(us_npy_write(path, US_F32, 1, (int64_t[]){2}, (float[]){1, 2.5f}));
    assert_fails(UNSEEN_BAD_DATA, "element 1, 2.5, is not of type int64",
                 us_npy_read_i64(path, 1, NULL, &integers));
    assert_fails(UNSEEN_USAGE, "shape", us_npy_write(path, US_F32, 1, (int64_t[]){-1}, NULL));
    assert_fails(UNSEEN_USAGE, "shape", us_npy_write(path, US_F32, 5, (int64_t[]){1, 1, 1, 1, 1}, NULL));
}

static void converts(void **state)
{
    (void)state;
    const char *path = test_path("c.npy");
    static const uint8_t u8[] = {1, 200};
    static const int32_t i32[] = {1, -200};
    static const int64_t i64[] = {1, -200};
    static const uint16_t f16[] = {0x3c00, 0x0001};
    static const float f32[] = {1, 0.25f};
    static const double f64[] = {1, 0.1};
    static const struct {
        enum us_dtype dtype;
        const void *data;
        float second;
    } cases[] = {
        {US_U8, u8, 200},        {US_I32, i32, -200},  {US_I64, i64, -200},
        {US_F16, f16, 0x1p-24f}, {US_F32, f32, 0.25f}, {US_F64, f64, 0.1f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t shape[1];
        float *values;
        assert_ok(us_npy_write(path, cases[i].dtype, 1, (int64_t[]){2}, cases[i].data));
        assert_ok(us_npy_read_f32(path, 1, shape, &values));
        assert_int_equal(shape[0], 2);
        assert_true(values[0] == 1 && values[1] == cases[i].second);
        free(values);
        if (cases[i].dtype > US_I64)
            continue;
        int64_t *integers;
        assert_ok(us_npy_read_i64(path, 1, NULL, &integers));
        assert_true(integers[0] == 1 && integers[1] == (int64_t)cases[i].second);
        free(integers);
    }
}

static void open_values(const char *descr, bool fortran, const char *bytes, size_t size, const double *want)
{
    char header[128];
    struct us_npy array;
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': (2, 3)}", descr,
             fortran ? "True" : "False");
    for (int version = 1; version <= 3; version++) {
        write_raw(test_path("v.npy"), version, header, bytes, 6 * size);
        assert_ok(us_npy_open_cast(test_path("v.npy"), US_F64, 2, &array));
        for (int i = 0; i < 6; i++)
            assert_true(((const double *)array.data)[i] == want[i]);
        us_npy_close(&array);
    }
}

/* Every type, byte order and axis order that numpy.save writes of [[0, 1, 2], [3, -4, 5]], or with 4 where
 * there are no signs. */
static void any_type_and_order_is_read(void **state)
{
    (void)state;
    static const double want[] = {0, 1, 2, 3, -4, 5}, positive[] = {0, 1, 2, 3, 4, 5};
    static const int in_fortran_order[] = {0, 3, 1, 4, 2, 5};
    static const char *const types[] = {"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"};
    static const uint16_t halves[] = {0, 0x3c00, 0x4000, 0x4200, 0xc400, 0x4500};
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        const size_t size = (size_t)(types[t][1] - '0');
        const double *values = types[t][0] == 'u' ? positive : want;
        for (int variant = 0; variant < 4; variant++) {
            const bool big = variant & 1, fortran = variant & 2;
            char descr[8], bytes[48];
            snprintf(descr, sizeof descr, "%c%s", size == 1 ? '|' : big ? '>' : '<', types[t]);
            for (int i = 0; i < 6; i++) {
                const int from = fortran ? in_fortran_order[i] : i;
                int64_t bits = (int64_t)values[from];
                const float narrow = (float)values[from];
                if (types[t][0] == 'f' && size == 2)
                    bits = halves[from];
                else if (types[t][0] == 'f')
                    memcpy(&bits, size == 4 ? (const void *)&narrow : &values[from], size);
                for (size_t b = 0; b < size; b++)
                    bytes[(size_t)i * size + b] = (char)(bits >> 8 * (big ? size - 1 - b : b));
            }
            open_values(descr, fortran, bytes, size, values);
        }
    }
    struct us_npy array;
    write_raw(test_path("v.npy"), 1, "{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}",
              "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    assert_fails(UNSEEN_BAD_DATA, "element 0, 18446744073709551615, is too large",
                 us_npy_open(test_path("v.npy"), &array));
}

/* Pages that were let go come back from the file; data that had to be copied stays. */
static void released_data_is_still_there(void **state)
{
    (void)state;
    enum { n = 50000 };
    static int32_t data[n];
    const char *path = test_path("r.npy");
    for (int i = 0; i < n; i++)
        data[i] = i * 3;
    for (int copied = 0; copied < 2; copied++) {
        struct us_npy array;
        if (copied)
            write_raw(path, 1, "{'descr': '<i4', 'fortran_order': False, 'shape': (50000,)}", data,
                      sizeof data);
        else
            assert_ok(us_npy_write(path, US_I32, 1, (int64_t[]){n}, data));
        assert_ok(us_npy_open_integers(path, 1, &array));
        us_npy_drop_page_range(&array, 0, n);
        us_npy_drop_page_range(&array, 20000, 2);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(us_npy_integer(&array, i), data[i]);
        us_npy_close(&array);
    }
    us_npy_drop_page_range(&(struct us_npy){.dtype = US_I32, .data = data}, 0, n);
    assert_int_equal(data[1], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_bytes_are_numpys),
        cmocka_unit_test(empty_arrays),
        cmocka_unit_test(accepts_what_other_writers_make),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(demands_type_and_dimensions),
        cmocka_unit_test(converts),
        cmocka_unit_test(any_type_and_order_is_read),
        cmocka_unit_test(released_data_is_still_there),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
