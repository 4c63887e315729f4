#include "config.h"

#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "device/device.h"

#define GIB (1ULL << 30)

static const struct unseen_device_info machine[] = {
    {.index = 0,
     .type = UNSEEN_DEVICE_CPU,
     .platform = "Portable Computing Language",
     .name = "cpu-zen",
     .global_bytes = 64 * GIB,
     .usable = 1},
    {.index = 1,
     .type = UNSEEN_DEVICE_GPU,
     .platform = "NVIDIA CUDA",
     .name = "NVIDIA RTX 2060",
     .global_bytes = 6 * GIB,
     .usable = 1},
    {.index = 2,
     .type = UNSEEN_DEVICE_GPU,
     .platform = "NVIDIA CUDA",
     .name = "NVIDIA RTX 4090",
     .global_bytes = 24 * GIB,
     .usable = 1},
    {.index = 3,
     .type = UNSEEN_DEVICE_GPU,
     .platform = "Clover",
     .name = "Radeon 7900",
     .global_bytes = 48 * GIB,
     .usable = 0,
     .reason = "it is older than OpenCL 1.2"},
};

static int chosen(const struct unseen_device_info *list, int n, const char *selector)
{
    int index = -1;
    const char *why = NULL;
    if (unseen_device_choose(list, n, selector, &index, &why) != UNSEEN_OK)
        return -1;
    assert_non_null(why);
    return index;
}

static void default_is_the_largest_usable_gpu(void **state)
{
    (void)state;
    unsetenv("UNSEEN_DEVICE");
    assert_int_equal(chosen(machine, 4, NULL), 2);
    assert_int_equal(chosen(machine, 4, ""), 2);
    assert_int_equal(chosen(machine, 1, NULL), 0);
    assert_int_equal(chosen(machine + 3, 1, NULL), -1);
    assert_non_null(strstr(unseen_last_error(), "older than OpenCL 1.2"));
}

static void environment_names_the_default(void **state)
{
    (void)state;
    setenv("UNSEEN_DEVICE", "cpu-zen", 1);
    assert_int_equal(chosen(machine, 4, NULL), 0);
    assert_int_equal(chosen(machine, 4, "1"), 1);
    setenv("UNSEEN_DEVICE", "9", 1);
    assert_int_equal(chosen(machine, 4, NULL), -1);
    assert_ptr_equal(strstr(unseen_last_error(), "UNSEEN_DEVICE: "), unseen_last_error());
    unsetenv("UNSEEN_DEVICE");
}

static void by_index_and_name(void **state)
{
    (void)state;
    assert_int_equal(chosen(machine, 4, "1"), 1);
    assert_int_equal(chosen(machine, 4, "rtx 40"), 2);
    assert_int_equal(chosen(machine, 4, "nvidia"), 1);
    assert_int_equal(chosen(machine, 4, "portable"), 0);
    assert_int_equal(chosen(machine, 4, "4090"), -1);
    assert_int_equal(chosen(machine, 4, "cuda nvidia"), 1);
}

static void unknown_lists_what_is_there(void **state)
{
    (void)state;
    int index = 77;
    assert_int_equal(unseen_device_choose(machine, 4, "voodoo", &index, NULL), UNSEEN_NO_DEVICE);
    assert_int_equal(index, 77);
    assert_non_null(strstr(unseen_last_error(), "voodoo"));
    assert_non_null(strstr(unseen_last_hint(), "2 NVIDIA RTX 4090"));
    assert_int_equal(chosen(machine, 4, "99999999999999999999"), -1);
    assert_int_equal(chosen(machine, 4, "-1"), -1);
    assert_int_equal(chosen(machine, 4, "3"), -1);
    assert_non_null(strstr(unseen_last_error(), "older than OpenCL 1.2"));
    assert_int_equal(chosen(machine, 0, NULL), -1);
    assert_non_null(strstr(unseen_last_hint(), "apt-get install pocl-opencl-icd"));
}

static void devices_of_this_machine(void **state)
{
    (void)state;
    struct unseen_device_info *list = NULL;
    int n = -1;
    assert_int_equal(unseen_device_list(&list, &n), UNSEEN_OK);
    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        assert_int_equal(list[i].index, i);
        assert_true(strlen(list[i].name) > 0);
        assert_true(list[i].usable || list[i].reason[0]);
        assert_true(!list[i].usable || (list[i].align > 0 && list[i].global_bytes > 0));
    }
    free(list);
    struct unseen_device *device = NULL;
    assert_int_equal(unseen_device_open("no such device", &device), UNSEEN_NO_DEVICE);
    assert_null(device);
}

static void errors_have_names(void **state)
{
    (void)state;
    assert_string_equal(us_cl_error_name(CL_INVALID_KERNEL_ARGS), "CL_INVALID_KERNEL_ARGS");
    assert_string_equal(us_cl_error_name(-72), "CL_MAX_SIZE_RESTRICTION_EXCEEDED");
    assert_string_equal(us_cl_error_name(-5000), "CL_UNKNOWN_ERROR");
    assert_int_equal(us_cl_fail(CL_DEVICE_NOT_AVAILABLE, "clFinish(queue)", "x.c", 3), UNSEEN_NO_DEVICE);
    assert_int_equal(us_cl_fail(CL_OUT_OF_RESOURCES, "clFinish(\n    queue)", "x.c", 3), UNSEEN_FAILED);
    assert_non_null(strstr(unseen_last_error(), "clFinish( queue) at x.c:3"));
    assert_non_null(strstr(unseen_last_hint(), "--batch"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_is_the_largest_usable_gpu),
        cmocka_unit_test(environment_names_the_default),
        cmocka_unit_test(by_index_and_name),
        cmocka_unit_test(unknown_lists_what_is_there),
        cmocka_unit_test(devices_of_this_machine),
        cmocka_unit_test(errors_have_names),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
