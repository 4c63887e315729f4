/* y = act(x + b) over [rows, C], b [C], and its gradients.
 *
 * The sums of a bias's gradient go in two steps of fixed order: a work-item, on GPUs (ITEMS is given) a work-group, sums
 * a block of `block_rows` rows into partial [block][C]; bias_finish adds the blocks. VEC divides C (`channels`), TILE
 * (1 to 4) divides C / VEC. */
#include "columns.clh"

#define ACT_WIDTH VEC
#include "activation.clh"

/* One work-item a vector. */
kernel void bias_forward(long rows, int channels, int act, global const float *x, global const float *bias,
                         global float *y)
{
    const size_t i = get_global_id(0);
    const struct place p = place_of((uint)i, (uint)(channels / VEC), VEC);
    if (p.row < (ulong)rows)
        STORE(activated(act, LOAD(x + i * VEC) + LOAD(bias + p.at)), y + i * VEC);
}

/* The gradient by the sum of x and b, of which dx, if it is not NULL, becomes or is added to. */
static inline vec take_gradient(int act, global const float *dy, global const float *x, vec bias, global float *dx,
                                int accumulate)
{
    const vec g = activated_backward(act, LOAD(x) + bias, LOAD(dy));
    if (dx)
        STORE(accumulate ? LOAD(dx) + g : g, dx);
    return g;
}

#ifdef ITEMS

GROUP void bias_backward(long rows, int channels, int act, int block_rows, global const float *dy,
                         global const float *x, global const float *bias, global float *dx, int accumulate,
                         global float *partial)
{
    local vec values[ITEMS];
    const struct stand s = find_stand(channels);
    const long block = get_group_id(0), first = block * block_rows;
    const int n = (int)min(rows - first, (long)block_rows);
    const vec b = LOAD(bias + s.at);
    vec sum = (vec)(0.0f);
    for (int r = s.down; s.inside && r < n; r += DOWN) {
        const long o = (first + r) * channels + s.at;
        sum += take_gradient(act, dy + o, x + o, b, dx ? dx + o : dx, accumulate);
    }
    sum = sum_down(sum, values);
    if (s.writes)
        STORE(sum, partial + block * channels + s.at);
}

GROUP void bias_finish(int channels, int count, global const float *partial, global float *dbias)
{
    local vec values[ITEMS];
    const struct stand s = find_stand(channels);
    vec sum = (vec)(0.0f);
    for (int b = s.down; b < count; b += DOWN)
        sum += LOAD(partial + (long)b * channels + s.at);
    sum = sum_down(sum, values);
    if (s.writes)
        STORE(sum, dbias + s.at);
}

#else

kernel void bias_backward(long rows, int channels, int act, int block_rows, global const float *dy,
                          global const float *x, global const float *bias, global float *dx, int accumulate,
                          global float *partial)
{
    const struct stretch s = stretch_of(rows, channels, block_rows);
    vec b[TILE], sum[TILE];
    if (s.n <= 0)
        return;
#pragma unroll
    for (int v = 0; v < TILE; v++) {
        b[v] = LOAD(bias + s.at + v * VEC);
        sum[v] = (vec)(0.0f);
    }
    for (int r = 0; r < s.n; r++)
#pragma unroll
        for (int v = 0; v < TILE; v++) {
            const long o = (s.first + r) * channels + s.at + v * VEC;
            sum[v] += take_gradient(act, dy + o, x + o, b[v], dx ? dx + o : dx, accumulate);
        }
#pragma unroll
    for (int v = 0; v < TILE; v++)
        STORE(sum[v], partial + s.block * channels + s.at + v * VEC);
}

kernel void bias_finish(int channels, int count, global const float *partial, global float *dbias)
{
    const int at = (int)get_global_id(0) * VEC;
    vec sum = (vec)(0.0f);
    if (at >= channels)
        return;
    for (int b = 0; b < count; b++)
        sum += LOAD(partial + (long)b * channels + at);
    STORE(sum, dbias + at);
}

#endif
