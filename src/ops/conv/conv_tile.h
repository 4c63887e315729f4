/* Work-group tiles of convolutions for GPUs, see cl/conv/conv_tiled.cl: which are legal, and which a device
 * should take. */
#ifndef US_OPS_CONV_CONV_TILE_H
#define US_OPS_CONV_CONV_TILE_H

#include "ops/conv/conv.h"

/* bm x bn results of a work-group in steps of bk products each, tm x tn of a work-item. */
struct us_conv_tile {
    int bm, bn, bk, tm, tn;
};

/* What tiles are laid on: a product of [m, k] by [k, n], `times` of them at a time, whose operands are loaded
 * as vectors along channels: these numbers divide by the vectors' widths. Operands whose channels run along k
 * are turned on their way into local memory. */
struct us_conv_product {
    double m, n, times;
    int a_channels, b_channels;
    bool a_along_k, b_along_k;
    double k; /* where it may be cut into parts that are added afterwards, for more work-groups; else 0 */
};

/* A tile with the widths of its loads, 1, 2 or 4. */
struct us_conv_tiling {
    struct us_conv_tile tile;
    int va, vb;
};

/* Work-items of a group. */
static inline int us_conv_tile_items(const struct us_conv_tile *tile)
{
    return tile->bm / tile->tm * (tile->bn / tile->tn);
}

/* Whether a tile can serve the product on a device, and with which widths: work-items divide it evenly, local
 * memory holds two steps, a group is no larger than allowed, and what a work-item keeps is estimated to fit
 * its registers.
 */
bool us_conv_tile_legal(const struct unseen_device *device, const struct us_conv_product *product,
                        const struct us_conv_tile *tile, struct us_conv_tiling *tiling);

/* How many parts k is best cut into, 1 where it may not. It follows from product and tile alone. */
int us_conv_tile_parts(const struct us_conv_product *product, const struct us_conv_tile *tile);

/* A tile as text, "128x64x16/8x4": bm x bn x bk / tm x tn. Reading fails where there is anything else. */
void us_conv_tile_write(const struct us_conv_tile *tile, char text[US_CONV_NAME]);
bool us_conv_tile_read(const char *text, struct us_conv_tile *tile);

/* The i-th legal tile for the device in conv_tiles.def that is not estimated to take three times as long as
 * the best; false behind the last. */
bool us_conv_tile_offer(const struct unseen_device *device, const struct us_conv_product *product, int i,
                        struct us_conv_tile *tile);

/* The legal tile among those of conv_tiles.def for the device that is estimated to be fastest. Fails where
 * none is legal. */
enum unseen_status us_conv_tile_usual(const struct unseen_device *device,
                                      const struct us_conv_product *product, struct us_conv_tiling *tiling);

#endif
