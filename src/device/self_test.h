/* Self-tests of what a device can do: those passed are remembered beside the built kernels (device/cache.h),
 * so that a device is tried once and not at every start. Failures are not: what they came from may be gone.
 */
#ifndef US_DEVICE_SELF_TEST_H
#define US_DEVICE_SELF_TEST_H

#include "device/device.h"

/* What decides it, with the device and its driver: the sources of its programs, how they are built. */
struct us_self_test {
    const char *file, *also; /* in cl/; also: may be NULL */
    const char *options;
};

/* False where nothing is known. */
bool us_self_test_passed(const struct unseen_device *device, const struct us_self_test *test);

/* To be called once it has passed. A note that cannot be written costs another test and nothing else. */
void us_self_test_keep(const struct unseen_device *device, const struct us_self_test *test);

/* The i-th of the numbers that matrix products are tried on: whole, -8 to 8, so that every precision holds
 * them and sums of products are exact. */
float us_self_test_number(int i);

/* A kernel for a test, built now even while programs are gathered (us_builds_begin). */
enum unseen_status us_self_test_kernel(struct unseen_device *device, const char *file, const char *options,
                                       const char *name, struct us_kernel **kernel);

/* Run kernel(in, out) in one work-group of `items` work-items and wait for what it wrote. */
enum unseen_status us_self_test_run(struct unseen_device *device, struct us_kernel *kernel, size_t items,
                                    const void *in, size_t in_bytes, void *out, size_t out_bytes);

#endif
