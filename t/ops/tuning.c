#include "config.h"

#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/atomic.h"
#include "base/json.h"
#include "base/threads.h"
#include "device/tuning.h"
#include "ops/conv/conv.h"
#include "support/device.h"
#include "support/folder.h"

static const struct us_conv_shape shape = {
    .n = 20, .h = 8, .w = 8, .cin = 16, .cout = 32, .kernel = 3, .stride = 1, .pad = 1};

static int setup(void **state)
{
    int made = test_folder_make(state);
    setenv("UNSEEN_CACHE_DIR", test_path("cache"), 1);
    setenv("UNSEEN_TUNING", "1", 1);
    unsetenv("UNSEEN_CONV");
    return made;
}

static struct unseen_device *open_device(void)
{
    struct unseen_device *device = NULL;
    assert_ok(unseen_device_open(NULL, &device));
    return device;
}

/* Open anew, build the convolution, and tell what its forward pass uses; static. */
static const char *chosen(const char *wish, enum us_conv_why *why)
{
    static char name[US_CONV_NAME];
    const char *const wishes[] = {wish, wish, wish};
    struct unseen_device *device = open_device();
    struct us_conv *conv = NULL;
    assert_ok(us_conv_new(device, &shape, wishes, &conv));
    snprintf(name, sizeof name, "%s", us_conv_algorithm_name(conv, US_CONV_FORWARD));
    *why = us_conv_why(conv, US_CONV_FORWARD);
    us_conv_free(conv);
    unseen_device_close(device);
    return name;
}

static void assert_chosen(const char *wish, const char *name, enum us_conv_why why)
{
    enum us_conv_why got;
    assert_string_equal(chosen(wish, &got), name);
    assert_string_equal(us_conv_why_name(got), us_conv_why_name(why));
}

/* What an untuned device takes, and another one. */
static const char *untuned(enum us_conv_why *why)
{
    setenv("UNSEEN_TUNING", "0", 1);
    static char name[US_CONV_NAME];
    snprintf(name, sizeof name, "%s", chosen(NULL, why));
    setenv("UNSEEN_TUNING", "1", 1);
    return name;
}

static const char *other_than(const char *name)
{
    return strcmp(name, "im2col") == 0 ? "direct" : "im2col";
}

/* Store `winner` for the shape's forward pass. */
static void store(const char *winner)
{
    struct unseen_device *device = open_device();
    char key[US_CONV_KEY];
    us_conv_key(&shape, US_CONV_FORWARD, key);
    assert_ok(us_tuning_keep(device, key,
                             &(struct us_tuned){.winner = winner,
                                                .runner_up = "slow",
                                                .milliseconds = 1.5,
                                                .runner_up_milliseconds = 2.5,
                                                .gflops = 100.25}));
    assert_ok(us_tuning_save(device));
    unseen_device_close(device);
}

static char *file_of_device(void)
{
    struct unseen_device *device = open_device();
    char *path = us_tuning_path(device);
    assert_non_null(path);
    unseen_device_close(device);
    return path;
}

static void entries_come_back(void **state)
{
    (void)state;
    struct us_tuned got;
    store("im2col");
    struct unseen_device *device = open_device();
    assert_ok(us_tuning_keep(device, "another", &(struct us_tuned){.winner = "only", .milliseconds = 3}));
    assert_ok(us_tuning_save(device));
    unseen_device_close(device);
    device = open_device();
    assert_true(us_tuning_find(device, "conv forward n32 8x8x16 to 32 k3 s1 p1", &got));
    assert_string_equal(got.winner, "im2col");
    assert_string_equal(got.runner_up, "slow");
    assert_true(got.milliseconds == 1.5 && got.runner_up_milliseconds == 2.5 && got.gflops == 100.25);
    assert_true(us_tuning_find(device, "another", &got));
    assert_string_equal(got.winner, "only");
    assert_null(got.runner_up);
    assert_false(us_tuning_find(device, "conv data n32 8x8x16 to 32 k3 s1 p1", &got));
    setenv("UNSEEN_TUNING", "0", 1);
    assert_false(us_tuning_find(device, "another", &got));
    setenv("UNSEEN_TUNING", "1", 1);
    unseen_device_close(device);
}

static void two_writers_keep_both(void **state)
{
    (void)state;
    struct us_tuned got;
    struct unseen_device *one = open_device(), *two = open_device();
    assert_false(us_tuning_find(one, "first", &got));
    assert_false(us_tuning_find(two, "second", &got));
    assert_ok(us_tuning_keep(one, "first", &(struct us_tuned){.winner = "a"}));
    assert_ok(us_tuning_keep(two, "second", &(struct us_tuned){.winner = "b"}));
    assert_ok(us_tuning_save(one));
    assert_ok(us_tuning_save(two));
    unseen_device_close(one);
    unseen_device_close(two);
    one = open_device();
    assert_true(us_tuning_find(one, "first", &got));
    assert_true(us_tuning_find(one, "second", &got));
    unseen_device_close(one);
}

enum { KEYS = 12 };

static void save_one_after_another(void *context, int number)
{
    struct unseen_device **devices = context;
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        snprintf(key, sizeof key, "of %d, %d", number, i);
        if (us_tuning_keep(devices[number], key,
                           &(struct us_tuned){.winner = "direct", .milliseconds = 1.0}) ||
            us_tuning_save(devices[number]))
            return; /* the missing key tells */
    }
}

static void writers_at_once_keep_all(void **state)
{
    (void)state;
    enum { WRITERS = 3 };
    struct unseen_device *devices[WRITERS], *device;
    struct us_tuned tuned;
    for (int i = 0; i < WRITERS; i++)
        devices[i] = open_device();
    us_threads_run(WRITERS, save_one_after_another, devices);
    for (int i = 0; i < WRITERS; i++)
        unseen_device_close(devices[i]);
    device = open_device();
    for (int i = 0; i < WRITERS * KEYS; i++) {
        char key[32];
        snprintf(key, sizeof key, "of %d, %d", i / KEYS, i % KEYS);
        assert_true(us_tuning_find(device, key, &tuned));
    }
    unseen_device_close(device);
}

static void wish_then_environment_then_measurement(void **state)
{
    (void)state;
    enum us_conv_why why;
    const char *known = untuned(&why), *other = other_than(known);
    store(other);
    assert_chosen(NULL, other, US_CONV_TUNED);
    setenv("UNSEEN_CONV", known, 1);
    assert_chosen(NULL, known, US_CONV_FORCED);
    assert_chosen(other, other, US_CONV_WISHED);
    unsetenv("UNSEEN_CONV");
    store("of another version");
    assert_chosen(NULL, known, why);
}

/* Values that the device cannot take, say for other channels, count as no entry. */
static void tunables_are_kept_with_the_winner(void **state)
{
    (void)state;
    enum us_conv_why why;
    setenv("UNSEEN_SHAPE", "gpu", 1);
    const char *known = untuned(&why);
    store("tiled:16x16x16/2x2");
    assert_chosen(NULL, "tiled:16x16x16/2x2", US_CONV_TUNED);
    store("tiled:16x16x16/3x3");
    assert_chosen(NULL, known, why);
    unsetenv("UNSEEN_SHAPE");
    store("tiled:16x16x16/2x2"); /* not for kernels in the shape of CPUs */
    assert_int_not_equal(strncmp(chosen(NULL, &why), "tiled", 5), 0);
}

static void untrusted_files_are_ignored(void **state)
{
    (void)state;
    enum us_conv_why why;
    const char *known = untuned(&why), *other = other_than(known);
    char *path = file_of_device(), *text = NULL;
    size_t size = 0;
    store(other);
    assert_ok(us_read_file(path, &text, &size));
    for (size_t cut = 0; cut < size; cut += size / 7) {
        assert_ok(us_write_file(path, text, cut));
        assert_chosen(NULL, known, why);
    }
    const char *const bad[] = {
        "[]", "{}", "{\"format\": 1}", "{\"format\": \"unseen-tuning-0\", \"entries\": {}}",
        "{\"format\": \"unseen-tuning-1\", \"device\": {\"name\": \"another\"}, \"entries\": {}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_ok(us_write_file(path, bad[i], strlen(bad[i])));
        assert_chosen(NULL, known, why);
    }
    store(other);
    assert_chosen(NULL, other, US_CONV_TUNED);
    free(text);
    free(path);
}

/* A whole file, but with another driver in it, and one with an entry that makes no sense. */
static void files_of_other_devices_are_ignored(void **state)
{
    (void)state;
    enum us_conv_why why;
    const char *known = untuned(&why), *other = other_than(known);
    char *path = file_of_device();
    json_t *root = NULL;
    store(other);
    assert_ok(us_json_load(path, &root));
    json_object_set_new(json_object_get(root, "device"), "driver", json_string("older"));
    assert_ok(us_json_save(path, root));
    assert_chosen(NULL, known, why);
    json_decref(root);
    assert_int_equal(remove(path), 0);
    store(other);
    assert_ok(us_json_load(path, &root));
    json_object_set_new(json_object_get(root, "entries"), "odd", json_integer(3));
    assert_ok(us_json_save(path, root));
    assert_chosen(NULL, known, why);
    json_decref(root);
    free(path);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_back),
        cmocka_unit_test(two_writers_keep_both),
        cmocka_unit_test(writers_at_once_keep_all),
        cmocka_unit_test(wish_then_environment_then_measurement),
        cmocka_unit_test(tunables_are_kept_with_the_winner),
        cmocka_unit_test(untrusted_files_are_ignored),
        cmocka_unit_test(files_of_other_devices_are_ignored),
    };
    return RUN_TESTS(tests, setup, test_folder_remove);
}
