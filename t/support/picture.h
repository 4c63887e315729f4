/* Image files in memory, for tests of decoding. Everything here that fails fails the running cmocka test. */
#ifndef US_T_SUPPORT_PICTURE_H
#define US_T_SUPPORT_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a JPEG file is coded. */
struct test_coding {
    int colours; /* 1, 3 or 4 (CMYK); 0 is 3 */
    int across;  /* columns and */
    int down;    /* rows of brightness for one of colour; 0 is 1 */
    int restart; /* rows of blocks between restart markers; 0: none */
    bool progressive, arithmetic;
    bool ycck;     /* for 4 colours: Adobe's transformed inks */
    bool unmarked; /* for 4 colours: without Adobe's marker */
};

/* Byte i of the noise that pictures are made of: the same at each run. */
uint8_t test_noise(uint32_t i);

/* A JPEG of noise, smooth enough that neighbours matter; freed with free. */
uint8_t *test_jpeg_file(int height, int width, const struct test_coding *coding, size_t *size);

/* A PNG of noise, of a colour type and bits a channel, with a palette of 16 colours where the type has one;
 * `clear`: with a tRNS chunk. Freed with free. */
struct test_png_kind {
    int colour, depth;
    bool interlaced, clear;
};
uint8_t *test_png_file(int height, int width, const struct test_png_kind *kind, size_t *size);

/* A WebP of noise, with transparent pixels in it; freed with free. */
uint8_t *test_webp_file(int height, int width, bool lossless, size_t *size);

#endif
