/* What operator tests share: one device a program, guarded buffers, random numbers, comparisons. Everything
 * here that fails fails the running cmocka test. */
#ifndef US_T_SUPPORT_DEVICE_H
#define US_T_SUPPORT_DEVICE_H

#include "support/cmocka.h"

#include "device/device.h"

/* The device of this program: UNSEEN_DEVICE or the default, opened by the first call and closed at exit.
 * Where there is no OpenCL device at all the program prints "1..0 # SKIP" and exits 0, so call it first in
 * main(). Any other failure to open it is an error: exit 1. */
struct unseen_device *test_device(void);

/* A device buffer of `floats` with guard words behind the last. init NULL: filled with NaN, so that what a
 * kernel forgets to write shows. End with test_buf_free, which checks the guard. */
struct us_buf *test_buf(size_t floats, const float *init);

/* The same for int32 data; init NULL: filled with 0x7fc00000. */
struct us_buf *test_buf_int(size_t ints, const int32_t *init);

/* Fail if a kernel wrote past the end. */
void test_buf_check_guard(struct us_buf *buf);

/* test_buf_check_guard, then back to the pool. NULL is fine. */
void test_buf_free(struct us_buf *buf);

/* Contents in fresh memory, freed with free(). */
float *test_buf_read(struct us_buf *buf);

/* Uniform in [low, high), the same for the same seed everywhere. Fresh memory, freed with free(). */
float *test_random(uint64_t seed, size_t n, float low, float high);

/* Fail unless |got - want| <= tolerance * max(1, largest |want|) for each of n; NaN never passes. The message
 * names the worst element. `what` stands in the message. */
void test_close(const char *what, const float *got, const float *want, size_t n, double tolerance);

/* The same against a reference in double. */
void test_close_d(const char *what, const float *got, const double *want, size_t n, double tolerance);

/* test_close_d for a device buffer. */
void test_buf_close(const char *what, struct us_buf *got, const double *want, size_t n, double tolerance);

/* Check a gradient by central differences in double: f(x, n, context) is the scalar whose gradient at x [n]
 * is `gradient`. At most 64 elements, spread over all, are looked at; relative to the largest gradient. */
void test_gradient(const char *what, double (*f)(const double *x, size_t n, void *context), void *context,
                   const double *x, const float *gradient, size_t n, double tolerance);

#endif
