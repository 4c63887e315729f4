/* 2-d convolution for CPU cores: implicit GEMM in register tiles, one work-item a block of pixels.
 *
 * Layouts: images [n, h, w, c], weights [kernel, kernel, cin, cout] = a matrix [K, cout] whose row index
 * k = (kh * kernel + kw) * cin + ci.
 *
 * Forward and data gradient are one kernel, conv_gather:
 *     out[n, oy*ostep+oa, ox*ostep+ob, co] (+)= sum over (ty, tx, ci) of
 *         in[n, oy*step+off_y+ty, ox*step+off_x+tx, ci] * B[(ty, tx, ci), co],        zero outside the image
 * forward:        step = the stride, off = -pad, ostep = 1, B = the weights.
 * data gradient:  in = dy; for every residue (oa, ob) of the image's coordinates modulo the stride the taps
 *                 that meet it form a small stride-1 convolution (step 1, ostep = the stride) with the
 *                 transposed weights in descending tap order, so nothing is multiplied by inserted zeros.
 * A work-item takes `tiles` tiles of P consecutive output pixels. For each block of `kblock` values of k it
 * copies the pixels' patches into a private panel (rows LD apart; LD/16 odd, so rows fall into different
 * cache sets), then multiplies it with the packed matrix B, P x 16V accumulators at a time. Sums over blocks
 * of k meet in `out`, always in the same order; conv_epilogue.clh says what follows the last of a forward pass.
 * Small images spend much on taps in the border (31 % of 3x3 taps at 4x4). With by_place the pixels of a tile
 * are the same place of consecutive images, which share their taps, so those outside are left out. Packed B:
 * [ceil(columns / 16V)][K][16V], zero beyond the last column.
 *
 * Weight gradient, conv_weights: dW[k, co] = sum over pixels of patch[pixel, k] * dy[pixel, co]. A work-item
 * owns `kgroup` x `cgroup` tiles of 16 x 16 of dW for one part of the pixels, in blocks of PB pixels: dy is
 * copied once a block into columns of 16 channels, patches for up to PG rows of tiles at a time: what lies side by
 * side is read in one go. The partial sums [part][k tile][co tile][16][16] are added in ascending order by
 * conv_weights_sum.
 *
 * With BF16, the panel and packed B hold bf16 pairs of neighbouring k, which the CPU multiplies and adds to float32
 * sums in one step. Tensors in memory stay float32; the channels that are summed over must be a multiple of 16.
 * Packed B is then [ceil(columns / 16V)][K/2][16V][2]. The weight gradient is conv_paired.cl's.
 *
 * Tunables (build options):
 *   P      pixels of a tile, >= 1; P * V + V + 1 must not exceed the registers, in vectors of 16 floats (32 for
 *          AVX-512, 8 for AVX, where 6 * 1 suit best), and P * V
 *          should be at least the multiply-adds that a core has in flight (8 of 512 bits)
 *   V      vectors of 16 channels of a tile, 1 or 2
 *   R      rows of a register tile of the weight gradient, which divides 16
 *   TILES  most tiles a work-item takes, >= 1
 *   KB     longest block of k, a multiple of 16 with KB/16 even; the panel, TILES * P * KB floats, and KB rows of B
 *          should fit the second cache. The multiply-adds hide the way from there, so short blocks gain nothing and
 *          cost a pass over `out` each
 *   PB     pixels of a block of the weight gradient, >= 1
 *   PG     most tiles of 16 k that are copied at a time, >= 1
 *   CG     most tiles of 16 channels in a group of the weight gradient, >= 1
 */
#ifndef P
#define P 14
#endif
#ifndef R
#define R 16
#endif
#ifndef V
#define V 2
#endif
#ifndef TILES
#define TILES 4
#endif
#ifndef KB
#define KB 1152
#endif
#ifndef PB
#define PB 96
#endif
#ifndef PG
#define PG 2
#endif
#ifndef CG
#define CG 8
#endif

#include "conv/conv_epilogue.clh"
#include "conv/conv_patches.clh"
#include "conv/conv_sum.clh"
#include "number.clh"
#include "tile.clh"

#define LD (KB + 16 * STEP)

/* Which rows of B a block of k takes: runs of `run` (the first of them `begin`) with `skip` rows between. */
struct rows {
    int depth, begin, run, skip;
};

/* P x 16V outputs, in channels c..: rows of `panel` times the block of B at `b`, added to what is there with
 * `add`. `seen` pixels came before these. */
static inline void multiply(const num *panel, __global const num *b, struct rows rows, __global float *out,
                            const long *at, int valid, int c, int add, int seen, const struct epilogue *e)
{
    float16 acc[P][V];
#pragma unroll
    for (int p = 0; p < P; p++)
#pragma unroll
        for (int v = 0; v < V; v++)
            acc[p][v] = (float16)(0.0f);
    int run = rows.begin;
    for (int k = 0; k < rows.depth;) {
        for (const int end = min(k + run, rows.depth); k < end; k += STEP) {
            vector w[V];
#pragma unroll
            for (int v = 0; v < V; v++)
                w[v] = VECTOR(__global, b + v * 16 * STEP);
            b += V * 16 * STEP;
#pragma unroll
            for (int p = 0; p < P; p++) {
                const vector a = SPLAT(panel + p * LD + k);
#pragma unroll
                for (int v = 0; v < V; v++)
                    acc[p][v] = MULTIPLY_ADD(a, w[v], acc[p][v]);
            }
        }
        b += rows.skip * (V * 16);
        run = rows.run;
    }
#pragma unroll
    for (int p = 0; p < P; p++)
        if (add && p < valid)
#pragma unroll
            for (int v = 0; v < V; v++)
                acc[p][v] += take(out + at[p] + c + 16 * v, e->channels - c - 16 * v);
    put_tile(acc, valid, out, at, c, seen, e);
}

/* Length of the blocks of k: whole rows of taps if one fits, as they are copied fastest. */
static inline int block_length(int taps_y, int width)
{
    if (width <= 0 || taps_y <= 0)
        return 0;
    if (width > KB)
        return KB;
    const int most = KB / width, blocks = (taps_y + most - 1) / most;
    return (taps_y + blocks - 1) / blocks * width;
}

/* Work-items: (blocks of tiles * P pixels, groups of `group` column tiles). The pixels are those of the
 * images one after the other, or with by_place the same pixel of consecutive images, each place beginning
 * with a new work-item: its taps outside the image are left out. */
ONE void conv_gather(__global const float *in, __global const num *b, __global float *out, int images,
                     int rows, int cols, int step, int off_y, int off_x, int taps_y, int taps_x, int ih,
                     int iw, int ic, int oh, int ow, int oc, int ostep, int oa, int ob, int by_place,
                     int tiles, int group, int accumulate, __global const float *affine,
                     __global const float *residual, int act, __global float *moments)
{
    const struct epilogue last = epilogue_of(affine, residual, act, moments, oc), none = {0, 0, 0, 0, oc};
    float16 store[TILES * P * LD / 16 / STEP];
    num *panel = (num *)store;
    long at[TILES * P];
    const int depth = taps_y * taps_x * ic, columns = (oc + 16 * V - 1) / (16 * V);
    const int c0 = (int)get_global_id(1) * group, c1 = min(c0 + group, columns);
    const int block = tiles * P, blocks = (images + block - 1) / block;
    struct grid grid = {rows, cols, step, off_y, off_x};
    struct window window = {images, ih, iw, ic, taps_y, taps_x, 0, 0, 0, 0, 0};
    const int place = by_place ? (int)get_global_id(0) / blocks : (int)get_global_id(0) * block;
    const int first = by_place ? (int)get_global_id(0) % blocks * block : place;
    const int count = min(block, (by_place ? images : images * rows * cols) - first);
    const struct pixel start = {by_place ? first : place / cols / rows, place / cols % rows, place % cols};
    int skipped = 0; /* rows of B before the first that is used */
    if (by_place) {
        const int iy = start.oy * step + off_y, ix = start.ox * step + off_x;
        const int y0 = max(0, -iy), x0 = max(0, -ix);
        window.taps_y = max(0, min(taps_y, ih - iy) - y0);
        window.taps_x = max(0, min(taps_x, iw - ix) - x0);
        grid.off_y += y0;
        grid.off_x += x0;
        skipped = (y0 * taps_x + x0) * ic;
    }
    struct pixel pixel = start;
    for (int p = 0; p < count; p++) {
        at[p] = (((long)pixel.n * oh + pixel.oy * ostep + oa) * ow + pixel.ox * ostep + ob) * oc;
        next_pixel(&pixel, &grid, by_place);
    }
    const int width = window.taps_x * ic, used = window.taps_y * width;
    const int length = block_length(window.taps_y, width);
    int k0 = 0;
    do {
        const int k1 = min(k0 + length, used), skip = taps_x * ic - width;
        const int row = used ? k0 / width : 0; /* of taps */
        const struct rows taken = {k1 - k0, skip ? width - (k0 - row * width) : k1 - k0, width, skip};
        window_set(&window, k0, k1);
        pack_patches(in, &window, &grid, start, by_place, count, panel, LD);
        for (int c = c0; c < c1; c++)
            for (int p = 0; p < count; p += P)
                multiply(panel + p * LD, b + ((long)c * depth + skipped + k0 + row * skip) * (16 * V), taken,
                         out, at + p, min(P, count - p), c * 16 * V, accumulate || k0 > 0, p,
                         k1 < used ? &none : &last);
        k0 = k1;
    } while (k0 < used);
    count_pixels(moments, oc, count);
}

/* Pack weights [depth, columns] for conv_gather. Work-items: (blocks of 16 k, column tiles). */
ONE void conv_pack(__global const float *weights, __global num *b, int depth, int columns)
{
    const int k0 = (int)get_global_id(0) * 16, c = (int)get_global_id(1) * 16 * V;
    for (int k = k0; k < min(k0 + 16, depth); k += STEP) {
        __global num *to = b + ((long)get_global_id(1) * depth + k) * (16 * V);
        __global const float *from = weights + (long)k * columns + c;
        for (int i = 0; i < 16 * V; i += 16) {
            const int left = columns - c - i;
            VECTOR(__global, to + i * STEP) = WEAVE(take(from + i, left), take(from + columns + i, left));
        }
    }
}

/* The same for the data gradient of one residue: B[(ty, tx, co), ci] = weights[kh, kw, ci, co] with
 * kh = last_y - stride * ty, kw likewise. Work-items: (taps_y * taps_x, blocks of 16 co, tiles of ci). */
ONE void conv_pack_transposed(__global const float *weights, __global num *b, int kernel_size, int cin,
                              int cout, int stride, int last_y, int last_x, int taps_x)
{
    const int tap = (int)get_global_id(0), co0 = (int)get_global_id(1) * 16;
    const int ci0 = (int)get_global_id(2) * 16 * V, depth = (int)get_global_size(0) * cout;
    const int kh = last_y - stride * (tap / taps_x), kw = last_x - stride * (tap % taps_x);
    const int width = min(16, cout - co0);
    float block[16][16 * V];
    for (int i = 0; i < 16 * V; i++) {
        __global const float *from = weights + ((long)(kh * kernel_size + kw) * cin + ci0 + i) * cout + co0;
        for (int j = 0; j < width; j++)
            block[j][i] = ci0 + i < cin ? from[j] : 0.0f;
    }
    __global num *to = b + ((long)get_global_id(2) * depth + (long)tap * cout + co0) * (16 * V);
    for (int j = 0; j < width; j += STEP)
        for (int i = 0; i < 16 * V; i += 16)
            VECTOR(__global, to + j * 16 * V + i * STEP) =
                WEAVE(AT16(__private, &block[j][i]), AT16(__private, &block[j + 1][i]));
}

#ifndef BF16

/* column[t][p][0..15] = 16 values of the t-th of `tiles` tiles at `from`, `stride` floats apart, for p in a..b. */
static inline void copy_columns(__global const float *from, long stride, int a, int b, int tiles, float *column)
{
    for (int p = a; p < b; p++)
        for (int t = 0; t < tiles; t++)
            AT16(__private, column + (t * PB + p) * 16) = AT16(__global, from + p * stride + 16 * t);
}

static inline void zero_columns(int a, int b, int tiles, float *column)
{
    for (int t = 0; t < tiles; t++)
        for (int p = a; p < b; p++)
            AT16(__private, column + (t * PB + p) * 16) = (float16)(0.0f);
}

/* column[t][p][0..15] = the values from k + 16t on, all `tiles` of one tap, of the patch of the p-th pixel from `at`
 * on. */
static inline void pack_columns(__global const float *in, const struct window *w, const struct grid *g, int k,
                                int tiles, struct pixel at, int count, float *column)
{
    const int tap = k / w->ic, ty = tap / w->taps_x, left = tap % w->taps_x + g->off_x;
    /* Output columns lo..hi have their input inside the image. */
    const int lo = left >= 0 ? 0 : (g->step - 1 - left) / g->step;
    const int hi = left >= w->iw ? 0 : min(g->cols, (w->iw - 1 - left) / g->step + 1);
    const long stride = (long)g->step * w->ic;
    for (int p = 0; p < count;) {
        const int run = min(g->cols - at.ox, count - p), iy = at.oy * g->step + g->off_y + ty;
        const int inside = iy >= 0 && iy < w->ih;
        const int a = inside ? clamp(lo - at.ox, 0, run) : run;
        const int b = inside ? clamp(hi - at.ox, a, run) : run;
        zero_columns(0, a, tiles, column + p * 16);
        copy_columns(in + (((long)at.n * w->ih + iy) * w->iw + left) * w->ic + at.ox * stride + k % w->ic, stride,
                     a, b, tiles, column + p * 16);
        zero_columns(b, run, tiles, column + p * 16);
        p += run;
        at.ox += run - 1;
        next_pixel(&at, g, 0);
    }
}

/* The same for one pixel of `count` images. Returns 0 where the tap lies outside the image. */
static inline int pack_place(__global const float *in, const struct window *w, const struct grid *g, int k,
                             int tiles, struct pixel at, int count, float *column)
{
    const int tap = k / w->ic;
    const int iy = at.oy * g->step + g->off_y + tap / w->taps_x;
    const int ix = at.ox * g->step + g->off_x + tap % w->taps_x;
    if (iy < 0 || iy >= w->ih || ix < 0 || ix >= w->iw)
        return 0;
    const long image = (long)w->ih * w->iw * w->ic;
    copy_columns(in + at.n * image + ((long)iy * w->iw + ix) * w->ic + k % w->ic, image, 0, count, tiles, column);
    return 1;
}

/* columns[ct - ct0][p][16] = the channels of tile ct, ct0..ct1, at the p-th pixel from dy on, `stride` floats
 * apart; zero beyond the last. */
static inline void pack_gradient(__global const float *dy, long stride, int cout, int ct0, int ct1, int count,
                                 float *columns)
{
    const int whole = min(ct1, cout / 16);
    copy_columns(dy + ct0 * 16, stride, 0, count, whole - ct0, columns);
    if (whole < ct1)
        for (int p = 0; p < count; p++)
            for (int i = 0; i < 16; i++)
                columns[((whole - ct0) * PB + p) * 16 + i] =
                    whole * 16 + i < cout ? dy[p * stride + whole * 16 + i] : 0.0f;
}

/* sum[16][16] += patches[count][16]^T * dy[count][16], or = if it is fresh; patches in rows of `ld`. */
static inline void accumulate_tile(const float *patches, int ld, const float *dy, int count,
                                   __global float *sum, int fresh)
{
    for (int i0 = 0; i0 < 16; i0 += R, patches += R, sum += 16 * R) {
        float16 acc[R];
#pragma unroll
        for (int i = 0; i < R; i++)
            acc[i] = fresh ? (float16)(0.0f) : AT16(__global, sum + 16 * i);
        for (int p = 0; p < count; p++) {
            const float16 d = AT16(__private, dy + 16 * p);
#pragma unroll
            for (int i = 0; i < R; i++)
                acc[i] = fma((float16)(patches[p * ld + i]), d, acc[i]);
        }
#pragma unroll
        for (int i = 0; i < R; i++)
            AT16(__global, sum + 16 * i) = acc[i];
    }
}

/* Work-items: (parts, groups of kgroup k tiles, groups of cgroup co tiles). Part q takes the pixels from
 * q * share on, `share` of them, counted image by image or, by_place, the same pixel of all images first;
 * that needs a cin that 16 divides. kgroup <= PG unless 16 divides cin. */
ONE void conv_weights(__global const float *x, __global const float *dy, __global float *sums, int images,
                      int share, int h, int w, int cin, int oh, int ow, int cout, int kernel_size, int stride,
                      int pad, int by_place, int kgroup, int cgroup)
{
    float16 dy_store[CG * PB], patch_store[PB * PG + 1];
    float *columns = (float *)dy_store, *patches = (float *)patch_store;
    const int depth = kernel_size * kernel_size * cin;
    const int ktiles = (depth + 15) / 16, ctiles = (cout + 15) / 16;
    const int kt0 = (int)get_global_id(1) * kgroup, kt1 = min(kt0 + kgroup, ktiles);
    const int ct0 = (int)get_global_id(2) * cgroup, ct1 = min(ct0 + cgroup, ctiles);
    const long first = (long)get_global_id(0) * share;
    const int last = (int)min((long)images * oh * ow, first + share);
    /* A tile of 16 k within one tap is copied when its turn comes, else the group's all at once. */
    const int by_column = cin % 16 == 0, ld = by_column ? 16 : (kt1 - kt0) * 16;
    const struct grid grid = {oh, ow, stride, -pad, -pad};
    struct window window = {images, h, w, cin, kernel_size, kernel_size, 0, 0, 0, 0, 0};
    window_set(&window, kt0 * 16, min(kt1 * 16, depth));
    __global float *mine = sums + (long)get_global_id(0) * ktiles * ctiles * 256;
    /* Place by place, the first block may not meet every tap. */
    for (int kt = kt0; by_place && kt < kt1; kt++)
        for (int i = ct0 * 16; i < ct1 * 16; i++)
            AT16(__global, mine + ((long)kt * ctiles * 16 + i) * 16) = (float16)(0.0f);
    for (int p0 = (int)first, count; p0 < last; p0 += count) {
        const int place = by_place ? p0 / images : p0, n = by_place ? p0 % images : p0 / ow / oh;
        const struct pixel at = {n, place / ow % oh, place % ow};
        count = min(PB, last - p0);
        if (by_place)
            count = min(count, images - n);
        pack_gradient(dy + (((long)n * oh + at.oy) * ow + at.ox) * cout,
                      by_place ? (long)oh * ow * cout : cout, cout, ct0, ct1, count, columns);
        if (!by_column)
            pack_patches(x, &window, &grid, at, 0, count, patches, ld);
        for (int kt = kt0, tiles; kt < kt1; kt += tiles) {
            tiles = min(PG, kt1 - kt);
            if (by_column)
                tiles = min(tiles, (cin - kt * 16 % cin) / 16);
            const float *tile = by_column ? patches : patches + (kt - kt0) * 16;
            if (by_place) {
                if (!pack_place(x, &window, &grid, kt * 16, tiles, at, count, patches))
                    continue;
            } else if (by_column) {
                pack_columns(x, &window, &grid, kt * 16, tiles, at, count, patches);
            }
            for (int ct = ct0; ct < ct1; ct++)
                for (int t = 0; t < tiles; t++)
                    accumulate_tile(tile + t * (by_column ? PB * 16 : 16), ld, columns + (ct - ct0) * PB * 16,
                                    count, mine + ((long)(kt + t) * ctiles + ct) * 256, !by_place && p0 == first);
        }
    }
}

#endif
