/* 3x3 convolution of stride 1 for CPU cores by Winograd's F(M x M, 3 x 3): M * M outputs for N * N products a
 * pair of channels instead of 9 * M * M.
 *
 * Layouts: images [n, h, w, c], weights [3, 3, cin, cout]. An image is cut into tiles of M x M outputs, read
 * from N x N inputs that begin `pad` pixels above and to the left; what lies outside the image is zero and what
 * lies outside the output is not stored. The transform has POS = N * N positions, each a matrix product.
 *
 * Forward and data gradient are one kernel, winograd_convolve. A work-item goes through blocks of `tiles`
 * tiles. It transforms a block's inputs for all channels into its own scratch [POS][tiles][K], then, for 16V
 * output channels at a time, multiplies every position by the packed weights U [column tile][POS][K][16V] in
 * register tiles of P x 16V, and transforms the products [POS][tiles][16V] back. Scratch is to stay in the
 * second cache; U comes from the third once for every block and column tile.
 *
 * Weight gradient, winograd_gradient: dU[pos] = sum over tiles of (BT x B)[pos]^T (A dy AT)[pos]. A work-item
 * takes one part of the tiles, `rows` rows of positions and a group of output channels; it keeps its sums in
 * [part][POS][K][columns], which winograd_gradient_sum adds in ascending order and transforms back.
 *
 * Rows of scratch lie 16 floats further apart than they are long, so that they fall into different sets.
 *
 * Tunables (build options): M 2 or 4; P, V as in conv_direct.cl; Q rows of a register tile of the weight
 * gradient, which divides 16. */
#include "tile.clh"
#include "winograd.clh"

#ifndef P
#define P 12
#endif
#ifndef V
#define V 2
#endif
#ifndef Q
#define Q 8
#endif
#define POS (N * N)

static inline int padded(int channels)
{
    return (channels + 15) / 16 * 16;
}

/* All positions of G g GT: from[3 * kh + kw] to to[pos * step]. */
static inline void transform_weights(const float16 *from, __global float *to, long step)
{
    float16 half_way[N * 3], row[N];
#pragma unroll
    for (int kw = 0; kw < 3; kw++)
        winograd_weights(from + kw, 3, half_way + kw, 3);
#pragma unroll
    for (int i = 0; i < N; i++) {
        winograd_weights(half_way + 3 * i, 1, row, 1);
#pragma unroll
        for (int j = 0; j < N; j++)
            AT16(__global, to + (i * N + j) * step) = row[j];
    }
}

/* U for the forward pass. Work-items: (blocks of 16 k, column tiles). */
ONE void winograd_pack(__global const float *weights, __global float *u, int cin, int cout)
{
    const int k0 = (int)get_global_id(0) * 16, c = (int)get_global_id(1) * 16 * V;
    for (int k = k0; k < min(k0 + 16, cin); k++) {
        for (int v = 0; v < V; v++) {
            float16 g[9];
            for (int tap = 0; tap < 9; tap++)
                g[tap] = take(weights + ((long)tap * cin + k) * cout + c + 16 * v, cout - c - 16 * v);
            transform_weights(g, u + ((long)get_global_id(1) * POS * cin + k) * (16 * V) + 16 * v,
                              (long)cin * (16 * V));
        }
    }
}

/* U for the data gradient: channels change sides and taps go backwards. Work-items: (blocks of 16 co, column
 * tiles of ci). */
ONE void winograd_pack_transposed(__global const float *weights, __global float *u, int cin, int cout)
{
    const int co0 = (int)get_global_id(0) * 16, ci0 = (int)get_global_id(1) * 16 * V;
    const int width = min(16, cout - co0);
    for (int v = 0; v < V; v++) {
        float turned[9][16][16];
        for (int tap = 0; tap < 9; tap++) {
            for (int i = 0; i < 16; i++) {
                const int ci = ci0 + 16 * v + i;
                __global const float *from = weights + ((long)(8 - tap) * cin + ci) * cout + co0;
                for (int j = 0; j < width; j++)
                    turned[tap][j][i] = ci < cin ? from[j] : 0.0f;
            }
        }
        for (int j = 0; j < width; j++) {
            float16 g[9];
            for (int tap = 0; tap < 9; tap++)
                g[tap] = AT16(__private, turned[tap][j]);
            transform_weights(g,
                              u + ((long)get_global_id(1) * POS * cout + co0 + j) * (16 * V) + 16 * v,
                              (long)cout * (16 * V));
        }
    }
}

/* Images cut into tiles. */
struct images {
    int h, w, c, tiles_y, tiles_x;
};

struct tile {
    int n, y, x; /* its first output pixel */
};

static inline struct tile tile_at(const struct images *g, int t)
{
    const int row = t / g->tiles_x;
    struct tile at = {row / g->tiles_y, row % g->tiles_y * M, t % g->tiles_x * M};
    return at;
}

/* Rows first..first+rows-1 of BT d B of the tile whose inputs begin at (y, x) of image n, for all channels:
 * channel k of the p-th of those positions goes to to[p * step + k]. */
static inline void transform_input(__global const float *in, const struct images *g, struct tile at, int pad,
                                   int first, int rows, __global float *to, long step)
{
    const int y = at.y - pad, x = at.x - pad;
    __global const float *image = in + (((long)at.n * g->h + y) * g->w + x) * g->c;
    const int pitch = g->w * g->c;
    for (int k = 0; k < g->c; k += 16) {
        float16 d[N], half_way[POS], row[N];
#pragma unroll
        for (int j = 0; j < N; j++) {
            const int inside = x + j >= 0 && x + j < g->w;
#pragma unroll
            for (int i = 0; i < N; i++)
                d[i] = inside && y + i >= 0 && y + i < g->h
                           ? take(image + (long)i * pitch + j * g->c + k, g->c - k)
                           : (float16)(0.0f);
            winograd_input(d, 1, half_way + j, N);
        }
        for (int i = 0; i < rows; i++) {
            winograd_input(half_way + (first + i) * N, 1, row, 1);
#pragma unroll
            for (int j = 0; j < N; j++)
                AT16(__global, to + (i * N + j) * step + k) = row[j];
        }
    }
}

/* The same of A dy AT, for channels c0..c1-1. */
static inline void transform_gradient(__global const float *dy, const struct images *g, struct tile at, int c0,
                                      int c1, int first, int rows, __global float *to, long step)
{
    __global const float *image = dy + (((long)at.n * g->h + at.y) * g->w + at.x) * g->c;
    for (int k = c0; k < c1; k += 16) {
        float16 d[M], half_way[N * M], row[N];
#pragma unroll
        for (int j = 0; j < M; j++) {
#pragma unroll
            for (int i = 0; i < M; i++)
                d[i] = at.y + i < g->h && at.x + j < g->w
                           ? take(image + ((long)i * g->w + j) * g->c + k, g->c - k)
                           : (float16)(0.0f);
            winograd_output_gradient(d, 1, half_way + j, M);
        }
        for (int i = 0; i < rows; i++) {
            winograd_output_gradient(half_way + (first + i) * M, 1, row, 1);
#pragma unroll
            for (int j = 0; j < N; j++)
                AT16(__global, to + (i * N + j) * step + k - c0) = row[j];
        }
    }
}

/* product[P][16V] = panel [P][depth], rows `ld` apart, times u [depth][16V]. */
static inline void multiply(__global const float *panel, int ld, __global const float *u, int depth,
                            __global float *product)
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
            w[v] = AT16(__global, u + v * 16);
        u += V * 16;
#pragma unroll
        for (int p = 0; p < P; p++) {
            const float16 a = (float16)(panel[p * ld + k]);
#pragma unroll
            for (int v = 0; v < V; v++)
                acc[p][v] = fma(a, w[v], acc[p][v]);
        }
    }
#pragma unroll
    for (int p = 0; p < P; p++)
#pragma unroll
        for (int v = 0; v < V; v++)
            AT16(__global, product + (p * V + v) * 16) = acc[p][v];
}

/* The outputs of one tile and 16 channels from products that lie `step` apart. */
static inline void transform_output(__global const float *product, long step, __global float *out,
                                    const struct images *g, struct tile at, int left, int add)
{
    float16 column[N], half_way[M * N], row[M];
#pragma unroll
    for (int j = 0; j < N; j++) {
#pragma unroll
        for (int i = 0; i < N; i++)
            column[i] = AT16(__global, product + (i * N + j) * step);
        winograd_output(column, 1, half_way + j, N);
    }
#pragma unroll
    for (int i = 0; i < M; i++) {
        winograd_output(half_way + i * N, 1, row, 1);
#pragma unroll
        for (int j = 0; j < M; j++)
            if (at.y + i < g->h && at.x + j < g->w)
                put(out + (((long)at.n * g->h + at.y + i) * g->w + at.x + j) * g->c, row[j], left, add);
    }
}

/* Work-items: (any number, groups of `group` column tiles); a work-item takes every so-manieth block of tiles
 * and owns `slot` floats of scratch. `tiles` is a multiple of P. */
ONE void winograd_convolve(__global const float *in, __global const float *u, __global float *out,
                           __global float *scratch, long slot, int images, int ih, int iw, int ic, int oh,
                           int ow, int oc, int pad, int tiles, int group, int accumulate)
{
    const struct images from = {ih, iw, ic, (oh + M - 1) / M, (ow + M - 1) / M};
    const struct images to = {oh, ow, oc, from.tiles_y, from.tiles_x};
    const int total = images * from.tiles_y * from.tiles_x, columns = (oc + 16 * V - 1) / (16 * V);
    const int c0 = (int)get_global_id(1) * group, c1 = min(c0 + group, columns);
    const int ld = padded(ic) + 16;
    const long step = (long)tiles * ld + 16;
    scratch += (get_global_id(1) * get_global_size(0) + get_global_id(0)) * slot;
    __global float *products = scratch + POS * step;
    for (int t0 = (int)get_global_id(0) * tiles; t0 < total; t0 += (int)get_global_size(0) * tiles) {
        const int count = min(tiles, total - t0);
        for (int t = 0; t < count; t++)
            transform_input(in, &from, tile_at(&from, t0 + t), pad, 0, N, scratch + t * ld, step);
        for (int c = c0; c < c1; c++) {
            for (int pos = 0; pos < POS; pos++)
                for (int t = 0; t < count; t += P)
                    multiply(scratch + pos * step + t * ld, ld, u + ((long)c * POS + pos) * ic * (16 * V), ic,
                             products + ((long)pos * tiles + t) * (16 * V));
            for (int t = 0; t < count; t++)
                for (int v = 0; v < V; v++)
                    transform_output(products + (t * V + v) * 16, (long)tiles * 16 * V,
                                     out + (c * V + v) * 16, &to, tile_at(&to, t0 + t),
                                     oc - (c * V + v) * 16, accumulate);
        }
    }
}

/* sum[Q][16V], rows `pitch` apart, (+)= x^T [Q][count] dy [count][16V]. */
static inline void accumulate_products(__global const float *x, int ldx, __global const float *dy, int ldy,
                                       int count, __global float *sum, long pitch, int add)
{
    float16 acc[Q][V];
#pragma unroll
    for (int q = 0; q < Q; q++)
#pragma unroll
        for (int v = 0; v < V; v++)
            acc[q][v] = add ? AT16(__global, sum + q * pitch + 16 * v) : (float16)(0.0f);
    for (int t = 0; t < count; t++) {
        float16 d[V];
#pragma unroll
        for (int v = 0; v < V; v++)
            d[v] = AT16(__global, dy + 16 * v);
        dy += ldy;
#pragma unroll
        for (int q = 0; q < Q; q++) {
            const float16 a = (float16)(x[q]);
#pragma unroll
            for (int v = 0; v < V; v++)
                acc[q][v] = fma(a, d[v], acc[q][v]);
        }
        x += ldx;
    }
#pragma unroll
    for (int q = 0; q < Q; q++)
#pragma unroll
        for (int v = 0; v < V; v++)
            AT16(__global, sum + q * pitch + 16 * v) = acc[q][v];
}

/* Work-items: (parts of `share` tiles, groups of `rows` rows of positions, groups of `group` column tiles);
 * each owns `slot` floats of scratch. */
ONE void winograd_gradient(__global const float *x, __global const float *dy, __global float *sums,
                           __global float *scratch, long slot, int images, int h, int w, int cin, int oh,
                           int ow, int cout, int pad, int share, int tiles, int rows, int group)
{
    const struct images from = {h, w, cin, (oh + M - 1) / M, (ow + M - 1) / M};
    const struct images to = {oh, ow, cout, from.tiles_y, from.tiles_x};
    const int total = images * from.tiles_y * from.tiles_x, columns = (cout + 16 * V - 1) / (16 * V);
    const int row = (int)get_global_id(1) * rows;
    const int c0 = (int)get_global_id(2) * group, c1 = min(c0 + group, columns);
    const int depth = padded(cin), ldx = depth + 16, ldy = group * 16 * V + 16;
    const long step_x = (long)tiles * ldx + 16, step_y = (long)tiles * ldy + 16;
    const long pitch = (long)columns * 16 * V;
    const int first = (int)get_global_id(0) * share, last = min(first + share, total);
    const size_t item = (get_global_id(2) * get_global_size(1) + get_global_id(1)) * get_global_size(0) +
                        get_global_id(0);
    scratch += item * slot;
    __global float *gradients = scratch + rows * N * step_x;
    sums += (get_global_id(0) * POS + row * N) * depth * pitch + c0 * 16 * V;
    for (int t0 = first; t0 < last; t0 += tiles) {
        const int count = min(tiles, last - t0);
        for (int t = 0; t < count; t++) {
            const struct tile at = tile_at(&from, t0 + t);
            transform_input(x, &from, at, pad, row, rows, scratch + t * ldx, step_x);
            transform_gradient(dy, &to, at, c0 * 16 * V, c1 * 16 * V, row, rows, gradients + t * ldy, step_y);
        }
        for (int pos = 0; pos < rows * N; pos++)
            for (int k = 0; k < depth; k += Q)
                for (int c = 0; c < c1 - c0; c++)
                    accumulate_products(scratch + pos * step_x + k, ldx, gradients + pos * step_y + c * 16 * V,
                                        ldy, count, sums + ((long)pos * depth + k) * pitch + c * 16 * V, pitch,
                                        t0 > first);
    }
}

/* dweights = GT (sum of the parts) G. Work-items: (k, vectors of 16 columns). */
ONE void winograd_gradient_sum(__global const float *sums, __global float *dweights, int parts, int cin,
                               int cout)
{
    const int k = (int)get_global_id(0), c = (int)get_global_id(1) * 16;
    const long pitch = (cout + 16 * V - 1) / (16 * V) * (16 * V), matrix = padded(cin) * pitch;
    float16 column[N], half_way[3 * N], row[3];
    for (int j = 0; j < N; j++) {
        for (int i = 0; i < N; i++) {
            __global const float *at = sums + (i * N + j) * matrix + k * pitch + c;
            float16 sum = AT16(__global, at);
            for (int q = 1; q < parts; q++)
                sum += AT16(__global, at + q * POS * matrix);
            column[i] = sum;
        }
        winograd_weights_gradient(column, 1, half_way + j, N);
    }
    for (int kh = 0; kh < 3; kh++) {
        winograd_weights_gradient(half_way + kh * N, 1, row, 1);
        for (int kw = 0; kw < 3; kw++)
            put(dweights + ((long)(kh * 3 + kw) * cin + k) * cout + c, row[kw], cout - c, 0);
    }
}
