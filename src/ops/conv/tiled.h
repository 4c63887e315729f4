/* The products of cl/conv/conv_tiled.cl, for the algorithms that consist of them. */
#ifndef US_OPS_CONV_TILED_H
#define US_OPS_CONV_TILED_H

#include "ops/conv/conv_algorithm.h"
#include "ops/conv/conv_tile.h"

/* One direction of a convolution, or several at a time whose operands lie apart. */
struct us_tiled {
    struct us_conv_shape shape;
    enum us_conv_direction direction;
    int oh, ow;
    int times; /* products */
    struct us_conv_tiling tiling;
    /* The weight gradient's pixels are cut into parts of `share`. It decides the order of summation, so it
     * follows from the shape and the tile alone. */
    int share, parts;
    struct us_kernel *convolve;
};

/* Whether the kernel's int indices reach all of the shape. */
bool us_tiled_suits(const struct us_conv_shape *shape);

/* For struct us_conv_algorithm: the values of the tunables are a tile. */
bool us_tiled_offers(const struct unseen_device *device, const struct us_conv_shape *shape,
                     enum us_conv_direction direction, int times, int i, char values[US_CONV_NAME]);
bool us_tiled_accepts(const struct unseen_device *device, const struct us_conv_shape *shape,
                      enum us_conv_direction direction, int times, const char *values);

/* With the tile that plan->name asks for, or else the usual one, which is then added to it. Nothing to free.
 */
enum unseen_status us_tiled_prepare(struct unseen_device *device, const struct us_conv_shape *shape,
                                    enum us_conv_direction direction, int times, struct us_conv_plan *plan,
                                    struct us_tiled *tiled);

/* Blocks of pixels that a forward pass over n images leaves moments of. */
int us_tiled_moment_blocks(const struct us_tiled *tiled, int n);

/* Parts that n images of the weight gradient are cut into. */
int us_tiled_parts(const struct us_tiled *tiled, int n);

/* The operands as in struct us_conv_call; those of one product lie `in_step`, ... floats behind those of the
 * one before. The weight gradient goes to out as [product][part][rows][columns]. */
struct us_tiled_call {
    int n;
    struct us_buf *in, *other, *out;
    int64_t in_step, other_step, out_step;
    bool accumulate;
    struct us_conv_epilogue epilogue; /* of the forward pass; else zero */
};
enum unseen_status us_tiled_run(struct unseen_device *device, const struct us_tiled *tiled,
                                const struct us_tiled_call *call);

#endif
