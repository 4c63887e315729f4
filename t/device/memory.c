#include "config.h"

#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"

enum { MIB = 1 << 20 };

static void copies_there_and_back(void **state)
{
    (void)state;
    struct unseen_device *device = test_device();
    unsigned char out[100] = {0}, in[100];
    for (int i = 0; i < 100; i++)
        in[i] = (unsigned char)(i + 1);
    struct us_buf *a = NULL, *b = NULL;
    assert_ok(us_buf_new(device, 100, &a));
    assert_ok(us_buf_new(device, 101, &b));
    assert_ok(us_write(device, a, 0, in, 100));
    assert_ok(us_zero(device, b));
    assert_ok(us_copy(device, a, 10, b, 20, 50));
    assert_ok(us_read(device, b, 0, out, 100));
    assert_int_equal(out[19], 0);
    assert_memory_equal(out + 20, in + 10, 50);
    assert_int_equal(out[70], 0);
    assert_ok(us_read(device, b, 0, out, 0));
    assert_int_equal(us_read(device, a, 1, out, 100), UNSEEN_FAILED);
    assert_int_equal(us_write(device, a, SIZE_MAX, in, 2), UNSEEN_FAILED);
    assert_int_equal(us_copy(device, a, 0, b, 60, 50), UNSEEN_FAILED);
    us_buf_free(device, a);
    us_buf_free(device, b);
}

static void freed_buffers_come_back(void **state)
{
    (void)state;
    struct unseen_device *device = test_device();
    uint64_t before = us_device_memory(device).used;
    struct us_buf *a = NULL, *b = NULL, *empty = NULL;
    assert_ok(us_buf_new(device, 1000000, &a));
    assert_true(us_device_memory(device).used >= before + 1000000);
    assert_true(us_device_memory(device).used <= before + 1125000);
    cl_mem mem = a->mem;
    us_buf_free(device, a);
    assert_int_equal(us_device_memory(device).used, before);
    assert_true(us_device_memory(device).peak >= before + 1000000);
    assert_ok(us_buf_new(device, 990000, &b));
    assert_ptr_equal(b->mem, mem);
    assert_int_equal(b->bytes, 990000);
    us_buf_free(device, b);
    assert_ok(us_buf_new(device, 0, &empty));
    assert_ok(us_zero(device, empty));
    us_buf_free(device, empty);
    us_buf_free(device, NULL);
}

static void windows_share_memory(void **state)
{
    (void)state;
    struct unseen_device *device = test_device();
    size_t align = unseen_device_info(device)->align;
    struct us_buf *whole = NULL, *part = NULL, *inner = NULL, *bad = NULL;
    uint64_t before = us_device_memory(device).used;
    assert_ok(us_buf_new(device, 8 * align, &whole));
    uint64_t with = us_device_memory(device).used;
    assert_ok(us_zero(device, whole));
    assert_ok(us_buf_sub(device, whole, 2 * align, 4 * align, &part));
    assert_ok(us_buf_sub(device, part, align, align, &inner));
    uint32_t mark = 0x12345678, got = 0;
    assert_ok(us_write(device, inner, 4, &mark, sizeof mark));
    assert_ok(us_read(device, whole, 3 * align + 4, &got, sizeof got));
    assert_int_equal(got, mark);
    assert_int_equal(us_buf_sub(device, whole, align / 2, align, &bad), UNSEEN_FAILED);
    assert_int_equal(us_buf_sub(device, part, 0, 5 * align, &bad), UNSEEN_FAILED);
    assert_null(bad);
    assert_int_equal(us_device_memory(device).used, with);
    us_buf_free(device, inner);
    us_buf_free(device, part);
    us_buf_free(device, whole);
    assert_int_equal(us_device_memory(device).used, before);
}

static void lack_of_memory_is_explained(void **state)
{
    (void)state;
    struct unseen_device *device = NULL;
    setenv("UNSEEN_MEMORY_LIMIT", "64", 1);
    assert_ok(unseen_device_open(NULL, &device));
    unsetenv("UNSEEN_MEMORY_LIMIT");
    assert_int_equal(us_device_memory(device).limit, 64 * MIB);
    struct us_buf *a = NULL, *b = NULL;
    assert_ok(us_buf_new(device, 40 * MIB, &a));
    assert_int_equal(us_buf_new(device, 32 * MIB, &b), UNSEEN_FAILED);
    assert_null(b);
    assert_non_null(strstr(unseen_last_error(), "asked for 32.0 MiB with 40.0 MiB in use, of 64.0 MiB"));
    assert_non_null(strstr(unseen_last_hint(), "24.0 MiB would still fit"));
    assert_int_equal(us_buf_new(device, SIZE_MAX - 5, &b), UNSEEN_FAILED);
    us_buf_free(device, a);
    /* The free 40 MiB are in the way of 60 and go. */
    assert_ok(us_buf_new(device, 60 * MIB, &b));
    us_buf_free(device, b);
    unseen_device_close(device);
}

static void limit_leaves_a_reserve(void **state)
{
    (void)state;
    struct us_memory memory = us_device_memory(test_device());
    uint64_t global = unseen_device_info(test_device())->global_bytes;
    assert_true(memory.limit < global && memory.limit >= global / 100 * 94);
}

static void copies_that_do_not_wait_come_in_order(void **state)
{
    (void)state;
    float first[100], second[100], got[100] = {0};
    cl_event mark = NULL;
    struct us_buf *buf = NULL;
    for (int i = 0; i < 100; i++) {
        first[i] = (float)i;
        second[i] = (float)-i;
    }
    assert_ok(us_queue_wait(&mark)); /* nothing to wait for */
    assert_ok(us_buf_new(test_device(), sizeof first, &buf));
    assert_ok(us_write_later(test_device(), buf, 0, first, sizeof first));
    assert_ok(us_write_later(test_device(), buf, sizeof first / 2, second + 50, sizeof first / 2));
    assert_ok(us_read_later(test_device(), buf, 0, got, sizeof got));
    assert_ok(us_queue_mark(test_device(), &mark));
    assert_non_null(mark);
    assert_ok(us_queue_wait(&mark));
    assert_null(mark);
    assert_memory_equal(got, first, sizeof first / 2);
    assert_memory_equal(got + 50, second + 50, sizeof first / 2);
    assert_fails(UNSEEN_FAILED, "do not lie in", us_read_later(test_device(), buf, 4, got, sizeof got));
    us_buf_free(test_device(), buf);
}

static void guards_and_comparisons_work(void **state)
{
    (void)state;
    float *values = test_random(7, 100, -1, 2);
    double wide[100];
    for (int i = 0; i < 100; i++) {
        assert_true(values[i] >= -1 && values[i] < 2);
        wide[i] = values[i];
    }
    struct us_buf *buf = test_buf(100, values);
    test_buf_close("round trip", buf, wide, 100, 0);
    test_close("itself", values, values, 100, 0);
    test_buf_free(buf);
    free(values);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_there_and_back),
        cmocka_unit_test(freed_buffers_come_back),
        cmocka_unit_test(windows_share_memory),
        cmocka_unit_test(lack_of_memory_is_explained),
        cmocka_unit_test(limit_leaves_a_reserve),
        cmocka_unit_test(guards_and_comparisons_work),
        cmocka_unit_test(copies_that_do_not_wait_come_in_order),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
