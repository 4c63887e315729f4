#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/rng.h"
#include "device/source.h"
#include "support/cmocka.h"
#include "support/device.h"
#include "support/folder.h"

enum { ITEMS = 256 };

static const char draws[] =
    "#include \"common.clh\"\n"
    "kernel void draws(global uint *words, global float *uniforms, uint key_lo, uint key_hi, uint stream,\n"
    "                  uint epoch, uint item_hi)\n"
    "{\n"
    "    const uint g = (uint)get_global_id(0);\n"
    "    const uint4 w = us_philox((uint2)(key_lo, key_hi), stream, epoch, g * 2654435761u, item_hi);\n"
    "    vstore4(w, g, words);\n"
    "    uniforms[g] = us_uniform(w.x);\n"
    "}\n";

/* Beside the embedded common.clh, so that the kernel above is found with what it includes. */
static int setup(void **state)
{
    char *text;
    if (us_source_load("common.clh", &text) != UNSEEN_OK)
        return -1;
    if (test_folder_make(state) != 0)
        return -1;
    setenv("UNSEEN_CL_PATH", test_folder, 1);
    setenv("UNSEEN_CACHE_DIR", test_folder, 1);
    bool written = us_write_file(test_path("common.clh"), text, strlen(text)) == UNSEEN_OK &&
                   us_write_file(test_path("draws.cl"), draws, strlen(draws)) == UNSEEN_OK;
    free(text);
    return written ? 0 : -1;
}

static void device_and_host_draw_the_same(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        uint32_t stream, epoch, item_hi;
    } cases[] = {
        {0, 0, 0, 0},
        {0x299f31d0a4093822, 0x03707344, 0x13198a2e, 0x85a308d3},
        {UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
    };
    struct unseen_device *device = test_device();
    struct us_kernel *kernel;
    assert_ok(us_kernel_get(device, "draws.cl", "", "draws", &kernel));
    struct us_buf *words = test_buf_int(4 * ITEMS, NULL), *uniforms = test_buf(ITEMS, NULL);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        uint32_t got[4 * ITEMS];
        float floats[ITEMS];
        assert_ok(us_run(device, kernel, US_RANGE1(ITEMS), "bbuuuuu", words, uniforms,
                         (uint32_t)cases[c].seed, (uint32_t)(cases[c].seed >> 32), cases[c].stream,
                         cases[c].epoch, cases[c].item_hi));
        assert_ok(us_read(device, words, 0, got, sizeof got));
        assert_ok(us_read(device, uniforms, 0, floats, sizeof floats));
        for (uint32_t i = 0; i < ITEMS; i++) {
            uint32_t want[4];
            uint64_t item = (uint64_t)cases[c].item_hi << 32 | (uint32_t)(i * 2654435761u);
            us_philox(cases[c].seed, cases[c].stream, cases[c].epoch, item, want);
            assert_memory_equal(got + 4 * i, want, sizeof want);
            assert_true(floats[i] == us_uniform(want[0]));
        }
    }
    test_buf_free(words);
    test_buf_free(uniforms);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {cmocka_unit_test(device_and_host_draw_the_same)};
    return RUN_TESTS(tests, setup, test_folder_remove);
}
