#include "config.h"

#include "support/cmocka.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "device/cache.h"
#include "device/self_test.h"
#include "device/state.h"
#include "support/device.h"
#include "support/folder.h"

static const char source[] = "kernel void put(global float *out) { out[get_global_id(0)] = VALUE; }\n";

static int setup(void **state)
{
    int made = test_folder_make(state);
    setenv("UNSEEN_CL_PATH", test_folder, 1);
    setenv("UNSEEN_CACHE_DIR", test_path("cache"), 1);
    setenv("UNSEEN_KERNEL_CACHE", "1", 1);
    return made || us_write_file(test_path("put.cl"), source, strlen(source)) != UNSEEN_OK;
}

/* The path of the one file in the cache; its bytes in `bytes` (fresh memory). */
static const char *only_file(char **bytes, size_t *size)
{
    char folder[600];
    static char path[1200];
    int n = 0;
    snprintf(folder, sizeof folder, "%s", test_path("cache/programs"));
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (entry->d_name[0] == '.')
            continue;
        n++;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    }
    closedir(listing);
    assert_int_equal(n, 1);
    assert_ok(us_read_file(path, bytes, size));
    return path;
}

/* Open the device anew, run the kernel, check its result; what it took is returned. */
static struct us_builds run_once(void)
{
    struct unseen_device *device = NULL;
    struct us_kernel *kernel = NULL;
    struct us_buf *out = NULL;
    float got[4] = {0};
    assert_ok(unseen_device_open(NULL, &device));
    assert_ok(us_kernel_get(device, "put.cl", "-DVALUE=2.5f", "put", &kernel));
    assert_ok(us_buf_new(device, sizeof got, &out));
    assert_ok(us_run(device, kernel, US_RANGE1(4), "b", out));
    assert_ok(us_read(device, out, 0, got, sizeof got));
    for (int i = 0; i < 4; i++)
        assert_float_equal(got[i], 2.5F, 0);
    us_buf_free(device, out);
    struct us_builds builds = us_device_builds(device);
    unseen_device_close(device);
    return builds;
}

static void assert_compiled(struct us_builds builds)
{
    assert_int_equal(builds.compiled, 1);
    assert_int_equal(builds.loaded, 0);
}

static void assert_loaded(struct us_builds builds)
{
    assert_int_equal(builds.compiled, 0);
    assert_int_equal(builds.loaded, 1);
}

static void second_open_loads(void **state)
{
    (void)state;
    assert_compiled(run_once());
    assert_loaded(run_once());
    setenv("UNSEEN_KERNEL_CACHE", "0", 1);
    assert_compiled(run_once());
    setenv("UNSEEN_KERNEL_CACHE", "1", 1);
}

static void damaged_files_are_rebuilt(void **state)
{
    (void)state;
    char *good = NULL, *now = NULL;
    size_t size = 0, now_size = 0;
    const char *path = only_file(&good, &size);
    const size_t places[] = {0, 20, 100, 170, size / 2, size - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        good[places[i]] ^= 0x10;
        assert_ok(us_write_file(path, good, size));
        good[places[i]] ^= 0x10;
        assert_compiled(run_once());
        assert_loaded(run_once());
    }
    const size_t lengths[] = {0, 10, 146, size - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_ok(us_write_file(path, good, lengths[i]));
        assert_compiled(run_once());
    }
    only_file(&now, &now_size);
    assert_true(now_size > 146);
    free(good);
    free(now);
}

static void a_binary_the_driver_refuses_is_rebuilt(void **state)
{
    (void)state;
    char *old = NULL;
    size_t size = 0;
    const char *path = only_file(&old, &size);
    us_cache_write(strrchr(path, '/') + 1, (const unsigned char *)"not a program at all", 20);
    assert_compiled(run_once());
    assert_loaded(run_once());
    free(old);
}

static void another_driver_is_another_key(void **state)
{
    (void)state;
    struct unseen_device_info info = *unseen_device_info(test_device());
    char key[US_CACHE_KEY], other[US_CACHE_KEY];
    us_cache_key(&info, source, "-DVALUE=2.5f", key);
    us_cache_key(&info, source, "-DVALUE=2.6f", other);
    assert_string_not_equal(key, other);
    us_cache_key(&info, "x", "-DVALUE=2.5f", other);
    assert_string_not_equal(key, other);
    strcat(info.driver, "+1");
    us_cache_key(&info, source, "-DVALUE=2.5f", other);
    assert_string_not_equal(key, other);

    /* A file kept under the new driver's name but made by the old one is not trusted. */
    unsigned char *bytes = NULL;
    size_t size = 0;
    us_cache_write(key, (const unsigned char *)"old", 3);
    assert_true(us_cache_read(key, &bytes, &size));
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "old", 3);
    free(bytes);
    char from[1200], to[1200];
    snprintf(from, sizeof from, "%s/cache/programs/%s", test_folder, key);
    snprintf(to, sizeof to, "%s/cache/programs/%s", test_folder, other);
    assert_int_equal(rename(from, to), 0);
    assert_false(us_cache_read(other, &bytes, &size));
    assert_false(us_cache_read(key, &bytes, &size));
    assert_int_equal(remove(to), 0);
}

static void an_unwritable_cache_only_costs_time(void **state)
{
    (void)state;
    assert_ok(us_write_file(test_path("file"), "x", 1));
    setenv("UNSEEN_CACHE_DIR", test_path("file/below"), 1);
    assert_compiled(run_once());
    assert_compiled(run_once());
    setenv("UNSEEN_CACHE_DIR", test_path("cache"), 1);
}

/* Only what was passed, by this device and driver, with these programs. */
static void passed_self_tests_are_remembered(void **state)
{
    (void)state;
    struct unseen_device *device = NULL;
    const struct us_self_test test = {.file = "put.cl", .options = "-DVALUE=1.0f"},
                              other = {.file = "put.cl", .options = ""},
                              more = {.file = "put.cl", .also = "put.cl", .options = "-DVALUE=1.0f"};
    assert_ok(unseen_device_open(NULL, &device));
    assert_false(us_self_test_passed(device, &test));
    us_self_test_keep(device, &test);
    assert_true(us_self_test_passed(device, &test));
    assert_false(us_self_test_passed(device, &other));
    assert_false(us_self_test_passed(device, &more));
    strcat(device->info.driver, "+1");
    assert_false(us_self_test_passed(device, &test));
    unseen_device_close(device);
    assert_ok(unseen_device_open(NULL, &device));
    assert_true(us_self_test_passed(device, &test));
    setenv("UNSEEN_KERNEL_CACHE", "0", 1);
    assert_false(us_self_test_passed(device, &test));
    setenv("UNSEEN_KERNEL_CACHE", "1", 1);
    assert_ok(us_write_file(test_path("put.cl"), "kernel void put(void) {}\n", 25));
    assert_false(us_self_test_passed(device, &test));
    unseen_device_close(device);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_open_loads),
        cmocka_unit_test(damaged_files_are_rebuilt),
        cmocka_unit_test(a_binary_the_driver_refuses_is_rebuilt),
        cmocka_unit_test(another_driver_is_another_key),
        cmocka_unit_test(an_unwritable_cache_only_costs_time),
        cmocka_unit_test(passed_self_tests_are_remembered),
    };
    return RUN_TESTS(tests, setup, test_folder_remove);
}
