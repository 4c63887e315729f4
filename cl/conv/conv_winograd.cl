/* 3x3 convolution of stride 1 for CPU cores by Winograd's F(M x M, 3 x 3): M * M outputs for N * N products a
 * pair of channels instead of 9 * M * M.
 *
 * Layouts: images [n, h, w, c], weights [3, 3, cin, cout]. An image is cut into tiles of M x M outputs, read
 * from N x N inputs that begin `pad` pixels above and to the left; what lies outside the image is zero and what
 * lies outside the output is not stored. The transform has POS = N * N positions, each a matrix product.
 *
 * Forward and data gradient are one kernel, winograd_convolve. A work-item goes through blocks of P tiles. It
 * transforms a block's inputs for all channels into its own scratch [POS][P][K], then, for 16V output channels
 * at a time, multiplies every position by the packed weights U [column tile][POS][K][16V] in register tiles of
 * R x 16V, and transforms the products [POS][P][16V] back. Longer blocks would fetch U less often, but lose more
 * by leaving the second cache.
 *
 * Weight gradient: dU[pos] = sum over tiles of (BT x B)[pos]^T (A dy AT)[pos], a chunk of tiles at a time.
 * winograd_inputs and winograd_outputs transform a chunk that the third cache can hold, winograd_products adds its
 * products to dU [POS][cin][16V * columns]. Where the second cache can hold dU as well as a small chunk,
 * winograd_shares does all that with a dU for each work-item. winograd_gradient transforms dU back.
 *
 * What follows a forward pass is conv_epilogue.clh's; the data gradient has nothing.
 *
 * With BF16 inputs and weights are rounded to bf16 once they are transformed, which pairs of neighbouring k are
 * multiplied and added from; their channels are then a multiple of 16. There is no weight gradient.
 *
 * Tunables (build options): M 2 or 4; P tiles of a block; R, V as in conv_direct.cl, R divides P; Q rows of a
 * register tile of the weight gradient, which divides 16; BLOCK tiles between loading and storing such a tile. */
#include "conv/conv_epilogue.clh"
#include "number.clh"
#include "tile.clh"
typedef float16 lanes;
#include "conv/winograd.clh"

#ifndef P
#define P 12
#endif
#ifndef R
#define R P
#endif
#ifndef V
#define V 2
#endif
#ifndef Q
#define Q 8
#endif
#ifndef BLOCK
#define BLOCK 128
#endif
#define POS (N * N)

static inline int padded(int channels)
{
    return (channels + 15) / 16 * 16;
}

static inline int padded_columns(int channels)
{
    return (channels + 16 * V - 1) / (16 * V) * (16 * V);
}

/* All positions of G g GT from g[3 * kh + kw]. */
static inline void transform_weights(const float16 *from, float16 *to)
{
    float16 half_way[N * 3];
#pragma unroll
    for (int kw = 0; kw < 3; kw++)
        winograd_weights(from + kw, 3, half_way + kw, 3);
#pragma unroll
    for (int i = 0; i < N; i++)
        winograd_weights(half_way + 3 * i, 1, to + N * i, 1);
}

/* U for the forward pass. Work-items: (blocks of 16 k, column tiles). */
ONE void winograd_pack(__global const float *weights, __global num *u, int cin, int cout)
{
    const int k0 = (int)get_global_id(0) * 16, c = (int)get_global_id(1) * 16 * V;
    for (int k = k0; k < min(k0 + 16, cin); k += STEP) {
        for (int v = 0; v < V; v++) {
            __global num *to = u + ((long)get_global_id(1) * POS * cin + k) * (16 * V) + 16 * v * STEP;
            float16 g[9], all[STEP][POS];
            for (int i = 0; i < STEP; i++) {
                for (int tap = 0; tap < 9; tap++)
                    g[tap] = take(weights + ((long)tap * cin + k + i) * cout + c + 16 * v, cout - c - 16 * v);
                transform_weights(g, all[i]);
            }
            for (int pos = 0; pos < POS; pos++)
                VECTOR(__global, to + (long)pos * cin * (16 * V)) = WEAVE(all[0][pos], all[1][pos]);
        }
    }
}

/* U for the data gradient: channels change sides and taps go backwards. Work-items: (blocks of 16 co, column
 * tiles of ci). */
ONE void winograd_pack_transposed(__global const float *weights, __global num *u, int cin, int cout)
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
        for (int j = 0; j < width; j += STEP) {
            __global num *to = u + ((long)get_global_id(1) * POS * cout + co0 + j) * (16 * V) + 16 * v * STEP;
            float16 g[9], all[STEP][POS];
            for (int i = 0; i < STEP; i++) {
                for (int tap = 0; tap < 9; tap++)
                    g[tap] = AT16(__private, turned[tap][j + i]);
                transform_weights(g, all[i]);
            }
            for (int pos = 0; pos < POS; pos++)
                VECTOR(__global, to + (long)pos * cout * (16 * V)) = WEAVE(all[0][pos], all[1][pos]);
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

/* Where the N x N inputs of a tile lie: those outside the image at `zeros`, which holds a zero a channel. */
static inline void find_inputs(__global const float *in, const struct images *g, struct tile at, int pad,
                               __global const float *zeros, __global const float **from)
{
    for (int i = 0; i < N; i++) {
        const int y = at.y - pad + i;
        __global const float *line = in + ((long)at.n * g->h + y) * g->w * g->c;
        for (int j = 0; j < N; j++) {
            const int x = at.x - pad + j;
            from[i * N + j] = y >= 0 && y < g->h && x >= 0 && x < g->w ? line + x * g->c : zeros;
        }
    }
}

/* BT d B for channels k..k+15, of which `left` exist: position p goes to to[p * step]. */
static inline void transform_inputs(__global const float *const *from, int k, int left, __global num *to,
                                    long step)
{
    float16 d[N], half_way[POS], row[N];
#pragma unroll
    for (int j = 0; j < N; j++) {
#pragma unroll
        for (int i = 0; i < N; i++)
            d[i] = take(from[i * N + j] + k, left);
        winograd_input(d, 1, half_way + j, N);
    }
    for (int i = 0; i < N; i++) {
        winograd_input(half_way + i * N, 1, row, 1);
#pragma unroll
        for (int j = 0; j < N; j++)
            *(__global numbers *)(to + (i * N + j) * step) = NUMBERS(row[j]);
    }
}

/* The same for all channels of a tile: groups of 16 lie `next` apart. */
static inline void transform_input(__global const float *in, const struct images *g, struct tile at, int pad,
                                   __global const float *zeros, __global num *to, long step, long next)
{
    __global const float *from[POS];
    int k = 0;
    find_inputs(in, g, at, pad, zeros, from);
    for (; k + 16 <= g->c; k += 16)
        transform_inputs(from, k, 16, to + k / 16 * next, step);
    if (k < g->c)
        transform_inputs(from, k, g->c - k, to + k / 16 * next, step);
}

/* product[P][16V] = panel [P][depth], rows `ld` apart, times u [depth][16V], R rows at a time. */
static inline void multiply(__global const num *panel, int ld, __global const num *u, int depth,
                            __global float *product)
{
    for (int p0 = 0; p0 < P; p0 += R, panel += R * ld, product += R * V * 16) {
        float16 acc[R][V];
#pragma unroll
        for (int p = 0; p < R; p++)
#pragma unroll
            for (int v = 0; v < V; v++)
                acc[p][v] = (float16)(0.0f);
        for (int k = 0; k < depth; k += STEP) {
            vector w[V];
#pragma unroll
            for (int v = 0; v < V; v++)
                w[v] = VECTOR(__global, u + (k * V + v * STEP) * 16);
#pragma unroll
            for (int p = 0; p < R; p++) {
                const vector a = (vector)(*(__global const word *)(panel + p * ld + k));
#pragma unroll
                for (int v = 0; v < V; v++)
                    acc[p][v] = MULTIPLY_ADD(a, w[v], acc[p][v]);
            }
        }
#pragma unroll
        for (int p = 0; p < R; p++)
#pragma unroll
            for (int v = 0; v < V; v++)
                AT16(__global, product + (p * V + v) * 16) = acc[p][v];
    }
}

/* Sums over pixels about one of them, the origin. */
struct sums {
    float16 origin, sum, squares;
    int count;
};

static inline void add_pixel(struct sums *s, float16 y)
{
    const float16 d = y - s->origin;
    s->sum += d;
    s->squares = fma(d, d, s->squares);
    s->count++;
}

/* The outputs of one tile in channels c.. from products that lie `step` apart. */
static inline void transform_output(__global const float *product, long step, __global float *out,
                                    const struct images *g, struct tile at, int c, int add,
                                    const struct epilogue *e, struct affine affine, struct sums *sums)
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
        if (i == 0 && sums->count == 0)
            sums->origin = row[0];
#pragma unroll
        for (int j = 0; j < M; j++)
            if (at.y + i < g->h && at.x + j < g->w) {
                const long pixel = (((long)at.n * g->h + at.y + i) * g->w + at.x + j) * g->c;
                if (e->affine)
                    row[j] = normalised(e, affine, row[j], pixel, c);
                if (e->moments)
                    add_pixel(sums, row[j]);
                put(out + pixel + c, row[j], g->c - c, add);
            }
    }
}

/* The same of `count` tiles from t0 on. Returns how many pixels they have. */
static inline int transform_outputs(__global const float *products, const struct images *g, int t0, int count,
                                    __global float *out, int c, int add, const struct epilogue *e, int seen)
{
    struct affine affine = {(float16)(1.0f), (float16)(0.0f)};
    struct sums sums = {(float16)(0.0f), (float16)(0.0f), (float16)(0.0f), 0};
    if (e->affine)
        affine = affine_at(e, c);
    for (int t = 0; t < count; t++)
        transform_output(products + t * V * 16, P * 16 * V, out, g, tile_at(g, t0 + t), c, add, e, affine, &sums);
    if (e->moments) {
        const float16 offset = sums.sum / (float)sums.count;
        merge_moments(e, c, seen, sums.count, sums.origin + offset,
                      fmax(fma(-sums.sum, offset, sums.squares), (float16)(0.0f)));
    }
    return sums.count;
}

static inline void clear(__global float *to, int count)
{
    for (int i = 0; i < count; i += 16)
        AT16(__global, to + i) = (float16)(0.0f);
}

/* Work-items: (up to the number of blocks, groups of `group` column tiles); a work-item takes every so-manieth block of P tiles
 * and owns `slot` floats of scratch: zeros [K], inputs [POS][P][K], products [POS][P][16V]. */
ONE void winograd_convolve(__global const float *in, __global const num *u, __global float *out,
                           __global float *scratch, long slot, int images, int ih, int iw, int ic, int oh,
                           int ow, int oc, int pad, int group, int accumulate, __global const float *affine,
                           __global const float *residual, int act, __global float *moments)
{
    const struct epilogue e = epilogue_of(affine, residual, act, moments, oc);
    const struct images from = {ih, iw, ic, (oh + M - 1) / M, (ow + M - 1) / M};
    const struct images to = {oh, ow, oc, from.tiles_y, from.tiles_x};
    const int total = images * from.tiles_y * from.tiles_x, columns = (oc + 16 * V - 1) / (16 * V);
    const int c0 = (int)get_global_id(1) * group, c1 = min(c0 + group, columns);
    const int ld = padded(ic) + 16 * STEP, step = P * ld + 16 * STEP;
    __global float *zeros = scratch + (get_global_id(1) * get_global_size(0) + get_global_id(0)) * slot;
    __global num *inputs = (__global num *)(zeros + ld);
    __global float *products = (__global float *)(inputs + POS * step);
    int seen = 0; /* outputs */
    clear(zeros, ld);
    for (int t0 = (int)get_global_id(0) * P; t0 < total; t0 += (int)get_global_size(0) * P) {
        const int count = min(P, total - t0);
        int outputs = 0;
        for (int t = 0; t < count; t++)
            transform_input(in, &from, tile_at(&from, t0 + t), pad, zeros, inputs + t * ld, step,
                            16);
        for (int c = c0; c < c1; c++) {
            for (int pos = 0; pos < POS; pos++)
                multiply(inputs + pos * step, ld, u + ((long)c * POS + pos) * ic * (16 * V), ic,
                         products + pos * (P * 16 * V));
            for (int v = 0; v < V; v++)
                outputs = transform_outputs(products + v * 16, &to, t0, count, out, (c * V + v) * 16, accumulate,
                                            &e, seen);
        }
        seen += outputs;
    }
    count_pixels(moments, oc, seen);
}

#ifndef BF16

/* A dy AT for all channels of a tile: groups of 16V lie `next` apart. */
static inline void transform_gradient(__global const float *dy, const struct images *g, struct tile at,
                                      __global float *to, long step, long next)
{
    __global const float *image = dy + (((long)at.n * g->h + at.y) * g->w + at.x) * g->c;
    for (int k = 0; k < padded_columns(g->c); k += 16) {
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
        for (int i = 0; i < N; i++) {
            winograd_output_gradient(half_way + i * M, 1, row, 1);
#pragma unroll
            for (int j = 0; j < N; j++)
                AT16(__global, to + (i * N + j) * step + k / (16 * V) * next + k % (16 * V)) = row[j];
        }
    }
}

/* sum[Q][16V], rows `pitch` apart, (+)= x^T dy, where x is Q of 16 columns and dy [count][16V]. */
static inline void accumulate_products(__global const float *x, __global const float *dy, int count,
                                       __global float *sum, long pitch, int add)
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
            d[v] = AT16(__global, dy + t * (16 * V) + 16 * v);
#pragma unroll
        for (int q = 0; q < Q; q++) {
            const float16 a = (float16)(x[t * 16 + q]);
#pragma unroll
            for (int v = 0; v < V; v++)
                acc[q][v] = fma(a, d[v], acc[q][v]);
        }
    }
#pragma unroll
    for (int q = 0; q < Q; q++)
#pragma unroll
        for (int v = 0; v < V; v++)
            AT16(__global, sum + q * pitch + 16 * v) = acc[q][v];
}

/* Distance between positions, in floats: off a power of two, so that they fall into different sets. */
static inline long position_step(int chunk, int channels)
{
    return (long)chunk * channels + 16;
}

/* Transform tiles first.. of x into v [POS][cin / 16][chunk][16], `share` tiles a work-item. zeros
 * [work-items][cin]. */
ONE void winograd_inputs(__global const float *x, __global float *v, __global float *zeros, int h, int w,
                         int cin, int oh, int ow, int pad, int first, int count, int chunk, int share)
{
    const struct images from = {h, w, cin, (oh + M - 1) / M, (ow + M - 1) / M};
    const int t0 = (int)get_global_id(0) * share;
    zeros += get_global_id(0) * padded(cin);
    clear(zeros, padded(cin));
    for (int t = t0; t < min(t0 + share, count); t++)
        transform_input(x, &from, tile_at(&from, first + t), pad, zeros, v + t * 16,
                        position_step(chunk, padded(cin)), chunk * 16);
}

/* The same of dy into z [POS][columns / 16V][chunk][16V]. */
ONE void winograd_outputs(__global const float *dy, __global float *z, int oh, int ow, int cout, int first,
                          int count, int chunk, int share)
{
    const struct images from = {oh, ow, cout, (oh + M - 1) / M, (ow + M - 1) / M};
    const int t0 = (int)get_global_id(0) * share;
    for (int t = t0; t < min(t0 + share, count); t++)
        transform_gradient(dy, &from, tile_at(&from, first + t), z + t * (16 * V),
                           position_step(chunk, padded_columns(cout)), chunk * (16 * V));
}

/* Rows k0..k1 of one position's sums [cin][columns] (+)= v^T z over `count` tiles, of the `chunk` that there is
 * room for. */
static inline void multiply_tiles(__global const float *v, __global const float *z, __global float *sums, int k0,
                                  int k1, int pitch, int count, int chunk, int add)
{
    for (int t = 0; t < count; t += BLOCK)
        for (int c = 0; c < pitch; c += 16 * V)
            for (int k = k0; k < k1; k += Q)
                accumulate_products(v + ((long)(k / 16) * chunk + t) * 16 + k % 16, z + ((long)c * chunk + t * (16 * V)),
                                    min(BLOCK, count - t), sums + (long)k * pitch + c, pitch, add || t > 0);
}

/* sums[POS][cin][columns] (+)= v^T z over the `count` tiles of a chunk. Work-items: (POS, blocks of `rows` rows
 * of cin). `rows` is a multiple of 16. */
ONE void winograd_products(__global const float *v, __global const float *z, __global float *sums, int cin,
                           int cout, int count, int chunk, int rows, int add)
{
    const int pos = (int)get_global_id(0), depth = padded(cin), pitch = padded_columns(cout);
    const int k0 = (int)get_global_id(1) * rows, k1 = min(k0 + rows, depth);
    multiply_tiles(v + pos * position_step(chunk, depth), z + pos * position_step(chunk, pitch),
                   sums + (long)pos * depth * pitch, k0, k1, pitch, count, chunk, add);
}

/* All three for few channels: a work-item takes `share` of `total` tiles, `chunk` at a time, to sums of its own,
 * sums[work-item][POS][cin][columns]. It owns `slot` floats of scratch: zeros [cin], then v and z of a chunk. */
ONE void winograd_shares(__global const float *x, __global const float *dy, __global float *sums,
                         __global float *scratch, long slot, int h, int w, int cin, int oh, int ow, int cout,
                         int pad, int total, int share, int chunk)
{
    const struct images from = {h, w, cin, (oh + M - 1) / M, (ow + M - 1) / M};
    const struct images to = {oh, ow, cout, from.tiles_y, from.tiles_x};
    const int depth = padded(cin), pitch = padded_columns(cout), first = (int)get_global_id(0) * share;
    const long step_v = position_step(chunk, depth), step_z = position_step(chunk, pitch);
    __global float *zeros = scratch + get_global_id(0) * slot, *v = zeros + depth, *z = v + POS * step_v;
    const int last = min(first + share, total);
    sums += get_global_id(0) * POS * depth * pitch;
    clear(zeros, depth);
    for (int t0 = first; t0 < last; t0 += chunk) {
        const int count = min(chunk, last - t0);
        for (int t = 0; t < count; t++) {
            transform_input(x, &from, tile_at(&from, t0 + t), pad, zeros, v + t * 16, step_v, chunk * 16);
            transform_gradient(dy, &to, tile_at(&to, t0 + t), z + t * (16 * V), step_z, chunk * (16 * V));
        }
        for (int pos = 0; pos < POS; pos++)
            multiply_tiles(v + pos * step_v, z + pos * step_z, sums + (long)pos * depth * pitch, 0, depth, pitch,
                           count, chunk, t0 > first);
    }
}

/* dweights = GT sums G, sums[parts][POS][cin][columns] added in ascending order. Work-items: (k, vectors of 16
 * columns). */
ONE void winograd_gradient(__global const float *sums, __global float *dweights, int parts, int cin, int cout)
{
    const int k = (int)get_global_id(0), c = (int)get_global_id(1) * 16;
    const long pitch = padded_columns(cout), matrix = padded(cin) * pitch;
    float16 column[N], half_way[3 * N], row[3];
    sums += k * pitch + c;
#pragma unroll
    for (int j = 0; j < N; j++) {
#pragma unroll
        for (int i = 0; i < N; i++) {
            column[i] = AT16(__global, sums + (i * N + j) * matrix);
            for (int q = 1; q < parts; q++)
                column[i] += AT16(__global, sums + (q * POS + i * N + j) * matrix);
        }
        winograd_weights_gradient(column, 1, half_way + j, N);
    }
#pragma unroll
    for (int kh = 0; kh < 3; kh++) {
        winograd_weights_gradient(half_way + kh * N, 1, row, 1);
#pragma unroll
        for (int kw = 0; kw < 3; kw++)
            put(dweights + ((long)(kh * 3 + kw) * cin + k) * cout + c, row[kw], cout - c, 0);
    }
}

#endif
