/* 2-d convolution of images with few channels for CPU cores: a network's first layer.
 *
 * Layouts: images [n, h, w, CIN], weights [KERNEL, KERNEL, CIN, cout]. The KERNEL * CIN values that one row of a
 * patch covers are adjacent in the image, and neighbouring pixels' begin STRIDE * CIN further on. So nothing is
 * gathered: a work-item copies the KERNEL rows that an output row reads, with the border's zeros, and the
 * register tiles read their operands from there.
 *
 * Forward: tiles of P pixels x 16V channels, weights packed [column tile][KERNEL * KERNEL * CIN][16V]; what
 * follows is conv_epilogue.clh's.
 * Weight gradient: tiles of Q of a patch row's values x 16V channels, summed over the pixels of an output row;
 * a work-item's sums [KERNEL * KERNEL * CIN][columns] are added in ascending order by stem_weights_sum.
 *
 * Build options: CIN, KERNEL, STRIDE, PAD; W the image's width; P, V as in conv_direct.cl; Q divides
 * KERNEL * CIN. */
#include "tile.clh"

#ifndef CIN
#define CIN 3
#endif
#ifndef KERNEL
#define KERNEL 3
#endif
#ifndef STRIDE
#define STRIDE 1
#endif
#ifndef PAD
#define PAD 1
#endif
#ifndef W
#define W 32
#endif
#ifndef P
#define P 8
#endif
#ifndef V
#define V 2
#endif
#ifndef Q
#define Q 9
#endif
#include "conv/conv_epilogue.clh"

#define WIDTH (KERNEL * CIN)
#define DEPTH (KERNEL * WIDTH)
#define OW    ((W + 2 * PAD - KERNEL) / STRIDE + 1)
/* A row with its border, and behind it what a last, partial tile reads. */
#define ROW ((W + 2 * PAD + P * STRIDE + KERNEL) * CIN)

/* rows[KERNEL][ROW] = what output row oy of image n reads. */
static inline void copy_rows(__global const float *in, int h, int n, int oy, float *rows)
{
    for (int ky = 0; ky < KERNEL; ky++) {
        const int y = oy * STRIDE - PAD + ky, inside = y >= 0 && y < h;
        __global const float *from = in + ((long)n * h + y) * (W * CIN);
        float *to = rows + ky * ROW;
        for (int i = 0; i < PAD * CIN; i++)
            to[i] = 0.0f;
        for (int i = 0; i < W * CIN; i++)
            to[PAD * CIN + i] = inside ? from[i] : 0.0f;
        for (int i = (PAD + W) * CIN; i < ROW; i++)
            to[i] = 0.0f;
    }
}

/* Pack weights [DEPTH, cout]. Work-items: column tiles. */
ONE void stem_pack(__global const float *weights, __global float *b, int cout)
{
    const int c = (int)get_global_id(0) * 16 * V;
    for (int k = 0; k < DEPTH; k++)
        for (int v = 0; v < V; v++)
            AT16(__global, b + ((long)get_global_id(0) * DEPTH + k) * (16 * V) + 16 * v) =
                take(weights + (long)k * cout + c + 16 * v, cout - c - 16 * v);
}

/* Channels c.. of P outputs from pixel x of output row `row` on; `seen` rows came before it. */
static inline void multiply(const float *rows, int x, __global const float *b, __global float *out, long row,
                            int c, int seen, const struct epilogue *e)
{
    long at[P];
    float16 acc[P][V];
#pragma unroll
    for (int p = 0; p < P; p++)
#pragma unroll
        for (int v = 0; v < V; v++)
            acc[p][v] = (float16)(0.0f);
    for (int ky = 0; ky < KERNEL; ky++) {
        const float *from = rows + ky * ROW + x * (STRIDE * CIN);
        for (int k = 0; k < WIDTH; k++) {
            float16 w[V];
#pragma unroll
            for (int v = 0; v < V; v++)
                w[v] = AT16(__global, b + 16 * v);
            b += 16 * V;
#pragma unroll
            for (int p = 0; p < P; p++) {
                const float16 a = (float16)(from[p * (STRIDE * CIN) + k]);
#pragma unroll
                for (int v = 0; v < V; v++)
                    acc[p][v] = fma(a, w[v], acc[p][v]);
            }
        }
    }
#pragma unroll
    for (int p = 0; p < P; p++)
        at[p] = (row * OW + x + p) * e->channels;
    put_tile(acc, min(P, OW - x), out, at, c, seen * OW + x, e);
}

/* Work-items: blocks of `share` output rows. */
ONE void stem_forward(__global const float *in, __global const float *b, __global float *out, int images, int h,
                      int oh, int cout, int share, __global const float *affine,
                      __global const float *residual, int act, __global float *moments)
{
    float rows[KERNEL * ROW];
    const struct epilogue e = epilogue_of(affine, residual, act, moments, cout);
    const int first = (int)get_global_id(0) * share, last = min(first + share, images * oh);
    for (int row = first; row < last; row++) {
        copy_rows(in, h, row / oh, row % oh, rows);
        for (int c = 0; c < cout; c += 16 * V)
            for (int x = 0; x < OW; x += P)
                multiply(rows, x, b + (long)c * DEPTH, out, row, c, row - first, &e);
    }
    count_pixels(moments, cout, (last - first) * OW);
}

/* sums[Q][16V], rows `pitch` apart, += patches^T dy over an output row. */
static inline void accumulate_row(const float *from, __global const float *dy, int cout, int left,
                                  __global float *sums, int pitch)
{
    float16 acc[Q][V];
#pragma unroll
    for (int q = 0; q < Q; q++)
#pragma unroll
        for (int v = 0; v < V; v++)
            acc[q][v] = AT16(__global, sums + q * pitch + 16 * v);
    for (int x = 0; x < OW; x++) {
        float16 d[V];
#pragma unroll
        for (int v = 0; v < V; v++)
            d[v] = take(dy + 16 * v, left - 16 * v);
        dy += cout;
#pragma unroll
        for (int q = 0; q < Q; q++) {
            const float16 a = (float16)(from[q]);
#pragma unroll
            for (int v = 0; v < V; v++)
                acc[q][v] = fma(a, d[v], acc[q][v]);
        }
        from += STRIDE * CIN;
    }
#pragma unroll
    for (int q = 0; q < Q; q++)
#pragma unroll
        for (int v = 0; v < V; v++)
            AT16(__global, sums + q * pitch + 16 * v) = acc[q][v];
}

/* Work-items: parts of `share` output rows. */
ONE void stem_weights(__global const float *x, __global const float *dy, __global float *sums, int images, int h,
                      int oh, int cout, int share)
{
    float rows[KERNEL * ROW];
    const int pitch = (cout + 16 * V - 1) / (16 * V) * (16 * V), first = (int)get_global_id(0) * share;
    sums += get_global_id(0) * (DEPTH * pitch);
    for (int i = 0; i < DEPTH * pitch; i += 16)
        AT16(__global, sums + i) = (float16)(0.0f);
    for (int row = first; row < min(first + share, images * oh); row++) {
        copy_rows(x, h, row / oh, row % oh, rows);
        for (int c = 0; c < cout; c += 16 * V)
            for (int ky = 0; ky < KERNEL; ky++)
                for (int k = 0; k < WIDTH; k += Q)
                    accumulate_row(rows + ky * ROW + k, dy + (long)row * (OW * cout) + c, cout, cout - c,
                                   sums + (ky * WIDTH + k) * pitch + c, pitch);
    }
}

/* dweights = sum of the parts. Work-items: (DEPTH, vectors of 16 columns). */
ONE void stem_weights_sum(__global const float *sums, __global float *dweights, int parts, int cout)
{
    const int k = (int)get_global_id(0), c = (int)get_global_id(1) * 16;
    const int pitch = (cout + 16 * V - 1) / (16 * V) * (16 * V);
    sums += k * pitch + c;
    float16 sum = AT16(__global, sums);
    for (int q = 1; q < parts; q++)
        sum += AT16(__global, sums + (long)q * DEPTH * pitch);
    put(dweights + k * cout + c, sum, cout - c, 0);
}
