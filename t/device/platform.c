#include "config.h"

#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/state.h"

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
    int indices[UNSEEN_DEVICES_MOST], count = 0;
    const char *why = NULL;
    if (unseen_device_choose(list, n, selector, indices, &count, &why) != UNSEEN_OK)
        return -1;
    assert_non_null(why);
    assert_int_equal(count, 1);
    return indices[0];
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

/* An integrated GPU reports half of the host's memory, here more than the discrete one has. */
static void an_integrated_gpu_comes_after_a_discrete_one(void **state)
{
    (void)state;
    struct unseen_device_info laptop[3] = {machine[0], machine[1], machine[1]};
    unsetenv("UNSEEN_DEVICE");
    laptop[1].global_bytes = 32 * GIB;
    laptop[1].host_memory = 1;
    laptop[2].index = 2;
    assert_int_equal(chosen(laptop, 3, NULL), 2);
    assert_int_equal(chosen(laptop, 2, NULL), 1);
    laptop[2].usable = 0;
    assert_int_equal(chosen(laptop, 3, NULL), 1);
    laptop[1].usable = 0;
    assert_int_equal(chosen(laptop, 3, NULL), 0);
}

static void mark(struct unseen_device_info *list, int n)
{
    struct unseen_device_info *all[8];
    assert_in_range(n, 1, 8);
    for (int i = 0; i < n; i++) {
        list[i].index = i;
        all[i] = &list[i];
    }
    us_devices_mark_same(all, n);
}

static void hardware_of_two_drivers_is_found(void **state)
{
    (void)state;
    /* Two GPUs of one name by one driver and again by a second, a CPU by two. */
    struct unseen_device_info list[6] = {machine[1], machine[1], machine[0],
                                         machine[1], machine[1], machine[0]};
    static const int platforms[] = {0, 0, 1, 2, 2, 3}, by_order[] = {0, 1, 2, 0, 1, 2};
    for (int i = 0; i < 6; i++)
        list[i].platform_index = platforms[i];
    mark(list, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(list[i].same_as, by_order[i]);
        assert_int_equal(list[i].repeated, i > 2);
    }
    /* Drivers that tell the place are believed, whatever names and order say. */
    static const char *const places[] = {"pci 0000:01:00.0", "pci 0000:02:00.0", "",
                                         "pci 0000:02:00.0", "pci 0000:03:00.0", ""};
    static const int by_place[] = {0, 1, 2, 1, 4, 2};
    for (int i = 0; i < 6; i++)
        snprintf(list[i].hardware, sizeof list[i].hardware, "%s", places[i]);
    snprintf(list[3].name, sizeof list[3].name, "radeonsi");
    mark(list, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(list[i].same_as, by_place[i]);
    mark(list, 1);
    assert_int_equal(list[0].repeated, 0);
}

static void hardware_of_two_drivers_is_used_once(void **state)
{
    (void)state;
    int indices[UNSEEN_DEVICES_MOST], count;
    struct unseen_device_info list[3] = {machine[1], machine[1], machine[1]};
    list[2].platform_index = 1;
    mark(list, 3);
    assert_int_equal(list[2].same_as, 0);
    assert_ok(unseen_device_choose(list, 3, "0,2,1,2", indices, &count, NULL));
    assert_int_equal(count, 2);
    assert_int_equal(indices[0], 0);
    assert_int_equal(indices[1], 1);
    assert_int_equal(chosen(list, 3, "2"), 2);
    assert_int_equal(chosen(list, 3, NULL), 0);
    list[0].usable = list[1].usable = 0;
    assert_int_equal(chosen(list, 3, NULL), 2);
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
    int indices[UNSEEN_DEVICES_MOST] = {77}, count = 55;
    assert_int_equal(unseen_device_choose(machine, 4, "voodoo", indices, &count, NULL), UNSEEN_NO_DEVICE);
    assert_int_equal(indices[0], 77);
    assert_int_equal(count, 55);
    assert_non_null(strstr(unseen_last_error(), "voodoo"));
    assert_non_null(strstr(unseen_last_hint(), "2 NVIDIA RTX 4090"));
    assert_int_equal(chosen(machine, 4, "99999999999999999999"), -1);
    assert_int_equal(chosen(machine, 4, "-1"), -1);
    assert_int_equal(chosen(machine, 4, "3"), -1);
    assert_non_null(strstr(unseen_last_error(), "older than OpenCL 1.2"));
    assert_int_equal(chosen(machine, 0, NULL), -1);
    assert_non_null(strstr(unseen_last_hint(), "apt-get install pocl-opencl-icd"));
}

static void several_are_separated_by_commas(void **state)
{
    (void)state;
    struct unseen_device_info twins[3] = {machine[0], machine[1], machine[1]};
    twins[2].index = 2;
    int indices[UNSEEN_DEVICES_MOST], count;
    assert_ok(unseen_device_choose(twins, 3, "2,1", indices, &count, NULL));
    assert_int_equal(count, 2);
    assert_int_equal(indices[0], 2);
    assert_int_equal(indices[1], 1);
    setenv("UNSEEN_DEVICE", "rtx,2,1", 1);
    assert_ok(unseen_device_choose(twins, 3, NULL, indices, &count, NULL));
    unsetenv("UNSEEN_DEVICE");
    assert_int_equal(count, 3);
    assert_int_equal(indices[0], 1);
    /* The same one twice is as good as two of a kind. */
    assert_ok(unseen_device_choose(twins, 3, "0,0", indices, &count, NULL));
    assert_int_equal(count, 2);
    const char *missing[] = {"1,7", "1,", ",1", ",", "1,voodoo"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        assert_int_equal(unseen_device_choose(twins, 3, missing[i], indices, &count, NULL), UNSEEN_NO_DEVICE);
    assert_non_null(strstr(unseen_last_error(), "voodoo"));
    assert_fails(UNSEEN_USAGE, "are not of one kind",
                 unseen_device_choose(twins, 3, "1,0", indices, &count, NULL));
    twins[2].driver[0] = 'x';
    assert_fails(UNSEEN_USAGE, "devices 1 (NVIDIA RTX 2060) and 2",
                 unseen_device_choose(twins, 3, "1,2", indices, &count, NULL));
    assert_fails(UNSEEN_USAGE, "more than 16",
                 unseen_device_choose(twins, 3, "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0", indices, &count, NULL));
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
        cmocka_unit_test(an_integrated_gpu_comes_after_a_discrete_one),
        cmocka_unit_test(hardware_of_two_drivers_is_found),
        cmocka_unit_test(hardware_of_two_drivers_is_used_once),
        cmocka_unit_test(environment_names_the_default),
        cmocka_unit_test(by_index_and_name),
        cmocka_unit_test(unknown_lists_what_is_there),
        cmocka_unit_test(several_are_separated_by_commas),
        cmocka_unit_test(devices_of_this_machine),
        cmocka_unit_test(errors_have_names),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
