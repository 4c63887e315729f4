#include "config.h"

#include "support/cmocka.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "device/source.h"
#include "support/device.h"
#include "support/folder.h"

static const char header[] = "#ifndef TWICE\n"
                             "#define TWICE(x) (2 * (x))\n"
                             "#endif\n"
                             "int only_once(int x) { return x; }\n";

static const char kernels[] =
    "#include \"test_device.clh\"\n"
    "  #  include \"test_device.clh\"\n"
    "#ifndef STEP\n"
    "#define STEP 1\n"
    "#endif\n"
    "kernel void fill(global float *out, int i, uint u, long l, float f, global const float *none)\n"
    "{\n"
    "    size_t g = get_global_id(0);\n"
    "    out[g] = (float)only_once(i) + (float)TWICE(u) + (float)(l >> 32) + f + (none ? 1000.0f : 0.0f) + "
    "STEP;\n"
    "}\n"
    "kernel void cpu(global int *out) { out[get_global_id(0) + get_global_id(1)] = US_CPU; }\n";

static void write_text(const char *name, const char *text)
{
    assert_ok(us_write_file(test_path(name), text, strlen(text)));
}

static int setup(void **state)
{
    if (test_folder_make(state) != 0)
        return -1;
    setenv("UNSEEN_CL_PATH", test_folder, 1);
    setenv("UNSEEN_CACHE_DIR", test_folder, 1);
    write_text("test_device.clh", header);
    write_text("test_device.cl", kernels);
    write_text("broken.cl", "kernel void broken(global int *x)\n{\n    x[0] = undeclared_name;\n}\n");
    return 0;
}

static void argument_types(void **state)
{
    (void)state;
    struct unseen_device *device = test_device();
    struct us_kernel *kernel = NULL, *again = NULL;
    assert_ok(us_kernel_get(device, "test_device.cl", "-DSTEP=4", "fill", &kernel));
    assert_ok(us_kernel_get(device, "test_device.cl", "-DSTEP=4", "fill", &again));
    assert_ptr_equal(kernel, again);
    struct us_buf *out = test_buf(6, NULL);
    double want[6];
    for (int i = 0; i < 6; i++)
        want[i] = -3 + 2 * 5 + 7 + 0.25 + 4;
    assert_ok(us_run(device, kernel, US_RANGE1(6), "biulfb", out, -3, 5U, (int64_t)7 << 32, 0.25, NULL));
    test_buf_close("fill", out, want, 6, 0);
    for (int i = 0; i < 6; i++)
        want[i] += 1000;
    assert_ok(us_run(device, kernel, US_RANGE1L(6, 2), "biulfb", out, -3, 5U, (int64_t)7 << 32, 0.25, out));
    test_buf_close("fill", out, want, 6, 0);
    assert_ok(us_run(device, kernel, US_RANGE1(0), "biulfb", out, 0, 0U, (int64_t)0, 0.0, NULL));
    test_buf_close("nothing ran", out, want, 6, 0);
    test_buf_free(out);
}

static void bad_launches_are_refused(void **state)
{
    (void)state;
    struct unseen_device *device = test_device();
    struct us_kernel *kernel = NULL;
    assert_ok(us_kernel_get(device, "test_device.cl", "", "cpu", &kernel));
    struct us_buf *out = test_buf_int(8, NULL);
    assert_int_equal(us_run(device, kernel, US_RANGE1(1), "bi", out, 1), UNSEEN_FAILED);
    assert_non_null(strstr(unseen_last_error(), "takes 1 arguments"));
    assert_int_equal(us_run(device, kernel, US_RANGE1(1), "i", 1), UNSEEN_FAILED);
    assert_int_equal(us_run(device, kernel, US_RANGE1L(7, 2), "b", out), UNSEEN_FAILED);
    assert_non_null(strstr(unseen_last_error(), "cpu over 7x1x1 in groups of 2x1x1"));
    assert_ok(us_run(device, kernel, US_RANGE2L(4, 4, 2, 2), "b", out));
    int32_t got[8];
    assert_ok(us_read(device, out, 0, got, 7 * sizeof *got));
    for (int i = 0; i < 7; i++)
        assert_int_equal(got[i], us_device_is_cpu(device));
    test_buf_free(out);
}

static void build_errors_show_the_log(void **state)
{
    (void)state;
    struct us_kernel *kernel = NULL;
    struct unseen_device *device = test_device();
    assert_int_equal(us_kernel_get(device, "broken.cl", "-DX=1", "broken", &kernel), UNSEEN_FAILED);
    assert_non_null(strstr(unseen_last_error(), "broken.cl"));
    assert_non_null(strstr(unseen_last_error(), "undeclared_name"));
    assert_non_null(strstr(unseen_last_error(), "-DX=1"));
    assert_int_equal(us_kernel_get(device, "test_device.cl", "", "absent", &kernel), UNSEEN_FAILED);
    assert_non_null(strstr(unseen_last_error(), "absent"));
    assert_int_equal(us_kernel_get(device, "absent.cl", "", "fill", &kernel), UNSEEN_FAILED);
    assert_non_null(strstr(unseen_last_error(), "absent.cl"));
    assert_null(kernel);
}

/* A driver's compiler may fail because of the interrupt, and before the program has seen it. */
static void an_interrupt_is_no_build_error(void **state)
{
    (void)state;
    struct us_kernel *kernel = NULL;
    unseen_interrupt();
    assert_fails(UNSEEN_INTERRUPTED, "broken.cl: interrupted",
                 us_kernel_get(test_device(), "broken.cl", "-DX=2", "broken", &kernel));
    unseen_interrupt_clear();
    assert_int_equal(us_kernel_get(test_device(), "broken.cl", "-DX=2", "broken", &kernel), UNSEEN_FAILED);
}

static void on_signal(int number)
{
    (void)number;
}

static const int watched[] = {SIGUSR1, SIGUSR2, SIGTERM};
enum { WATCHED = sizeof watched / sizeof *watched };

/* LLVM inside a driver puts handlers of its own in place of those that main has set before the first device.
 */
static void drivers_keep_the_handlers_of_the_program(void **state)
{
    (void)state;
    struct us_kernel *kernel = NULL;
    assert_ok(us_kernel_get(test_device(), "test_device.cl", "-DSTEP=77", "fill", &kernel));
    for (int i = 0; i < WATCHED; i++)
        assert_ptr_equal(signal(watched[i], SIG_DFL), on_signal);
}

static void a_full_cache_is_told_from_bad_source(void **state)
{
    (void)state;
    struct us_kernel *kernel = NULL;
    const char *usual = getenv("POCL_CACHE_DIR");
    char *kept = usual ? strdup(usual) : NULL;
    if (!strstr(unseen_device_info(test_device())->platform, "Portable Computing Language"))
        skip();
    setenv("POCL_CACHE_DIR", test_path("broken.cl"), 1);
    assert_fails(UNSEEN_FAILED, "PoCL cannot write its cache: ",
                 us_kernel_get(test_device(), "broken.cl", "-DX=3", "broken", &kernel));
    assert_non_null(strstr(unseen_last_hint(), "POCL_CACHE_DIR"));
    unsetenv("POCL_CACHE_DIR");
    if (kept)
        setenv("POCL_CACHE_DIR", kept, 1);
    free(kept);
}

static void gathered_programs_are_built_together(void **state)
{
    (void)state;
    enum { N = 12 };
    struct unseen_device *device = NULL;
    struct us_kernel *kernel[N], *other;
    char options[32];
    assert_ok(unseen_device_open(NULL, &device));
    struct us_buf *out = NULL;
    assert_ok(us_buf_new(device, 16, &out));
    us_builds_begin(device);
    us_builds_begin(device);
    for (int i = 0; i < N; i++) {
        snprintf(options, sizeof options, "-DSTEP=%d", 100 + i / 2);
        assert_ok(us_kernel_get(device, "test_device.cl", options, i % 2 ? "cpu" : "fill", &kernel[i]));
    }
    assert_ok(us_builds_end(device, UNSEEN_OK));
    assert_int_equal(us_run(device, kernel[1], US_RANGE1(4), "b", out), UNSEEN_FAILED);
    assert_ok(us_builds_end(device, UNSEEN_OK));
    assert_int_equal(us_device_builds(device).compiled + us_device_builds(device).loaded, N / 2);
    for (int i = 0; i < N; i += 2) {
        float got = 0;
        assert_ok(us_run(device, kernel[i], US_RANGE1(4), "biulfb", out, 0, 0U, (int64_t)0, 0.0, NULL));
        assert_ok(us_read(device, out, 0, &got, sizeof got));
        assert_true(got == (float)(100 + i / 2));
    }
    assert_ok(us_kernel_get(device, "test_device.cl", "-DSTEP=100", "fill", &other));
    assert_ptr_equal(other, kernel[0]);

    /* The first that was asked for is the one that is told of, wherever it was built. */
    us_builds_begin(device);
    assert_ok(us_kernel_get(device, "test_device.cl", "-DSTEP=200", "cpu", &other));
    assert_ok(us_kernel_get(device, "broken.cl", "-DX=first", "broken", &other));
    assert_ok(us_kernel_get(device, "broken.cl", "-DX=second", "broken", &other));
    assert_int_equal(us_builds_end(device, UNSEEN_OK), UNSEEN_FAILED);
    assert_non_null(strstr(unseen_last_error(), "-DX=first"));
    assert_non_null(strstr(unseen_last_error(), "undeclared_name"));
    assert_true(strlen(unseen_last_hint()) > 0);
    us_builds_begin(device);
    assert_ok(us_kernel_get(device, "broken.cl", "", "broken", &other));
    assert_int_equal(us_builds_end(device, UNSEEN_BAD_DATA), UNSEEN_BAD_DATA);
    assert_ok(us_kernel_get(device, "test_device.cl", "-DSTEP=200", "cpu", &other));
    assert_ok(us_run(device, other, US_RANGE1(4), "b", out));
    us_buf_free(device, out);
    unseen_device_close(device);
}

static void includes_are_put_in_once(void **state)
{
    (void)state;
    char *text = NULL;
    assert_ok(us_source_load("test_device.cl", &text));
    const char *first = strstr(text, "only_once(int x)");
    assert_non_null(first);
    assert_null(strstr(first + 1, "only_once(int x)"));
    assert_null(strstr(text, "include"));
    assert_non_null(strstr(text, "#line 3 \"test_device.cl\"\n#ifndef STEP"));
    free(text);
}

/* The first #include may stand where the compiler skips it, the second where it does not. */
static void skipped_includes_do_not_count(void **state)
{
    (void)state;
    static const char text[] = "#ifdef NEVER\n#include \"test_device.clh\"\n#endif\n"
                               "#ifdef TWO\n#include \"test_device.clh\"\n#endif\n"
                               "#include \"test_device.clh\"\n#include \"test_device.clh\"\n"
                               "kernel void take(global int *out) { out[0] = only_once(7); }\n";
    struct us_kernel *kernel = NULL;
    write_text("conditional.cl", text);
    const char *const options[] = {"", "-DTWO", "-DNEVER", "-DNEVER -DTWO"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        assert_ok(us_kernel_get(test_device(), "conditional.cl", options[i], "take", &kernel));
}

static void embedded_sources_are_there(void **state)
{
    (void)state;
    for (const struct us_source *source = us_sources; source->name; source++) {
        char *text = NULL;
        assert_ok(us_source_load(source->name, &text));
        assert_true(strlen(text) >= strlen(source->text) / 2);
        free(text);
    }
}

static void profile_counts_calls(void **state)
{
    (void)state;
    struct unseen_device *device = NULL;
    struct us_kernel *kernel = NULL;
    struct us_buf *out = NULL;
    setenv("UNSEEN_PROFILE", "1", 1);
    assert_ok(unseen_device_open(NULL, &device));
    unsetenv("UNSEEN_PROFILE");
    assert_true(us_profile_on(device));
    assert_false(us_profile_on(test_device()));
    assert_ok(us_kernel_get(device, "test_device.cl", "", "cpu", &kernel));
    assert_ok(us_buf_new(device, 256, &out));
    for (int i = 0; i < 3000; i++)
        assert_ok(us_run(device, kernel, US_RANGE1(8), "b", out));
    us_buf_free(device, out);

    char text[4096] = "";
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    FILE *file = freopen(test_path("profile"), "w+", stderr);
    assert_non_null(file);
    unseen_device_close(device);
    rewind(stderr);
    size_t n = fread(text, 1, sizeof text - 1, stderr);
    text[n] = '\0';
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_non_null(strstr(text, "cpu "));
    assert_non_null(strstr(text, " 3000 "));
    assert_non_null(strstr(text, "100.0%"));
}

int main(void)
{
    for (int i = 0; i < WATCHED; i++)
        signal(watched[i], on_signal);
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drivers_keep_the_handlers_of_the_program),
        cmocka_unit_test(argument_types),
        cmocka_unit_test(bad_launches_are_refused),
        cmocka_unit_test(build_errors_show_the_log),
        cmocka_unit_test(an_interrupt_is_no_build_error),
        cmocka_unit_test(a_full_cache_is_told_from_bad_source),
        cmocka_unit_test(gathered_programs_are_built_together),
        cmocka_unit_test(includes_are_put_in_once),
        cmocka_unit_test(skipped_includes_do_not_count),
        cmocka_unit_test(embedded_sources_are_there),
        cmocka_unit_test(profile_counts_calls),
    };
    return RUN_TESTS(tests, setup, test_folder_remove);
}
