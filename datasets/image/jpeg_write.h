/* Pixels to JPEG files in memory. */
#ifndef US_DATASETS_JPEG_WRITE_H
#define US_DATASETS_JPEG_WRITE_H

#include <stdint.h>

#include "base/status.h"

/* pixels [height, width, 3] as a baseline JPEG of `quality` 1..100, its colours at half the resolution, as
 * PIL writes it by default. `bytes` receives fresh memory, freed with free(). UNSEEN_FAILED if memory runs
 * out or a side is beyond 65500. */
enum unseen_status us_jpeg_write(const uint8_t *pixels, int height, int width, int quality, uint8_t **bytes,
                                 size_t *size);

#endif
