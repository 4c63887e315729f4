/* 2-d convolution on AMX tiles: forward and data gradient, which are one kernel, conv_amx:
 *     out[n, oy, ox, co] (+)= sum over (ty, tx, ci) of in[n, (oy*mul+off+ty)/div, (ox*mul+off+tx)/div, ci] *
 *                             B[(ty, tx), ci, co],        taps left out that do not divide or lie outside
 * forward:        mul = the stride, div = 1, off = -pad, B = the weights.
 * data gradient:  in = dy, mul = 1, div = the stride, off = pad - kernel + 1, B = the transposed weights in
 *                 descending tap order.
 *
 * The sixteen rows of a tile are the same pixel of sixteen images, so that pixels of any image size and stride fill
 * tiles and share the taps that they leave out. A work-item takes the two tiles of 32 images, some rows and columns
 * of output pixels, and some tiles of output channels. It keeps the input rows that the next `block` output rows
 * need, rounded to bf16, in a ring of rows [column][ci / K][32 images][K] in its private memory, which is to stay in
 * the second cache; each is packed once. Sums go by way of a stage, from which whole runs of channels are written.
 * Packed B: [co / 16T][taps][ci / K][T][K / 2][16][2], for each T tiles of B one after the other.
 *
 * Tunables (build options): K channels that a product sums, 32 or 16, which divides those of `in`; T tiles of
 * output channels multiplied at a time, 2 or 1, so that 16T divides them; RING numbers of the ring; STAGE pixels
 * of the stage. */
#include "amx.clh"
#include "conv/conv_epilogue.clh"
#include "tile.clh"
#include "transpose.clh"

#ifndef K
#define K 32
#endif
#ifndef T
#define T 2
#endif
#ifndef RING
#define RING 393216
#endif
#ifndef STAGE
#define STAGE 32
#endif

#define IMAGES 32
#define TILE (16 * K) /* numbers of a tile of A or of B */
/* Floats between images in the stage: whole lines, an odd number of them, so that rows of a tile fall into
 * different cache sets. */
#define PITCH (STAGE * 16 * T + 16)

#if K == 32
typedef int16 row;
#define PACK(from) bf16_two(AT16(__global, from), AT16(__global, (from) + 16))
#define WIDENED(row) (row)
#else
typedef int8 row;
#define PACK(from) bf16_one(AT16(__global, from))
#define WIDENED(row) ((int16)(row, (int8)(0)))
#endif

/* What is read: `pixel`, `line` and `image` are floats between pixels, rows and images. */
struct input {
    int h, w, c, pixel, line;
    long image;
};

struct taps {
    int size, mul, div, off;
};

/* The taps of one coordinate o that lie inside: first, first + div, ..., `count` of them, which read at, at + 1, ... */
struct reach {
    int first, at, count;
};

static inline struct reach reach_of(int o, const struct taps *t, int size)
{
    const int begin = o * t->mul + t->off;
    struct reach r = {max(0, -begin), 0, 0};
    r.at = begin + r.first;
    if (t->div > 1) {
        const int over = r.at % t->div;
        if (over) {
            r.first += t->div - over;
            r.at += t->div - over;
        }
        r.at /= t->div;
    }
    const int left = t->size - r.first;
    r.count = left > 0 ? min((left + t->div - 1) / t->div, size - r.at) : 0;
    return r;
}

/* to[column][c / K][32][K] = `columns` pixels of `count` images. Rows of images that are not there are left as they
 * are: nothing reads their sums. */
static inline void pack_row(__global const float *from, const struct input *in, int columns, int count,
                            ushort *to)
{
    for (int n = 0; n < count; n++)
        for (int x = 0; x < columns; x++) {
            __global const float *pixel = from + n * in->image + (long)x * in->pixel;
            row *at = (row *)(to + x * in->c * IMAGES) + n;
            for (int c = 0; c < in->c; c += K)
                at[c / K * IMAGES] = PACK(pixel + c);
        }
}

/* sums += A * B over `steps` pairs of tiles of A and T tiles of B, one behind the other. */
static inline void multiply(const ushort *a, __global const ushort *b, int steps)
{
    for (int i = 0; i < steps; i++) {
        AMX_LOAD(4, a, 2 * K);
        AMX_LOAD(6, b, 64);
        AMX_MULTIPLY(0, 4, 6);
        AMX_LOAD(5, a + TILE, 2 * K);
        AMX_MULTIPLY(1, 5, 6);
#if T == 2
        AMX_LOAD(7, b + TILE, 64);
        AMX_MULTIPLY(2, 4, 7);
        AMX_MULTIPLY(3, 5, 7);
#endif
        a += 2 * TILE;
        b += T * TILE;
    }
}

/* The ring: `slots` rows of `line` numbers, of which the first column is `left`. */
struct ring {
    ushort *store;
    int slots, left;
    long line;
};

/* One pixel of 32 images, 16T channels: stage[image][T][16] = its sums. */
static inline void convolve(const struct ring *ring, struct reach y, struct reach x, const struct taps *t, int ic,
                            __global const ushort *b, float *stage)
{
    const int steps = ic / K;
    AMX_ZERO(0);
    AMX_ZERO(1);
    AMX_ZERO(2);
    AMX_ZERO(3);
    for (int j = 0; j < y.count; j++) {
        const int tap = (y.first + j * t->div) * t->size + x.first;
        const ushort *a = ring->store + (y.at + j) % ring->slots * ring->line + (x.at - ring->left) * ic * IMAGES;
        __global const ushort *w = b + (long)tap * steps * T * TILE;
        if (t->div == 1)
            multiply(a, w, x.count * steps);
        else
            for (int i = 0; i < x.count; i++)
                multiply(a + i * ic * IMAGES, w + (long)i * t->div * steps * T * TILE, steps);
    }
    AMX_STORE(0, stage, PITCH * 4);
    AMX_STORE(1, stage + 16 * PITCH, PITCH * 4);
#if T == 2
    AMX_STORE(2, stage + 16, PITCH * 4);
    AMX_STORE(3, stage + 16 * PITCH + 16, PITCH * 4);
#endif
}

/* Outputs of 32 images at the places `at`, channels c.., of which the first `count` images are there. */
struct outputs {
    __global float *first; /* of the first image */
    long image;            /* floats between images, */
    long begin;            /* and before the first */
    int count, c, add;
};

/* Write `pixels` pixels; `seen` values of each channel came before them. */
static inline void write_stage(const float *stage, const struct outputs *out, const long *at, int pixels,
                               int seen, const struct epilogue *e)
{
    for (int v = 0; v < T; v++, stage += 16) {
        const int c = out->c + 16 * v;
        struct affine affine = {(float16)(1.0f), (float16)(0.0f)};
        const float16 origin = AT16(__private, stage);
        float16 sum = (float16)(0.0f), squares = (float16)(0.0f);
        if (e->affine)
            affine = affine_at(e, c);
        for (int n = 0; n < out->count; n++)
            for (int p = 0; p < pixels; p++) {
                const long place = out->begin + n * out->image + at[p];
                float16 y = AT16(__private, stage + n * PITCH + p * 16 * T);
                if (out->add)
                    y += AT16(__global, out->first + place + c);
                if (e->affine)
                    y = normalised(e, affine, y, place, c);
                if (e->moments) {
                    const float16 d = y - origin;
                    sum += d;
                    squares = fma(d, d, squares);
                }
                AT16(__global, out->first + place + c) = y;
            }
        if (e->moments) {
            const float16 mean = sum / (float)(out->count * pixels);
            merge_moments(e, c, seen, out->count * pixels, origin + mean, fma(-mean, sum, squares));
        }
    }
}

static inline int first_read(int o, const struct taps *t)
{
    return max(0, (o * t->mul + t->off + t->div - 1) / t->div);
}

static inline int last_read(int o, const struct taps *t, int size)
{
    return min(size, (o * t->mul + t->off + t->size - 1) / t->div + 1);
}

/* Work-items: (groups of 32 images times blocks of `rows` rows times blocks of `cols` columns, groups of `group`
 * column tiles). */
ONE void conv_amx(__global const float *from, __global const ushort *b, __global float *to, int images, int ih,
                  int iw, int ic, int in_pixel, int in_line, long in_image, int oh, int ow, int oc, int size,
                  int mul, int div, int off, int rows, int cols, int block, int slots, int group, int accumulate,
                  __global const float *affine, __global const float *residual, int act, __global float *moments)
{
    float16 ring_store[RING / 32], stage_store[IMAGES * PITCH / 16];
    float *stage = (float *)stage_store;
    long at[STAGE];
    const struct epilogue last = epilogue_of(affine, residual, act, moments, oc);
    const struct input in = {ih, iw, ic, in_pixel, in_line, in_image};
    const struct taps t = {size, mul, div, off};
    const int across = (ow + cols - 1) / cols, down = (oh + rows - 1) / rows, item = (int)get_global_id(0);
    const int n0 = item / across / down * IMAGES, y0 = item / across % down * rows, y1 = min(y0 + rows, oh);
    const int x0 = item % across * cols, width = min(cols, ow - x0);
    const int c0 = (int)get_global_id(1) * group, c1 = min(c0 + group, oc / (16 * T));
    const int left = first_read(x0, &t), columns = last_read(x0 + width - 1, &t, iw) - left;
    const struct ring ring = {(ushort *)ring_store, slots, left, (long)columns * ic * IMAGES};
    const long image = (long)oh * ow * oc;
    struct outputs out = {to, image, n0 * image, min(IMAGES, images - n0), 0, accumulate};
    from += n0 * in_image + (long)left * in_pixel;
    amx_begin(K);
    int packed = 0;
    for (int y = y0; y < y1; y += block) {
        const int end = min(y + block, y1), bottom = last_read(end - 1, &t, ih);
        packed = max(packed, first_read(y, &t));
        for (; packed < bottom; packed++)
            pack_row(from + (long)packed * in_line, &in, columns, out.count, ring.store + packed % slots * ring.line);
        for (int c = c0; c < c1; c++)
            for (int q = 0, some; q < (end - y) * width; q += some) {
                some = min(STAGE, (end - y) * width - q);
                for (int p = 0; p < some; p++) {
                    const int oy = y + (q + p) / width, ox = x0 + (q + p) % width;
                    convolve(&ring, reach_of(oy, &t, ih), reach_of(ox, &t, iw), &t, ic,
                             b + (long)c * size * size * ic * 16 * T, stage + p * 16 * T);
                    at[p] = ((long)oy * ow + ox) * oc;
                }
                out.c = c * 16 * T;
                write_stage(stage, &out, at, some, ((y - y0) * width + q) * out.count, &last);
            }
    }
    amx_end();
    count_pixels(moments, oc, (y1 - y0) * width * out.count);
}

/* Where in packed B a work-item's tiles lie. Work-items of both: (co / 16T, taps, ci / K). */
static inline __global int16 *packed_at(__global ushort *b)
{
    const size_t block = get_global_id(0) * get_global_size(1) + get_global_id(1);
    return (__global int16 *)(b + (block * get_global_size(2) + get_global_id(2)) * T * TILE);
}

/* Weights [taps, ci, co]. */
ONE void conv_amx_pack(__global const float *weights, __global ushort *b, int oc)
{
    const size_t k = (get_global_id(1) * get_global_size(2) + get_global_id(2)) * K;
    __global const float *from = weights + k * oc + get_global_id(0) * 16 * T;
    __global int16 *to = packed_at(b);
    for (int i = 0; i < K / 2; i++, from += 2 * oc)
        for (int v = 0; v < T; v++)
            to[v * K / 2 + i] = bf16_weave(AT16(__global, from + 16 * v), AT16(__global, from + oc + 16 * v));
}

/* For the data gradient, weights [taps, co, ci], taps in descending order. */
ONE void conv_amx_pack_transposed(__global const float *weights, __global ushort *b, int oc)
{
    const size_t tap = get_global_size(1) - 1 - get_global_id(1), ic = get_global_size(2) * K;
    __global const float *from = weights + (tap * oc + get_global_id(0) * 16 * T) * ic + get_global_id(2) * K;
    __global int16 *to = packed_at(b);
    for (int v = 0; v < T; v++, from += 16 * ic, to += K / 2) {
        int16 rows[16];
#pragma unroll
        for (int i = 0; i < 16; i++)
            rows[i] = WIDENED(PACK(from + i * ic));
        transpose(rows);
#pragma unroll
        for (int i = 0; i < K / 2; i++)
            to[i] = rows[i];
    }
}
