/* The weight gradient of a 2-d convolution in bf16: dW[ky, kx, ci, co] = sum over images and output pixels of
 * x[n, oy*stride-pad+ky, ox*stride-pad+kx, ci] * dy[n, oy, ox, co].
 *
 * The CPU multiplies and adds pairs. A pair here is the same pixel of two neighbouring images: such pairs are the
 * same for every tap, so x and dy are rounded and woven once (conv_pairs) and then read where they lie, taps in
 * the border left out by the loops' bounds:
 *     pairs[n / 2][c / 16][h][w][16][2], zero for the partner of an odd last image.
 * A work-item of conv_paired owns `cigroup` tiles of 16 ci in all taps times `cogroup` tiles of 16 co for one part
 * of the image pairs. It goes through them in blocks of whole rows or of whole images that fit the second cache
 * with its sums, [part][tap][ci tile][co tile][16][16], which conv_weights_sum adds in ascending order. */
#include "conv/conv_met.clh"
#include "conv/conv_sum.clh"
#include "tile.clh"
#include "bf16.clh"

/* Sixteen pairs. */
typedef int16 __attribute__((aligned(4))) pairs;

/* work[begin + ...] = from [n, h*w, 16 * tiles] woven. Work-items: (pairs of images, blocks of `block` pixels). */
ONE void conv_pairs(__global const float *from, __global pairs *work, long begin, int n, int pixels, int tiles,
                    int block)
{
    const int q = (int)get_global_id(0), p0 = (int)get_global_id(1) * block, p1 = min(p0 + block, pixels);
    const long image = (long)pixels * tiles * 16;
    __global const float *even = from + 2 * q * image, *odd = even + image;
    const int both = 2 * q + 1 < n;
    __global pairs *to = work + begin + (long)q * tiles * pixels;
    for (int p = p0; p < p1; p++)
        for (int c = 0; c < tiles; c++) {
            const long at = ((long)p * tiles + c) * 16;
            float16 partner = (float16)(0.0f);
            if (both)
                partner = AT16(__global, odd + at);
            to[(long)c * pixels + p] = bf16_weave(AT16(__global, even + at), partner);
        }
}

/* The pixels that a tap meets in a block: output rows y0..y1 and columns x0..x1 of image pairs q0..q1. */
struct met {
    int q0, q1, y0, y1, x0, x1;
};

struct sides {
    int h, w, cin, oh, ow, cout, kernel_size, stride, pad; /* cin and cout in tiles of 16 */
};

/* sum[16][16] and, TWO, the next tile += the products of the pairs at x and dy, planes of the first image pair of
 * one tile; x begins at the tap. Two tiles go eight rows at a time, which takes fewer loads a product. */
#define ACCUMULATE(name, TWO)                                                                                \
    static inline void name(__global const pairs *x, __global const pairs *dy, const struct sides *s,        \
                            struct met m, __global float *sum)                                               \
    {                                                                                                        \
        const int next = s->oh * s->ow;                                                                      \
        enum { ROWS = 16 / TWO };                                                                            \
        for (int row = 0; row < 16; row += ROWS) {                                                           \
            float16 acc[ROWS][TWO];                                                                          \
            _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                    \
                _Pragma("unroll") for (int v = 0; v < TWO; v++)                                              \
                    acc[i][v] = AT16(__global, sum + 256 * v + 16 * (row + i));                              \
            for (int q = m.q0; q < m.q1; q++)                                                                \
                for (int y = m.y0; y < m.y1; y++) {                                                          \
                    __global const int *a = (__global const int *)(x + (long)q * s->cin * s->h * s->w +      \
                                                                   (y * s->w + m.x0) * s->stride) +          \
                                            row;                                                             \
                    __global const pairs *d = dy + (long)q * s->cout * next + y * s->ow + m.x0;              \
                    for (int i = m.x0; i < m.x1; i++) {                                                      \
                        const int16 d0 = d[0], d1 = TWO > 1 ? d[next] : d0;                                  \
                        _Pragma("unroll") for (int k = 0; k < ROWS; k++)                                        \
                        {                                                                                    \
                            acc[k][0] = bf16_dot(acc[k][0], (int16)(a[k]), d0);                              \
                            if (TWO > 1)                                                                     \
                                acc[k][TWO - 1] = bf16_dot(acc[k][TWO - 1], (int16)(a[k]), d1);              \
                        }                                                                                    \
                        a += 16 * s->stride;                                                                 \
                        d++;                                                                                 \
                    }                                                                                        \
                }                                                                                            \
            _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                                 \
                _Pragma("unroll") for (int v = 0; v < TWO; v++)                                              \
                    AT16(__global, sum + 256 * v + 16 * (row + i)) = acc[i][v];                              \
        }                                                                                                    \
    }
ACCUMULATE(accumulate_one, 1)
ACCUMULATE(accumulate_two, 2)

/* Work-items: (parts, groups of ci tiles, groups of co tiles). Part i takes `share` image pairs from i * share on,
 * of `count`, in blocks of `rows` rows of `together` image pairs. work: the sums, the pairs of x, those of dy. */
ONE void conv_paired(__global pairs *work, long x_begin, long dy_begin, int count, int share,
                     int rows, int together, int h, int w, int cin, int oh, int ow, int cout,
                     int kernel_size, int stride, int pad, int cigroup, int cogroup)
{
    const struct sides s = {h, w, cin, oh, ow, cout, kernel_size, stride, pad};
    const int taps = kernel_size * kernel_size, first = (int)get_global_id(0) * share;
    const int last = min(first + share, count);
    const int ci0 = (int)get_global_id(1) * cigroup, ci1 = min(ci0 + cigroup, cin);
    const int co0 = (int)get_global_id(2) * cogroup, co1 = min(co0 + cogroup, cout);
    __global const pairs *x = work + x_begin, *dy = work + dy_begin;
    __global float *mine = (__global float *)work + (long)get_global_id(0) * taps * cin * cout * 256;
    for (int tap = 0; tap < taps; tap++)
        for (int ci = ci0; ci < ci1; ci++)
            for (int i = co0 * 16; i < co1 * 16; i++)
                AT16(__global, mine + ((long)(tap * cin + ci) * cout * 16 + i) * 16) = (float16)(0.0f);
    for (int q = first; q < last; q += together)
        for (int y = 0; y < oh; y += rows)
            for (int ci = ci0; ci < ci1; ci++)
                for (int tap = 0; tap < taps; tap++) {
                    const int ty = tap / kernel_size - pad, tx = tap % kernel_size - pad;
                    const struct met m = {q, min(q + together, last), max(y, first_met(ty, stride)),
                                          min(y + rows, last_met(ty, stride, h, oh)), first_met(tx, stride),
                                          last_met(tx, stride, w, ow)};
                    __global const pairs *from = x + ((long)ci * h + ty) * w + tx;
                    __global float *sum = mine + ((long)(tap * cin + ci) * cout + co0) * 256;
                    if (m.y0 >= m.y1 || m.x0 >= m.x1)
                        continue;
                    int co = co0;
                    for (; co + 2 <= co1; co += 2, sum += 512)
                        accumulate_two(from, dy + (long)co * oh * ow, &s, m, sum);
                    if (co < co1)
                        accumulate_one(from, dy + (long)co * oh * ow, &s, m, sum);
                }
}
