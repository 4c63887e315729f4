/* Files that dataset tests make: plain ones, CIFAR binaries, JPEGs, and archives of a folder. Everything here
 * that fails fails the running cmocka test. */
#ifndef US_T_SUPPORT_FILES_H
#define US_T_SUPPORT_FILES_H

#include <stddef.h>
#include <stdint.h>

/* Write `bytes` to `folder`/`name`, making the folders on the way. */
void test_file(const char *folder, const char *name, const void *bytes, size_t size);

/* n CIFAR records with `label_bytes` labels each. Record i of a file made with `first`: coarse label
 * (first + i) % 20 where there is one, label (first + i) % classes, byte p of the planes
 * test_cifar_byte(first
 * + i, p). */
void test_cifar(const char *folder, const char *name, int label_bytes, int classes, int first, int n);
uint8_t test_cifar_byte(int record, int p);

/* A JPEG of one colour (0xRRGGBB), as greyscale if `grey`. */
void test_jpeg(const char *folder, const char *name, int height, int width, unsigned colour, int grey);

/* Take the last bytes from a file: its header is still whole. */
void test_shorten(const char *folder, const char *name);

/* A PNG whose rows are all `row` [size], of a colour type and bits a channel. */
enum test_png { TEST_PNG_GREY = 0, TEST_PNG_RGB = 2, TEST_PNG_RGBA = 6 };
void test_png(const char *folder, const char *name, int height, int width, enum test_png colour, int depth,
              const char *row, size_t size);

/* Pack everything under `folder` into `archive`; what kind follows from its name: .tar, .tar.gz, .tar.xz or
 * .zip. Names in it begin with `prefix` ("" or e.g. "./top/"). */
void test_archive(const char *folder, const char *archive, const char *prefix);

/* The path of `name` among the real data that UNSEEN_TEST_DATA names; the running test is skipped where that
 * is not set. Static storage. */
const char *test_real_data(const char *name);

#endif
