#include "config.h"

#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "device/state.h"

/* A device that nothing has been tried on yet, and nothing can be: what is known of it is written here. */
static struct unseen_device *described(const char *vendor, unsigned capability, bool cpu_shape)
{
    static struct unseen_device device;
    device = (struct unseen_device){.info = {.type = UNSEEN_DEVICE_GPU, .usable = 1},
                                    .quirks = {.cpu_shape = cpu_shape},
                                    .facts = {.capability = capability},
                                    .bf16 = US_BF16_WORKS,
                                    .tiles = US_BF16_WORKS};
    snprintf(device.info.vendor, sizeof device.info.vendor, "%s", vendor);
    for (int i = 0; i < US_MATRIX_UNITS; i++) {
        for (int p = 0; p < UNSEEN_PRECISIONS; p++)
            device.matrix[i][p].tried = true;
    }
    return &device;
}

/* Every vendor's units and the CPU's instructions beside them, as UNSEEN_SHAPE=cpu shows them on a GPU. */
static void the_list_of_units_has_room(void **state)
{
    (void)state;
    static const char *const vendors[] = {"NVIDIA Corporation", "Advanced Micro Devices, Inc.",
                                          "Intel(R) Corporation", "nobody"};
    static const unsigned capabilities[] = {0, 80, 90, 100, 120};
    const struct unseen_matrix_unit guard = {"guard", 0x5a5a, "untouched"};
    for (size_t v = 0; v < sizeof vendors / sizeof *vendors; v++) {
        for (size_t c = 0; c < sizeof capabilities / sizeof *capabilities; c++) {
            for (int cpu = 0; cpu < 2; cpu++) {
                struct unseen_matrix_unit list[2 * UNSEEN_MATRIX_UNITS];
                for (int i = 0; i < 2 * UNSEEN_MATRIX_UNITS; i++)
                    list[i] = guard;
                const int n = unseen_device_matrix_units(described(vendors[v], capabilities[c], cpu), list);
                assert_in_range(n, 0, UNSEEN_MATRIX_UNITS);
                for (int i = n; i < 2 * UNSEEN_MATRIX_UNITS; i++)
                    assert_ptr_equal(list[i].name, guard.name);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_list_of_units_has_room)};
    return RUN_TESTS(tests, NULL, NULL);
}
