/* Readers of pixels that lie in memory, all of one size. */
#ifndef US_DATASETS_PIXELS_H
#define US_DATASETS_PIXELS_H

#include "base/reader.h"

/* `reader` reads pixels [n, height, width, channels] of each split, NULL for one that is empty, and does not
 * own them. */
void us_pixels_reader(struct unseen_reader *reader, const uint8_t *train, const uint8_t *test);

/* dataset->reader, made if there is none, owns `pixels`, to be freed with free(), as those of a split. */
enum unseen_status us_pixels_give(struct unseen_dataset *dataset, enum unseen_split split, uint8_t *pixels);

#endif
