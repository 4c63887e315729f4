/* Work on [rows, channels], rows = n*h*w: how it is cut into vectors, and into blocks of rows for sums of
 * every channel. On CPUs a work-item sums a block in `tile` vectors of channels, on GPUs a work-group does in
 * `group.across`. */
#ifndef US_OPS_COLUMNS_H
#define US_OPS_COLUMNS_H

#include "ops/launch.h"

struct us_columns {
    struct unseen_device *device;
    int channels, vec, tile;   /* vec divides channels, and tile, 1 to 4, channels / vec */
    struct us_sum_group group; /* no items: one work-item a block */
};

struct us_columns us_columns_of(struct unseen_device *device, int channels);

/* How `rows` are cut for a sum. */
struct us_cut {
    size_t block_rows, blocks;
};
struct us_cut us_columns_cut(const struct us_columns *columns, size_t rows);

/* The most blocks that any number of rows up to `rows` is cut into. */
size_t us_columns_most_blocks(const struct us_columns *columns, size_t rows);

/* The work of summing `blocks` blocks, and of what becomes of `blocks` sums at the end. */
struct us_range us_columns_blocks(const struct us_columns *columns, size_t blocks);
struct us_range us_columns_finish(const struct us_columns *columns);

/* A work-item for each vector of channels, `times` over. */
struct us_range us_columns_channels(const struct us_columns *columns, size_t times);

/* A small work-item for each vector of every row. */
struct us_range us_columns_vectors(const struct us_columns *columns, size_t rows);

#endif
