#include "config.h"

#include "base/safetensors.h"

#include <string.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "support/cmocka.h"
#include "support/folder.h"

static const float weights[6] = {1, 2, 3, 4, 5, 6};
static const uint8_t bytes3[3] = {7, 8, 9};
static const int64_t steps[1] = {-5};

/* The middle one leaves the last misaligned. */
static const struct us_tensor_view tensors[] = {
    {"b.weight", US_F32, 2, {2, 3}, weights},
    {"mask", US_U8, 1, {3}, bytes3},
    {"a.steps", US_I64, 0, {0}, steps},
    {"none", US_F16, 3, {4, 0, 2}, NULL},
};

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const char *const metadata[] = {"model", "resnet18", "note", "caf\xc3\xa9 \"x\"", NULL};
    struct us_safetensors *file;
    assert_ok(us_safetensors_write(test_path("a"), tensors, 4, metadata));
    assert_ok(us_safetensors_open(test_path("a"), &file));
    assert_int_equal(us_safetensors_count(file), 4);
    for (size_t i = 0; i < 4; i++) {
        const struct us_tensor_view *tensor = us_safetensors_at(file, i);
        size_t size = us_dtype_size(tensor->dtype), bytes;
        assert_string_equal(tensor->name, tensors[i].name);
        assert_int_equal(tensor->dtype, tensors[i].dtype);
        assert_int_equal(tensor->ndim, tensors[i].ndim);
        assert_memory_equal(tensor->shape, tensors[i].shape, sizeof tensor->shape);
        assert_true(us_shape_size(tensor->ndim, tensor->shape, size, NULL, &bytes));
        assert_int_equal((uintptr_t)tensor->data % size, 0);
        if (bytes > 0)
            assert_memory_equal(tensor->data, tensors[i].data, bytes);
    }
    assert_ptr_equal(us_safetensors_find(file, "mask"), us_safetensors_at(file, 1));
    assert_null(us_safetensors_find(file, "b"));
    assert_string_equal(us_safetensors_metadata(file, "note"), "caf\xc3\xa9 \"x\"");
    assert_null(us_safetensors_metadata(file, "missing"));
    us_safetensors_close(file);
    us_safetensors_close(NULL);
}

static void the_header_is_padded_and_stable(void **state)
{
    (void)state;
    char *first, *second;
    size_t size, again;
    for (size_t n = 0; n <= 4; n++) {
        assert_ok(us_safetensors_write(test_path("p"), tensors, n, NULL));
        assert_ok(us_read_file(test_path("p"), &first, &size));
        assert_ok(us_safetensors_write(test_path("p"), tensors, n, NULL));
        assert_ok(us_read_file(test_path("p"), &second, &again));
        assert_int_equal(size, again);
        assert_memory_equal(first, second, size);
        uint64_t length;
        memcpy(&length, first, 8);
        assert_int_equal(length % 8, 0);
        assert_int_equal(first[8], '{');
        free(first);
        free(second);
    }
    assert_ok(us_safetensors_write(test_path("p"), tensors, 1, NULL));
    assert_ok(us_read_file(test_path("p"), &first, &size));
    static const char header[] = "{\"b.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}";
    assert_memory_equal(first + 8, header, strlen(header));
    free(first);
    struct us_safetensors *file;
    assert_ok(us_safetensors_open(test_path("p"), &file));
    assert_null(us_safetensors_metadata(file, "model"));
    us_safetensors_close(file);
}

static void refuses_to_write_nonsense(void **state)
{
    (void)state;
    const char *path = test_path("w");
    struct us_tensor_view twice[2] = {tensors[0], tensors[0]};
    assert_fails(UNSEEN_USAGE, "taken", us_safetensors_write(path, twice, 2, NULL));
    struct us_tensor_view bad = tensors[0];
    bad.name = "__metadata__";
    assert_fails(UNSEEN_USAGE, "taken", us_safetensors_write(path, &bad, 1, NULL));
    bad.name = "\xff";
    assert_fails(UNSEEN_USAGE, "not text", us_safetensors_write(path, &bad, 1, NULL));
    bad = tensors[0];
    bad.shape[0] = -1;
    assert_fails(UNSEEN_USAGE, "shape", us_safetensors_write(path, &bad, 1, NULL));
    bad.ndim = 5;
    assert_fails(UNSEEN_USAGE, "shape", us_safetensors_write(path, &bad, 1, NULL));
    static const char *const metadata[] = {"key", "\xff", NULL}, *const odd[] = {"key", NULL};
    assert_fails(UNSEEN_USAGE, "\"key\"", us_safetensors_write(path, tensors, 1, metadata));
    assert_fails(UNSEEN_USAGE, "\"key\"", us_safetensors_write(path, tensors, 1, odd));
    assert_false(us_exists(path));
    assert_fails(UNSEEN_FAILED, "No such", us_safetensors_write(test_path("no/w"), tensors, 1, NULL));
}

/* A header and `size` bytes of zeros behind it. */
static void write_raw(const char *path, const char *header, size_t size)
{
    static const char zeros[64];
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    uint64_t length = strlen(header);
    fwrite(&length, 8, 1, file);
    fwrite(header, 1, length, file);
    fwrite(zeros, 1, size, file);
    assert_int_equal(fclose(file), 0);
}

#define TENSOR(name, dtype, shape, offsets)                                                                  \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void refuses_malformed_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t size;
        const char *reason; /* NULL: this one is fine */
    } cases[] = {
        {"{}", 0, NULL},
        {"{\"__metadata__\":{}}   ", 0, NULL},
        {"{" TENSOR("a", "U8", "[3]", "[0,3]") "," TENSOR("b", "F32", "[1]", "[3,7]") "}", 7, NULL},
        {"{" TENSOR("b", "F32", "[1]", "[4,8]") "," TENSOR("a", "F32", "[]", "[0,4]") "}", 8, NULL},
        {"{" TENSOR("a", "F32", "[0]", "[0,0]") "," TENSOR("b", "F32", "[1]", "[0,4]") "}", 4, NULL},
        {"", 0, "'{'"},
        {"[]", 0, "'{'"},
        {" {}", 0, "'{'"},
        {"{", 0, "line 1"},
        {"{}x", 0, "line 1"},
        {"{\"a\":\"\xff\"}", 0, "line 1"},
        {"{\"a\":\"\\u0000\"}", 0, "line 1"},
        {"{}", 4, "4 bytes behind"},
        {"{\"__metadata__\":[]}", 0, "not an object"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "\"k\" is not a string"},
        {"{\"a\":1}", 0, "described"},
        {"{\"a\":{}}", 0, "dtype"},
        {"{" TENSOR("a", "BF16", "[2]", "[0,4]") "}", 4, "dtype"},
        {"{\"a\":{\"dtype\":4,\"shape\":[],\"data_offsets\":[0,4]}}", 4, "dtype"},
        {"{" TENSOR("a", "F32", "1", "[0,4]") "}", 4, "shape"},
        {"{" TENSOR("a", "F32", "[-1]", "[0,4]") "}", 4, "shape"},
        {"{" TENSOR("a", "F32", "[1.0]", "[0,4]") "}", 4, "shape"},
        {"{" TENSOR("a", "F32", "[1,1,1,1,1]", "[0,4]") "}", 4, "shape"},
        {"{" TENSOR("a", "F32", "[9223372036854775808]", "[0,4]") "}", 4, "line 1"},
        {"{" TENSOR("a", "F32", "[4611686018427387904,4]", "[0,4]") "}", 4, "do not match"},
        {"{" TENSOR("a", "F32", "[2]", "[0,4]") "}", 4, "do not match"},
        {"{" TENSOR("a", "F32", "[1]", "[0,8]") "}", 8, "do not match"},
        {"{" TENSOR("a", "F32", "[1]", "[0]") "}", 4, "out of range"},
        {"{" TENSOR("a", "F32", "[1]", "[0,4,8]") "}", 8, "out of range"},
        {"{" TENSOR("a", "F32", "[1]", "[0,\"4\"]") "}", 4, "out of range"},
        {"{" TENSOR("a", "F32", "[1]", "[-4,0]") "}", 4, "out of range"},
        {"{" TENSOR("a", "F32", "[1]", "[4,0]") "}", 4, "out of range"},
        {"{" TENSOR("a", "F32", "[1]", "[0,4]") "}", 3, "out of range"},
        {"{" TENSOR("a", "F32", "[1]", "[0,4]") "}", 5, "1 bytes behind"},
        {"{" TENSOR("a", "F32", "[1]", "[4,8]") "}", 8, "gap at data byte 0"},
        {"{" TENSOR("a", "F32", "[1]", "[0,4]") "," TENSOR("b", "F32", "[1]", "[2,6]") "}", 6, "overlap"},
        {"{" TENSOR("a", "F32", "[1]", "[0,4]") "," TENSOR("b", "F32", "[1]", "[0,4]") "}", 4, "overlap"},
        {"{" TENSOR("a", "F32", "[1]", "[0,4]") "," TENSOR("b", "F32", "[1]", "[8,12]") "}", 12, "gap"},
        {"{" TENSOR("a", "F32", "[1]", "[0,4]") "," TENSOR("a", "F32", "[1]", "[4,8]") "}", 8, "duplicate"},
        {"{" TENSOR("a", "U8", "[1]", "[0,1]") "," TENSOR("b", "F32", "[1]",
                                                          "[1,5]") "," TENSOR("c", "F3", "[1]", "[5,9]") "}",
         9, "dtype"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct us_safetensors *file;
        write_raw(test_path("m"), cases[i].header, cases[i].size);
        if (cases[i].reason) {
            assert_fails(UNSEEN_BAD_DATA, cases[i].reason, us_safetensors_open(test_path("m"), &file));
            assert_non_null(strstr(unseen_last_error(), "/m: "));
        } else {
            assert_ok(us_safetensors_open(test_path("m"), &file));
            us_safetensors_close(file);
        }
    }
}

static void refuses_every_truncation_and_bad_length(void **state)
{
    (void)state;
    const char *path = test_path("t");
    struct us_safetensors *file;
    char *bytes;
    size_t size;
    assert_ok(us_safetensors_write(path, tensors, 3, NULL));
    assert_ok(us_read_file(path, &bytes, &size));
    for (size_t i = 0; i < size; i++) {
        FILE *stream = fopen(path, "wb");
        assert_non_null(stream);
        fwrite(bytes, 1, i, stream);
        fclose(stream);
        assert_int_equal(us_safetensors_open(path, &file), UNSEEN_BAD_DATA);
    }
    static const uint64_t lengths[] = {0, 1, 100000001, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memcpy(bytes, &lengths[i], 8);
        assert_ok(us_write_file(path, bytes, size));
        assert_int_equal(us_safetensors_open(path, &file), UNSEEN_BAD_DATA);
    }
    free(bytes);
    assert_fails(UNSEEN_FAILED, "No such file", us_safetensors_open(test_path("none"), &file));
}

/* Whatever one changed byte does, the file is refused or read without a fault. */
static void survives_every_changed_byte(void **state)
{
    (void)state;
    static const char values[] = {0, '"', '9', '{', ']', (char)0xff};
    char *bytes;
    size_t size;
    assert_ok(us_safetensors_write(test_path("x"), tensors, 3, NULL));
    assert_ok(us_read_file(test_path("x"), &bytes, &size));
    for (size_t i = 0; i < size; i++) {
        char old = bytes[i];
        for (size_t v = 0; v < sizeof values; v++) {
            bytes[i] = values[v];
            FILE *stream = fopen(test_path("x"), "wb");
            assert_non_null(stream);
            fwrite(bytes, 1, size, stream);
            fclose(stream);
            struct us_safetensors *file = NULL;
            enum unseen_status st = us_safetensors_open(test_path("x"), &file);
            assert_true(st == UNSEEN_OK || st == UNSEEN_BAD_DATA);
            us_safetensors_close(file);
        }
        bytes[i] = old;
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_header_is_padded_and_stable),
        cmocka_unit_test(refuses_to_write_nonsense),
        cmocka_unit_test(refuses_malformed_headers),
        cmocka_unit_test(refuses_every_truncation_and_bad_length),
        cmocka_unit_test(survives_every_changed_byte),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
