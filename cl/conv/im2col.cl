/* Convolution as a matrix product: patches to rows of a matrix, and back.
 *
 * x [n, h, w, c]; columns [n * oh * ow, kernel * kernel * c], row (n, oy, ox), column (kh, kw, ci), holds
 * x[n, oy*stride-pad+kh, ox*stride-pad+kw, ci], or 0 outside the image. One work-item an element, the channel
 * index fastest, so neighbours read and write neighbours.
 * `first` is the element of x that the first row's image begins with.
 */

/* Work-items: total = rows * kernel * kernel * c, rounded up. */
__kernel void im2col(__global const float *x, __global float *columns, long first, int total, int h, int w,
                     int c, int oh, int ow, int kernel_size, int stride, int pad)
{
    const int i = (int)get_global_id(0);
    if (i >= total)
        return;
    const int ci = i % c, tap = i / c % (kernel_size * kernel_size);
    const int row = i / (c * kernel_size * kernel_size);
    const int iy = row / ow % oh * stride - pad + tap / kernel_size;
    const int ix = row % ow * stride - pad + tap % kernel_size;
    const int inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
    columns[i] = inside ? x[first + (((long)(row / (ow * oh)) * h + iy) * w + ix) * c + ci] : 0.0f;
}

/* dx = the sum of all columns that came from an element: a gather over the taps in ascending order.
 * Work-items: total = n * h * w * c, rounded up. */
__kernel void col2im(__global const float *columns, __global float *dx, long first, int total, int h, int w,
                     int c, int oh, int ow, int kernel_size, int stride, int pad, int accumulate)
{
    const int i = (int)get_global_id(0);
    if (i >= total)
        return;
    const int ci = i % c, ix = i / c % w, iy = i / (c * w) % h, n = i / (c * w * h);
    const long width = (long)kernel_size * kernel_size * c;
    float sum = accumulate ? dx[first + i] : 0.0f;
    for (int kh = 0; kh < kernel_size; kh++) {
        const int y = iy + pad - kh, oy = y / stride;
        if (y < 0 || y % stride != 0 || oy >= oh)
            continue;
        for (int kw = 0; kw < kernel_size; kw++) {
            const int x = ix + pad - kw, ox = x / stride;
            if (x < 0 || x % stride != 0 || ox >= ow)
                continue;
            sum += columns[(((long)n * oh + oy) * ow + ox) * width + (kh * kernel_size + kw) * c + ci];
        }
    }
    dx[first + i] = sum;
}
