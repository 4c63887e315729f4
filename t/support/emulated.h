/* Other devices' matrix units on any device: the rows of src/device/matrix.c with the instructions that
 * t/support/emulated/ has in their place. */
#ifndef US_T_SUPPORT_EMULATED_H
#define US_T_SUPPORT_EMULATED_H

#include <stdlib.h>

#include "device/matrix.h"
#include "support/cmocka.h"

enum { TEST_F16 = 1 << UNSEEN_F16, TEST_BF16 = 1 << UNSEEN_BF16, TEST_TF32 = 1 << UNSEEN_TF32 };

static const struct us_matrix_unit test_emulated[] = {
    {.name = "nvidia-async-emulated",
     .precisions = TEST_F16 | TEST_BF16 | TEST_TF32,
     .options = "-DMMA_NVIDIA -DMMA_ASYNC -DMMA_EMULATED",
     .lanes = 32,
     .large = {32, 32, 1, 2},
     .small = {32, 32, 1, 2},
     .by_name = true,
     .step = 16},
    {.name = "nvidia-emulated",
     .precisions = TEST_F16 | TEST_BF16 | TEST_TF32,
     .options = "-DMMA_NVIDIA -DMMA_EMULATED",
     .lanes = 32,
     .large = {32, 32, 1, 2},
     .small = {32, 32, 1, 2},
     .by_name = true,
     .step = 16},
    {.name = "amd-mfma-emulated",
     .precisions = TEST_F16 | TEST_BF16,
     .options = "-DMMA_MFMA -DMMA_EMULATED",
     .lanes = 64,
     .large = {32, 32, 1, 1},
     .small = {32, 32, 1, 1},
     .by_name = true,
     .step = 16},
    {.name = "amd-wmma-emulated",
     .precisions = TEST_F16 | TEST_BF16,
     .options = "-DMMA_WMMA -DMMA_EMULATED",
     .lanes = 32,
     .large = {32, 32, 1, 2},
     .small = {32, 32, 1, 2},
     .by_name = true,
     .step = 16},
    {.name = "intel-16-emulated",
     .precisions = TEST_F16 | TEST_BF16 | TEST_TF32,
     .options = "-DMMA_INTEL=16 -DMMA_EMULATED",
     .lanes = 16,
     .large = {32, 32, 1, 2},
     .small = {32, 32, 1, 2},
     .by_name = true,
     .step = 16},
    {.name = "intel-8-emulated",
     .precisions = TEST_F16 | TEST_BF16,
     .options = "-DMMA_INTEL=8 -DMMA_EMULATED",
     .lanes = 8,
     .large = {32, 32, 2, 2},
     .small = {32, 32, 2, 2},
     .by_name = true,
     .step = 16},
};

/* Make them known, to be taken by name. */
static inline void test_add_emulated(void)
{
    assert_true(us_matrix_add(test_emulated, sizeof test_emulated / sizeof *test_emulated));
}

/* Begin and end to use a unit, emulated or not. */
static inline void test_take_unit(const struct us_matrix_unit *unit)
{
    assert_int_equal(setenv("UNSEEN_MATRIX", unit->name, 1), 0);
    if (unit->by_name)
        assert_int_equal(setenv("UNSEEN_CL_PATH", TEST_SOURCES "/support/emulated", 1), 0);
}

static inline void test_leave_unit(void)
{
    unsetenv("UNSEEN_MATRIX");
    unsetenv("UNSEEN_CL_PATH");
}

#endif
