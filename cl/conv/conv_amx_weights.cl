/* The weight gradient of a 2-d convolution on AMX tiles: dW[ky, kx, ci, co] = sum over images and output pixels of
 * x[n, oy*stride-pad+ky, ox*stride-pad+kx, ci] * dy[n, oy, ox, co].
 *
 * A product of tiles sums over the same pixel of 32 images. Rows of x and of dy are rounded to bf16 in private
 * memory that is to stay in the second cache:
 *     x   ring [row][w][ci / 16][16 ci][32 images], each row packed once, rows of one group of images after the other
 *     dy  [row][ow][co / 16][16 pairs of images][16 co][2]
 * with zeros for images that are not there. Rows of outputs are counted through the groups of images, too. A
 * work-item owns `cigroup` tiles of 16 ci times `cogroup` tiles of 16 co in all taps for `share` such rows, in blocks
 * of `block`, either a part of an image or several whole ones; a block's products gather in tile registers, TI x TO
 * tiles at a time. The sums [part][tap][ci tile][co tile][16][16] are added in ascending order by conv_weights_sum.
 *
 * Tunables (build options): TI, TO 1 or 2, where they divide the tiles; RING and ROWS: tiles of x and of dy. */
#include "amx.clh"
#include "conv/conv_met.clh"
#include "conv/conv_sum.clh"
#include "tile.clh"
#include "transpose.clh"

#ifndef TI
#define TI 2
#endif
#ifndef TO
#define TO 2
#endif
#ifndef RING
#define RING 768
#endif
#ifndef ROWS
#define ROWS 512
#endif

#define IMAGES 32
#define TILE 512 /* numbers */
#define LINES 16 /* of a tile: int16 vectors */

/* to[column][tile][16 pairs of images][16 channels][2] = `columns` pixels of `count` images, `image` and `pixel`
 * floats apart. */
static inline void pack_pairs(__global const float *from, long image, int pixel, int columns, int tiles, int count,
                              int16 *to)
{
    for (int q = 0; q < IMAGES / 2; q++, from += 2 * image, to++)
        for (int x = 0; x < columns; x++)
            for (int c = 0; c < tiles; c++) {
                __global const float *at = from + (long)x * pixel + 16 * c;
                const float16 none = (float16)(0.0f);
                const float16 even = 2 * q < count ? AT16(__global, at) : none;
                const float16 odd = 2 * q + 1 < count ? AT16(__global, at + image) : none;
                to[(x * tiles + c) * LINES] = bf16_weave(even, odd);
            }
}

/* The same turned to [16 channels][16 pairs of images]. */
static inline void turn(int16 *tile, int tiles)
{
    for (int i = 0; i < tiles; i++, tile += LINES) {
        int16 rows[16];
#pragma unroll
        for (int k = 0; k < 16; k++)
            rows[k] = tile[k];
        transpose(rows);
#pragma unroll
        for (int k = 0; k < 16; k++)
            tile[k] = rows[k];
    }
}

/* Geometry, and how far the tiles of neighbouring pixels lie apart in x and in dy. */
struct sides {
    int h, w, oh, ow, size, stride, pad, x_step, dy_step, slots;
};

/* sums += the products of pixels one behind the other. */
static inline void multiply(const int16 *x, int x_step, const int16 *dy, int dy_step, int pixels)
{
    for (int i = 0; i < pixels; i++) {
        AMX_LOAD(4, x, 64);
        AMX_LOAD(6, dy, 64);
        AMX_MULTIPLY(0, 4, 6);
#if TI == 2
        AMX_LOAD(5, x + LINES, 64);
        AMX_MULTIPLY(1, 5, 6);
#endif
#if TO == 2
        AMX_LOAD(7, dy + LINES, 64);
        AMX_MULTIPLY(2, 4, 7);
#endif
#if TI + TO == 4
        AMX_MULTIPLY(3, 5, 7);
#endif
        x += x_step;
        dy += dy_step;
    }
}

/* The sums' registers, TI x TO: load or store. */
#define EACH_SUM(does)                                                                                       \
    do {                                                                                                     \
        does(0, sum, 64);                                                                                    \
        if (TI == 2)                                                                                         \
            does(1, sum + next, 64);                                                                         \
        if (TO == 2)                                                                                         \
            does(2, sum + 256, 64);                                                                          \
        if (TI + TO == 4)                                                                                    \
            does(3, sum + next + 256, 64);                                                                   \
    } while (0)

/* One tap of a block: rows u0..u1 of outputs. x and dy begin at the tiles' channels, sum[TO][16][16] of the next tile
 * of ci lies `next` floats behind; it holds earlier blocks' sums if there were any. */
static inline void accumulate(const int16 *x, const int16 *dy, __global float *sum, long next, int tap, int u0,
                              int u1, int earlier, const struct sides *s)
{
    const int ty = tap / s->size - s->pad, tx = tap % s->size - s->pad;
    const int x0 = first_met(tx, s->stride), x1 = last_met(tx, s->stride, s->w, s->ow);
    AMX_ZERO(0);
    AMX_ZERO(1);
    AMX_ZERO(2);
    AMX_ZERO(3);
    if (earlier)
        EACH_SUM(AMX_LOAD);
    for (int u = u0; u < u1; u++) {
        const int y = u % s->oh * s->stride + ty, row = (u / s->oh * s->h + y) % s->slots;
        if (y >= 0 && y < s->h)
            multiply(x + (long)(row * s->w + x0 * s->stride + tx) * s->x_step, s->x_step * s->stride,
                     dy + (long)((u - u0) * s->ow + x0) * s->dy_step, s->dy_step, x1 - x0);
    }
    EACH_SUM(AMX_STORE);
}

/* Work-items: (parts, groups of ci tiles, groups of co tiles). */
ONE void conv_amx_weights(__global const float *x, __global const float *dy, __global float *sums, int images,
                          int h, int w, int cin, int x_pixel, int x_line, long x_image, int oh, int ow, int cout,
                          int size, int stride, int pad, int share, int block, int slots, int cigroup, int cogroup)
{
    float16 ring_store[RING * LINES], rows_store[ROWS * LINES];
    int16 *ring = (int16 *)ring_store, *rows = (int16 *)rows_store;
    const int ci0 = (int)get_global_id(1) * cigroup, ci1 = min(ci0 + cigroup, cin / 16);
    const int co0 = (int)get_global_id(2) * cogroup, co1 = min(co0 + cogroup, cout / 16);
    const struct sides s = {h, w, oh, ow, size, stride, pad, (ci1 - ci0) * LINES, (co1 - co0) * LINES, slots};
    const int part = (int)get_global_id(0), total = (images + IMAGES - 1) / IMAGES * oh;
    const int first = part * share, last = min(first + share, total);
    const long next = (long)cout * 16, tap_sums = (long)cin * cout;
    __global float *mine = sums + part * size * size * tap_sums;
    int packed = 0;
    amx_begin(32);
    for (int u = first, end; u < last; u = end) {
        /* To the end of the image, unless a block is several. */
        end = min(last, block < oh ? min(u + block, u - u % oh + oh) : u + block);
        const int top = u / oh * h + max(0, u % oh * stride - pad);
        const int bottom = (end - 1) / oh * h + min(h, (end - 1) % oh * stride - pad + size);
        packed = max(packed, top);
        for (; packed < bottom; packed++) {
            const int n = packed / h * IMAGES;
            int16 *to = ring + packed % slots * w * s.x_step;
            pack_pairs(x + n * x_image + (long)(packed % h) * x_line + ci0 * 16, x_image, x_pixel, w, ci1 - ci0,
                       images - n, to);
            turn(to, w * (ci1 - ci0));
        }
        for (int v = u; v < end; v++) {
            const int n = v / oh * IMAGES;
            pack_pairs(dy + ((long)n * oh + v % oh) * ow * cout + co0 * 16, (long)oh * ow * cout, cout, ow, co1 - co0,
                       images - n, rows + (v - u) * ow * s.dy_step);
        }
        for (int tap = 0; tap < size * size; tap++)
            for (int ci = ci0; ci < ci1; ci += TI)
                for (int co = co0; co < co1; co += TO)
                    accumulate(ring + (ci - ci0) * LINES, rows + (co - co0) * LINES,
                               mine + tap * tap_sums + ci * next + co * 256, next, tap, u, end, u > first, &s);
    }
    amx_end();
}
