#include "config.h"

#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "support/folder.h"

static void no_device_at_all(void **state)
{
    (void)state;
    struct unseen_device_info *list = NULL;
    struct unseen_device *device = NULL;
    int n = -1;
    assert_ok(unseen_device_list(&list, &n));
    assert_int_equal(n, 0);
    free(list);
    const char *selectors[] = {NULL, "0", "pocl"};
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        assert_fails(UNSEEN_NO_DEVICE, "no OpenCL device", unseen_device_open(selectors[i], &device));
        assert_non_null(strstr(unseen_last_hint(), "apt-get install pocl-opencl-icd"));
        assert_null(device);
    }
}

/* The loader reads the variables once, at its first call. */
static int setup(void **state)
{
    if (test_folder_make(state) != 0)
        return -1;
    setenv("OCL_ICD_VENDORS", test_folder, 1);
    unsetenv("OCL_ICD_FILENAMES");
    unsetenv("UNSEEN_DEVICE");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_device_at_all)};
    return RUN_TESTS(tests, setup, test_folder_remove);
}
