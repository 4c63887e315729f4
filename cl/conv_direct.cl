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
 * of k meet in `out`, always in the same order.
 * Packed B: [ceil(columns / 16V)][K][16V], zero beyond the last column.
 *
 * Weight gradient, conv_weights: dW[k, co] = sum over pixels of patch[pixel, k] * dy[pixel, co]. A work-item
 * owns `kgroup` x `cgroup` tiles of 16 x 16 of dW for one part of the pixels, in blocks of PB pixels: dy is
 * copied once a block into columns of 16 channels, patches once a row of tiles. The partial sums
 * [part][k tile][co tile][16][16] are added in ascending order by conv_weights_sum.
 *
 * Tunables (build options):
 *   P      pixels of a tile, 1..28; P * V + V + 1 must not exceed the vector registers (32 for AVX-512)
 *   V      vectors of 16 channels of a tile, 1 or 2
 *   TILES  most tiles a work-item takes, >= 1
 *   KB     longest block of k, a multiple of 16 with KB/16 even
 *   PB     pixels of a block of the weight gradient, >= 1
 *   PG     most tiles of 16 k in such a group where cin is no multiple of 16, >= 1
 *   CG     most tiles of 16 channels in a group of the weight gradient, >= 1
 */
#ifndef P
#define P 12
#endif
#ifndef V
#define V 2
#endif
#ifndef TILES
#define TILES 4
#endif
#ifndef KB
#define KB 288
#endif
#ifndef PB
#define PB 128
#endif
#ifndef PG
#define PG 4
#endif
#ifndef CG
#define CG 8
#endif
#define LD (KB + 16)

#define ONE __attribute__((reqd_work_group_size(1, 1, 1))) __kernel

/* `count` floats; up to 15 more of `to` are overwritten where `slack` says so. */
inline void copy_run(float *to, __global const float *from, int count)
{
    int i = 0;
    for (; i + 16 <= count; i += 16)
        vstore16(vload16(0, from + i), 0, to + i);
    if (i + 8 <= count) {
        vstore8(vload8(0, from + i), 0, to + i);
        i += 8;
    }
    for (; i < count; i++)
        to[i] = from[i];
}

/* At least `count` zeros, rounded up to whole vectors. */
inline void zero_run(float *to, int count)
{
    for (int i = 0; i < count; i += 16)
        vstore16((float16)(0.0f), 0, to + i);
}

/* Which values of the patches of an image tensor are wanted: k0..k1, in the rows of taps t0..t1. */
struct window {
    int n, ih, iw, ic, taps_y, taps_x;
    int k0, k1, t0, t1;
    int whole; /* k0 and k1 lie between rows of taps */
};

inline struct window window_of(int n, int ih, int iw, int ic, int taps_y, int taps_x)
{
    const struct window w = {n, ih, iw, ic, taps_y, taps_x, 0, 0, 0, 0, 0};
    return w;
}

inline void window_set(struct window *w, int k0, int k1)
{
    const int width = w->taps_x * w->ic;
    w->k0 = k0;
    w->k1 = k1;
    if (k0 < k1) {
        w->t0 = k0 / width;
        w->t1 = (k1 + width - 1) / width;
        w->whole = k0 % width == 0 && k1 % width == 0;
    }
}

/* pack_patch where the patch may lie across the image's border or k0..k1 may cut a row of taps. */
inline void pack_part(__global const float *in, const struct window *w, int n, int iy, int ix, float *row)
{
    const int width = w->taps_x * w->ic;
    const int x0 = max(0, -ix) * w->ic, x1 = min(w->taps_x, w->iw - ix) * w->ic;
    const int last = min(w->t1, w->ih - iy);
    int done = w->k0;
    for (int ty = max(w->t0, -iy); ty < last; ty++) {
        const int from = max(ty * width + x0, w->k0), to = min(ty * width + x1, w->k1);
        if (from >= to)
            continue;
        zero_run(row + (done - w->k0), from - done);
        const long offset = (((long)n * w->ih + iy + ty) * w->iw + ix) * w->ic + (from - ty * width);
        copy_run(row + (from - w->k0), in + offset, to - from);
        done = to;
    }
    zero_run(row + (done - w->k0), w->k1 - done);
}

/* row[0 .. k1-k0) = the wanted values of the patch of image n whose first tap lies at (iy, ix). Writes up to
 * 15 floats beyond them. */
inline void pack_patch(__global const float *in, const struct window *w, int n, int iy, int ix, float *row)
{
    const int width = w->taps_x * w->ic, pitch = w->iw * w->ic;
    const int y0 = iy + w->t0, y1 = iy + w->t1;
    /* Whole vectors may read into the row below; in the tensor's last row there is none. */
    if (w->whole && y0 >= 0 && y1 < w->ih + (n + 1 < w->n) && y1 <= w->ih && ix >= 0 &&
        ix + w->taps_x <= w->iw && pitch >= 16) {
        __global const float *from = in + ((long)n * w->ih + y0) * pitch + ix * w->ic;
        for (int ty = y0; ty < y1; ty++) {
            for (int i = 0; i < width; i += 16)
                vstore16(vload16(0, from + i), 0, row + i);
            from += pitch;
            row += width;
        }
    } else {
        pack_part(in, w, n, iy, ix, row);
    }
}

/* out[0..15] (+)= sum, only the first `left` of them. */
inline void put(__global float *out, float16 sum, int left, int add)
{
    if (left >= 16) {
        if (add)
            sum += vload16(0, out);
        vstore16(sum, 0, out);
    } else {
        float part[16];
        vstore16(sum, 0, part);
        for (int i = 0; i < left; i++)
            out[i] = add ? out[i] + part[i] : part[i];
    }
}

/* P x 16V outputs: rows of `panel` times the block of B at `b`. */
inline void multiply(const float *panel, __global const float *b, int depth, __global float *out,
                     const long *at, int valid, int left, int add)
{
    float16 acc[P][V];
#pragma unroll
    for (int p = 0; p < P; p++)
#pragma unroll
        for (int v = 0; v < V; v++)
            acc[p][v] = (float16)(0.0f);
    for (int k = 0; k < depth; k++) {
        float16 w[V];
#pragma unroll
        for (int v = 0; v < V; v++)
            w[v] = vload16(k * V + v, b);
#pragma unroll
        for (int p = 0; p < P; p++) {
            const float16 a = (float16)(panel[p * LD + k]);
#pragma unroll
            for (int v = 0; v < V; v++)
                acc[p][v] = fma(a, w[v], acc[p][v]);
        }
    }
#pragma unroll
    for (int p = 0; p < P; p++)
        if (p < valid)
#pragma unroll
            for (int v = 0; v < V; v++)
                put(out + at[p] + 16 * v, acc[p][v], left - 16 * v, add);
}

/* Work-items: (blocks of tiles * P pixels, groups of `group` column tiles). images * rows * cols pixels. */
ONE void conv_gather(__global const float *in, __global const float *b, __global float *out, int images,
                     int rows, int cols, int step, int off_y, int off_x, int taps_y, int taps_x, int ih,
                     int iw, int ic, int oh, int ow, int oc, int ostep, int oa, int ob, int kblock, int tiles,
                     int group, int accumulate)
{
    float16 store[TILES * P * LD / 16];
    float *panel = (float *)store;
    long at[TILES * P];
    const int depth = taps_y * taps_x * ic, columns = (oc + 16 * V - 1) / (16 * V);
    const int c0 = (int)get_global_id(1) * group, c1 = min(c0 + group, columns);
    const int first = (int)get_global_id(0) * tiles * P;
    const int count = min(tiles * P, images * rows * cols - first);
    struct window window = window_of(images, ih, iw, ic, taps_y, taps_x);
    int k0 = 0;
    do {
        const int k1 = min(k0 + kblock, depth);
        window_set(&window, k0, k1);
        int oy = first / cols, ox = first % cols, n = oy / rows;
        oy %= rows;
        for (int p = 0; p < count; p++) {
            at[p] = (((long)n * oh + oy * ostep + oa) * ow + ox * ostep + ob) * oc;
            pack_patch(in, &window, n, oy * step + off_y, ox * step + off_x, panel + p * LD);
            if (++ox == cols) {
                ox = 0;
                if (++oy == rows) {
                    oy = 0;
                    n++;
                }
            }
        }
        for (int c = c0; c < c1; c++)
            for (int p = 0; p < count; p += P)
                multiply(panel + p * LD, b + ((long)c * depth + k0) * (16 * V), k1 - k0, out + c * 16 * V,
                         at + p, count - p, oc - c * 16 * V, accumulate || k0 > 0);
        k0 = k1;
    } while (k0 < depth);
}

/* Pack weights [depth, columns] for conv_gather. Work-items: (blocks of 16 k, column tiles). */
ONE void conv_pack(__global const float *weights, __global float *b, int depth, int columns)
{
    const int k0 = (int)get_global_id(0) * 16, c = (int)get_global_id(1) * 16 * V;
    for (int k = k0; k < min(k0 + 16, depth); k++) {
        __global float *to = b + ((long)get_global_id(1) * depth + k) * (16 * V);
        __global const float *from = weights + (long)k * columns + c;
        if (c + 16 * V <= columns) {
#pragma unroll
            for (int v = 0; v < V; v++)
                vstore16(vload16(v, from), v, to);
        } else {
            for (int i = 0; i < 16 * V; i++)
                to[i] = c + i < columns ? from[i] : 0.0f;
        }
    }
}

/* The same for the data gradient of one residue: B[(ty, tx, co), ci] = weights[kh, kw, ci, co] with
 * kh = last_y - stride * ty, kw likewise. Work-items: (taps_y * taps_x, blocks of 16 co, tiles of ci). */
ONE void conv_pack_transposed(__global const float *weights, __global float *b, int kernel_size, int cin,
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
    __global float *to = b + ((long)get_global_id(2) * depth + (long)tap * cout + co0) * (16 * V);
    for (int j = 0; j < width; j++)
        for (int i = 0; i < 16 * V; i++)
            to[j * 16 * V + i] = block[j][i];
}

/* Where a block of pixels begins, and the geometry of the convolution. */
struct place {
    int n, oy, ox;
};

/* column[pixel][0..15] = x[n, oy*stride-pad+kh, ox*stride-pad+kw, ci..ci+15], zero outside, for `count` pixels
 * from `at` on. */
inline void pack_column(__global const float *x, int h, int w, int cin, int kh, int kw, int ci, int oh, int ow,
                        int stride, int pad, struct place at, int count, float *column)
{
    /* Columns lo..hi of the output have their input inside the image. */
    const int lo = kw >= pad ? 0 : (pad - kw + stride - 1) / stride;
    const int end = w - 1 + pad - kw, hi = end < 0 ? 0 : min(ow, end / stride + 1);
    for (int p = 0; p < count;) {
        const int run = min(ow - at.ox, count - p), iy = at.oy * stride - pad + kh;
        const int inside = iy >= 0 && iy < h;
        const int a = inside ? clamp(lo - at.ox, 0, run) : run, b = inside ? clamp(hi - at.ox, a, run) : run;
        __global const float *from =
            x + (((long)at.n * h + iy) * w + at.ox * stride - pad + kw) * cin + ci;
        float *to = column + p * 16;
        for (int i = 0; i < a; i++)
            vstore16((float16)(0.0f), i, to);
        for (int i = a; i < b; i++)
            vstore16(vload16(0, from + (long)i * stride * cin), i, to);
        for (int i = b; i < run; i++)
            vstore16((float16)(0.0f), i, to);
        p += run;
        at.ox = 0;
        if (++at.oy == oh) {
            at.oy = 0;
            at.n++;
        }
    }
}

/* The patches of `count` pixels from `at` on, in rows of `ld` floats of which the last may lack their end. */
inline void pack_patches(__global const float *x, const struct window *window, int oh, int ow, int stride,
                         int pad, struct place at, int count, int ld, float *patches)
{
    for (int p = 0; p < count; p++) {
        pack_patch(x, window, at.n, at.oy * stride - pad, at.ox * stride - pad, patches + p * ld);
        if (++at.ox == ow) {
            at.ox = 0;
            if (++at.oy == oh) {
                at.oy = 0;
                at.n++;
            }
        }
    }
}

/* sum[16][16] (+)= patches[count][16]^T * dy[count][16]; patches in rows of `ld`. */
inline void accumulate_tile(const float *patches, int ld, const float *dy, int count, __global float *sum, int add)
{
    float16 acc[16];
#pragma unroll
    for (int i = 0; i < 16; i++)
        acc[i] = add ? vload16(i, sum) : (float16)(0.0f);
    for (int p = 0; p < count; p++) {
        const float16 d = vload16(p, dy);
#pragma unroll
        for (int i = 0; i < 16; i++)
            acc[i] = fma((float16)(patches[p * ld + i]), d, acc[i]);
    }
#pragma unroll
    for (int i = 0; i < 16; i++)
        vstore16(acc[i], i, sum);
}

/* Work-items: (parts, groups of kgroup k tiles, groups of cgroup co tiles). Part q takes the pixels from
 * q * share on, `share` of them. kgroup <= PG unless cin is a multiple of 16. */
ONE void conv_weights(__global const float *x, __global const float *dy, __global float *sums, int images,
                      int share, int h, int w, int cin, int oh, int ow, int cout, int kernel_size, int stride,
                      int pad, int kgroup, int cgroup)
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
    struct window window = window_of(images, h, w, cin, kernel_size, kernel_size);
    window_set(&window, kt0 * 16, min(kt1 * 16, depth));
    __global float *mine = sums + (long)get_global_id(0) * ktiles * ctiles * 256;
    for (int p0 = (int)first; p0 < last; p0 += PB) {
        const int count = min(PB, last - p0);
        struct place at;
        at.ox = p0 % ow;
        at.oy = p0 / ow % oh;
        at.n = p0 / ow / oh;
        for (int ct = ct0; ct < ct1; ct++) {
            float *to = columns + (ct - ct0) * PB * 16;
            __global const float *from = dy + (long)p0 * cout + ct * 16;
            if (ct * 16 + 16 <= cout) {
                for (int p = 0; p < count; p++)
                    vstore16(vload16(0, from + (long)p * cout), p, to);
            } else {
                for (int p = 0; p < count; p++)
                    for (int i = 0; i < 16; i++)
                        to[p * 16 + i] = ct * 16 + i < cout ? from[(long)p * cout + i] : 0.0f;
            }
        }
        if (!by_column)
            pack_patches(x, &window, oh, ow, stride, pad, at, count, ld, patches);
        for (int kt = kt0; kt < kt1; kt++) {
            const float *tile = patches + (kt - kt0) * 16;
            if (by_column) {
                const int tap = kt * 16 / cin;
                tile = patches;
                pack_column(x, h, w, cin, tap / kernel_size, tap % kernel_size, kt * 16 % cin, oh, ow, stride,
                            pad, at, count, patches);
            }
            for (int ct = ct0; ct < ct1; ct++)
                accumulate_tile(tile, ld, columns + (ct - ct0) * PB * 16, count,
                                mine + ((long)kt * ctiles + ct) * 256, p0 > first);
        }
    }
}

/* dweights[k, co] = sum of the parts. Work-items: (k tiles, co tiles). */
ONE void conv_weights_sum(__global const float *sums, __global float *dweights, int parts, int depth, int cout)
{
    const int kt = (int)get_global_id(0), ct = (int)get_global_id(1);
    const int ctiles = (int)get_global_size(1);
    const long size = (long)get_global_size(0) * ctiles * 256;
    __global const float *tile = sums + ((long)kt * ctiles + ct) * 256;
    for (int i = 0; i < min(16, depth - kt * 16); i++) {
        float16 sum = vload16(i, tile);
        for (int q = 1; q < parts; q++)
            sum += vload16(i, tile + q * size);
        put(dweights + (long)(kt * 16 + i) * cout + ct * 16, sum, cout - ct * 16, 0);
    }
}
