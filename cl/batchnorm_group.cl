/* The sums of batchnorm.cl for GPUs, with the same arguments and layouts: a work-group sums a block of rows, or merges
 * all partial sums, in ACROSS vectors of channels. Each of its work-items sums every DOWN-th row, and the DOWN sums of
 * a channel meet in a tree in local memory, in an order that never changes.
 *
 * ITEMS: of a group, a power of two; ACROSS divides it. Groups: (blocks, tiles of ACROSS * VEC channels). */
#ifndef ITEMS
#define ITEMS 256
#endif
#include "batchnorm.clh"

GROUP void batchnorm_moments(long rows, int channels, int block_rows, int blocks, global const float *x,
                             global float *partial)
{
    local vec values[ITEMS];
    const struct stand s = find_stand(channels);
    const long block = get_group_id(0), first = block * block_rows;
    const int n = (int)min(rows - first, (long)block_rows);
    x += first * channels + s.at;
    const vec shift = LOAD(x);
    vec sum = (vec)(0.0f), square = (vec)(0.0f);
    for (int r = s.down; r < n; r += DOWN) {
        const vec d = LOAD(x + (long)r * channels) - shift;
        sum += d;
        square = fma(d, d, square);
    }
    sum = sum_down(sum, values);
    square = sum_down(square, values);
    if (!s.writes)
        return;
    if (s.at == 0)
        partial[(long)blocks * 2 * channels + block] = (float)n;
    partial += block * 2 * channels + s.at;
    const vec offset = sum / (float)n;
    STORE(shift + offset, partial);
    STORE(fmax(square - sum * offset, (vec)(0.0f)), partial + channels);
}

/* From `count` partials that begin `from` floats behind `partial`. */
GROUP void batchnorm_moments_finish(long rows, int channels, int count, global const float *partial, long from,
                                    float eps, float momentum, global float *mean, global float *invstd,
                                    global float *running_mean, global float *running_var)
{
    local vec values[ITEMS];
    const struct stand s = find_stand(channels);
    global const float *block_rows = partial + from + (long)count * 2 * channels;
    partial += from + s.at;
    const vec origin = LOAD(partial);
    vec middle = (vec)(0.0f), squares = (vec)(0.0f);
    for (int b = s.down; b < count; b += DOWN)
        middle = fma((vec)(block_rows[b]), LOAD(partial + (long)b * 2 * channels) - origin, middle);
    middle = origin + sum_down(middle, values) / (float)rows;
    for (int b = s.down; b < count; b += DOWN) {
        const vec d = LOAD(partial + (long)b * 2 * channels) - middle;
        squares += fma(block_rows[b] * d, d, LOAD(partial + (long)b * 2 * channels + channels));
    }
    squares = sum_down(squares, values);
    if (s.writes)
        finish_moments(rows, s.at, middle, squares, eps, momentum, mean, invstd, running_mean, running_var);
}

/* Per channel the sums of g = dy behind the activation and of g (x - mean). y is NULL where there was no residual. */
GROUP void batchnorm_sums(long rows, int channels, int act, int block_rows, global const float *dy,
                          global const float *x, global const float *y, global const float *mean,
                          global const float *invstd, global const float *gamma, global const float *beta,
                          global float *partial)
{
    local vec values[ITEMS];
    const struct stand s = find_stand(channels);
    const long block = get_group_id(0), first = block * block_rows;
    const int n = (int)min(rows - first, (long)block_rows);
    const vec centre = LOAD(mean + s.at), scale = LOAD(gamma + s.at) * LOAD(invstd + s.at), shift = LOAD(beta + s.at);
    vec sum = (vec)(0.0f), product = (vec)(0.0f);
    for (int r = s.down; r < n; r += DOWN) {
        const long o = (first + r) * channels + s.at;
        const vec value = LOAD(x + o);
        const vec g = behind(act, LOAD(dy + o), y ? y + o : y, value, centre, scale, shift);
        sum += g;
        product = fma(g, value - centre, product);
    }
    sum = sum_down(sum, values);
    product = sum_down(product, values);
    if (s.writes) {
        partial += block * 2 * channels + s.at;
        STORE(sum, partial);
        STORE(product, partial + channels);
    }
}

GROUP void batchnorm_sums_finish(int channels, int count, global const float *partial, long from,
                                 global const float *invstd, global float *dgamma, global float *dbeta)
{
    local vec values[ITEMS];
    const struct stand s = find_stand(channels);
    partial += from + s.at;
    vec sum = (vec)(0.0f), product = (vec)(0.0f);
    for (int b = s.down; b < count; b += DOWN) {
        sum += LOAD(partial + (long)b * 2 * channels);
        product += LOAD(partial + (long)b * 2 * channels + channels);
    }
    sum = sum_down(sum, values);
    product = sum_down(product, values);
    if (s.writes) {
        STORE(sum, dbeta + s.at);
        STORE(product * LOAD(invstd + s.at), dgamma + s.at);
    }
}
