#include "config.h"

#include "ops/columns.h"

enum {
    CPU_BLOCK = 32768, /* floats that a CPU's work-item sums: some microseconds */
    CPU_BLOCKS = 1024, /* the most */
    GPU_BLOCK = 128,   /* rows that a GPU's work-group sums at least */
    GPU_BLOCKS = 512,  /* the most: some for each multiprocessor */
    GPU_ACROSS = 32    /* of its work-items that stand side by side, the most */
};

static size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

struct us_columns us_columns_of(struct unseen_device *device, int channels)
{
    struct us_columns c = {.device = device, .channels = channels};
    c.vec = us_channel_vector(device, channels);
    c.tile = us_device_is_cpu(device) ? 4 : 1;
    while (channels / c.vec % c.tile)
        c.tile--;
    if (!us_device_is_cpu(device))
        c.group = us_sum_group(device, channels / c.vec, GPU_ACROSS);
    return c;
}

static size_t most_blocks(const struct us_columns *c)
{
    return c->group.items ? GPU_BLOCKS : CPU_BLOCKS;
}

static size_t least_block_rows(const struct us_columns *c)
{
    return c->group.items ? GPU_BLOCK : us_round_up(ceil_div(CPU_BLOCK, (size_t)c->channels), 8);
}

struct us_cut us_columns_cut(const struct us_columns *c, size_t rows)
{
    const size_t least = least_block_rows(c), even = us_round_up(ceil_div(rows, most_blocks(c)), 8);
    struct us_cut cut = {.block_rows = even > least ? even : least};
    cut.blocks = ceil_div(rows, cut.block_rows);
    return cut;
}

size_t us_columns_most_blocks(const struct us_columns *c, size_t rows)
{
    /* Not us_columns_cut(rows): fewer rows may be cut into a few more blocks where blocks are rounded up. */
    const size_t blocks = ceil_div(rows, least_block_rows(c));
    return blocks < most_blocks(c) ? blocks : most_blocks(c);
}

static struct us_range groups(const struct us_columns *c, size_t blocks)
{
    const size_t across = ceil_div((size_t)c->channels, (size_t)(c->group.across * c->vec));
    return US_RANGE2L(blocks * (size_t)c->group.items, across, (size_t)c->group.items, 1);
}

struct us_range us_columns_blocks(const struct us_columns *c, size_t blocks)
{
    return c->group.items
               ? groups(c, blocks)
               : us_range_large_items(c->device, blocks * (size_t)(c->channels / (c->vec * c->tile)));
}

struct us_range us_columns_finish(const struct us_columns *c)
{
    return c->group.items ? groups(c, 1) : us_columns_channels(c, 1);
}

struct us_range us_columns_channels(const struct us_columns *c, size_t times)
{
    return us_range_medium_items(c->device, times * (size_t)(c->channels / c->vec));
}

struct us_range us_columns_vectors(const struct us_columns *c, size_t rows)
{
    return us_range_small_items(c->device, rows * (size_t)(c->channels / c->vec));
}
