/* 3x3 convolution of stride 1 for GPUs by Winograd's F(M x M, 3 x 3), see winograd.clh: the transforms, between which
 * conv_tiled.cl multiplies POS = N * N pairs of matrices.
 *
 * Layouts: images [n, h, w, c], weights [3, 3, cin, cout]. An image is cut into tiles of M x M outputs, read from
 * N x N inputs that begin `pad` pixels above and to the left; a chunk of tiles is transformed at a time.
 *   inputs   V [POS][chunk][c]     of x, or of dy for the data gradient
 *   weights  U [POS][cin][cout]    for the data gradient with the taps in reverse
 *   outputs  from products [POS][chunk][c]
 *   outputs' gradients  Z [POS][chunk][cout], and weights' gradients from sums [POS][parts][cin][cout] of V^T Z
 *
 * A work-item transforms VEC adjacent channels of one tile, or of one row of the weights; neighbours the next ones.
 * VEC divides the channels. Groups that make outputs are ITEMS work-items, ACROSS side by side and each row of them with a
 * tile of its own: their outputs are a block of moments, as batchnorm.cl merges them. */
#ifndef ITEMS
#define ITEMS 256
#endif
#include "group_sum.clh"

#define ACT_WIDTH VEC
#include "activation.clh"
typedef vec lanes;
#include "conv/winograd.clh"

#define POS (N * N)

/* The first pixel of tile `t` of outputs h x w, and the tile's image. */
struct tile {
    int image, y, x;
};

static inline struct tile tile_at(int t, int h, int w)
{
    const int across = (w + M - 1) / M, down = (h + M - 1) / M;
    const int row = t / across;
    const struct tile at = {row / down, row % down * M, (t - row * across) * M};
    return at;
}

/* Channels of pixel (y, x) of an image; zero outside it. */
static inline lanes load_inside(global const float *from, int image, int y, int x, int h, int w, int channels)
{
    lanes value = (lanes)(0.0f);
    if ((uint)y < (uint)h && (uint)x < (uint)w)
        value = LOAD(from + ((image * h + y) * w + x) * channels);
    return value;
}

/* Tiles first.. of images h x w into v; the outputs are oh x ow. */
kernel void winograd_inputs(global const float *in, global float *v, int h, int w, int channels, int oh, int ow,
                            int pad, int first, int count, int chunk)
{
    const int each = channels / VEC, id = (int)get_global_id(0);
    if (id >= count * each)
        return;
    const int c = id % each * VEC;
    const struct tile at = tile_at(first + id / each, oh, ow);
    const int y0 = at.y - pad, x0 = at.x - pad;
    lanes d[POS], row[N];
#pragma unroll
    for (int j = 0; j < N; j++) {
        lanes column[N];
#pragma unroll
        for (int i = 0; i < N; i++)
            column[i] = load_inside(in + c, at.image, y0 + i, x0 + j, h, w, channels);
        winograd_input(column, 1, d + j, N);
    }
    v += (long)(id / each) * channels + c;
#pragma unroll
    for (int i = 0; i < N; i++) {
        winograd_input(d + i * N, 1, row, 1);
#pragma unroll
        for (int j = 0; j < N; j++)
            STORE(row[j], v + (long)(i * N + j) * chunk * channels);
    }
}

kernel void winograd_weights_forward(global const float *weights, global float *u, int size, int turned)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at >= size)
        return;
    lanes half_way[N * 3], row[N];
#pragma unroll
    for (int kw = 0; kw < 3; kw++) {
        lanes g[3];
#pragma unroll
        for (int kh = 0; kh < 3; kh++)
            g[kh] = LOAD(weights + (turned ? 8 - 3 * kh - kw : 3 * kh + kw) * size + at);
        winograd_weights(g, 1, half_way + kw, 3);
    }
#pragma unroll
    for (int i = 0; i < N; i++) {
        winograd_weights(half_way + 3 * i, 1, row, 1);
#pragma unroll
        for (int j = 0; j < N; j++)
            STORE(row[j], u + (long)(i * N + j) * size + at);
    }
}

/* A tile's outputs [M][M] from its products, which lie `step` apart. */
static inline void transform_products(global const float *products, long step, lanes *y)
{
    lanes half_way[M * N];
#pragma unroll
    for (int j = 0; j < N; j++) {
        lanes column[N];
#pragma unroll
        for (int i = 0; i < N; i++)
            column[i] = LOAD(products + (i * N + j) * step);
        winograd_output(column, 1, half_way + j, N);
    }
#pragma unroll
    for (int i = 0; i < M; i++)
        winograd_output(half_way + i * N, 1, y + i * M, 1);
}

/* Of the images, in tiles before `t`. */
static inline int pixels_before(struct tile t, int h, int w)
{
    return (t.image * h + t.y) * w + min(M, h - t.y) * t.x;
}

/* The mean and the sum of squared distances to it. */
struct moments {
    lanes mean, squares;
};

/* Of outputs y[M][M], of which high x wide exist. */
static inline struct moments moments_of(const lanes *y, int high, int wide)
{
    struct moments m = {(lanes)(0.0f), (lanes)(0.0f)};
#pragma unroll
    for (int i = 0; i < M * M; i++)
        m.mean += i / M < high && i % M < wide ? y[i] : (lanes)(0.0f);
    m.mean /= (float)max(high * wide, 1);
#pragma unroll
    for (int i = 0; i < M * M; i++) {
        const lanes d = i / M < high && i % M < wide ? y[i] - m.mean : (lanes)(0.0f);
        m.squares = fma(d, d, m.squares);
    }
    return m;
}

/* Merge the group's moments of `pixels` pixels, of which `own_pixels` are a work-item's, to to[0] and to[channels]. */
static inline void leave_moments(struct moments own, float own_pixels, int pixels, local lanes *values,
                                 global float *to, int channels, int writes)
{
    const lanes mean = sum_down(own_pixels * own.mean, values) / (float)pixels, d = own.mean - mean;
    const lanes squares = sum_down(fma(own_pixels * d, d, own.squares), values);
    if (writes) {
        STORE(mean, to);
        STORE(squares, to + channels);
    }
}

/* Outputs of tiles first.. from their products. For evaluation they become act(y * affine[0] + affine[1] + residual);
 * for training the moments of blocks of them are left, from block `block` of `blocks` on. Pointers that are NULL ask for
 * nothing. Groups: (blocks, tiles of ACROSS * VEC channels). */
GROUP void winograd_outputs(global const float *products, global float *out, int h, int w, int channels, int first,
                            int count, int chunk, int accumulate, global const float *affine,
                            global const float *residual, int act, global float *moments, int block, int blocks)
{
    local lanes values[ITEMS];
    const int lid = (int)get_local_id(0), begin = (int)get_group_id(0) * DOWN, tile = begin + lid / ACROSS;
    const int c = ((int)get_group_id(1) * ACROSS + lid % ACROSS) * VEC;
    const struct tile at = tile_at(first + tile, h, w);
    const int high = tile < count && c < channels ? min(M, h - at.y) : 0, wide = min(M, w - at.x);
    lanes y[M * M];
    if (high)
        transform_products(products + (long)tile * channels + c, (long)chunk * channels, y);
#pragma unroll
    for (int i = 0; i < M * M; i++) {
        if (i / M < high && i % M < wide) {
            const int pixel = ((at.image * h + at.y + i / M) * w + at.x + i % M) * channels + c;
            lanes value = accumulate ? LOAD(out + pixel) + y[i] : y[i];
            if (affine)
                value = fma(value, LOAD(affine + c), LOAD(affine + channels + c));
            if (residual)
                value += LOAD(residual + pixel);
            STORE(activated(act, value), out + pixel);
        }
    }
    if (moments) {
        const int pixels = pixels_before(tile_at(first + min(begin + DOWN, count), h, w), h, w) -
                           pixels_before(tile_at(first + begin, h, w), h, w);
        const long to = block + (long)get_group_id(0);
        leave_moments(moments_of(y, high, wide), (float)(high * wide), pixels, values, moments + to * 2 * channels + c,
                      channels, lid < ACROSS && c < channels);
        if (lid == 0 && c == 0)
            moments[(long)blocks * 2 * channels + to] = (float)pixels;
    }
}

/* Tiles first.. of dy into z. */
kernel void winograd_output_gradients(global const float *dy, global float *z, int h, int w, int channels, int first,
                                      int count, int chunk)
{
    const int each = channels / VEC, id = (int)get_global_id(0);
    if (id >= count * each)
        return;
    const int c = id % each * VEC;
    const struct tile at = tile_at(first + id / each, h, w);
    z += (long)(id / each) * channels + c;
    lanes half_way[N * M], row[N];
#pragma unroll
    for (int j = 0; j < M; j++) {
        lanes column[M];
#pragma unroll
        for (int i = 0; i < M; i++)
            column[i] = load_inside(dy + c, at.image, at.y + i, at.x + j, h, w, channels);
        winograd_output_gradient(column, 1, half_way + j, M);
    }
#pragma unroll
    for (int i = 0; i < N; i++) {
        winograd_output_gradient(half_way + i * M, 1, row, 1);
#pragma unroll
        for (int j = 0; j < N; j++)
            STORE(row[j], z + (long)(i * N + j) * chunk * channels);
    }
}

/* dweights = or += what the sums' parts, first to last, transform to. */
kernel void winograd_weight_gradients(global const float *sums, global float *dweights, int size, int parts,
                                      int accumulate)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at >= size)
        return;
    lanes half_way[3 * N], row[3];
#pragma unroll
    for (int j = 0; j < N; j++) {
        lanes column[N];
#pragma unroll
        for (int i = 0; i < N; i++) {
            global const float *from = sums + (long)(i * N + j) * parts * size + at;
            column[i] = LOAD(from);
            for (int p = 1; p < parts; p++)
                column[i] += LOAD(from + (long)p * size);
        }
        winograd_weights_gradient(column, 1, half_way + j, N);
    }
#pragma unroll
    for (int i = 0; i < 3; i++) {
        winograd_weights_gradient(half_way + i * N, 1, row, 1);
#pragma unroll
        for (int j = 0; j < 3; j++) {
            global float *to = dweights + (3 * i + j) * size + at;
            STORE(accumulate ? LOAD(to) + row[j] : row[j], to);
        }
    }
}
