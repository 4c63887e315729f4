/* Batch norm over [rows, C] (Ioffe and Szegedy, 2015), with residual add and activation.
 *
 * Sums over rows go in three steps of fixed order: a work-item sums BLOCK rows of TILE vectors of channels
 * into `partial` [block][2][C]; `*_merge` turns FAN partials into one where there are more than FAN; `*_finish`
 * reduces the rest, one work-item for VEC channels. Variances are sums of squared distances to a row of the same
 * block, merged as means and sums of squares about them (Chan, Golub and LeVeque, 1983), so that a mean far from
 * zero costs no digits. Behind partial moments [block][2][C] lies the number of rows of each, [block], since a
 * convolution that leaves them (conv_epilogue.clh) cuts its rows as it sees fit.
 *
 * VEC divides C (`channels`), TILE (1 to 4) divides C / VEC. UNROLL: rows at a time, for independent sums. C and
 * the activation are arguments, so that layers share programs: compiling one takes most of a second. */
#include "batchnorm.clh"

#ifndef UNROLL
#define UNROLL 8
#endif
#ifndef FAN
#define FAN 64
#endif

kernel void batchnorm_moments(long rows, int channels, int block_rows, int blocks, global const float *x,
                              global float *partial)
{
    const struct stretch s = stretch_of(rows, channels, block_rows);
    const int n = s.n, at = s.at;
    if (n <= 0)
        return;
    x += s.first * channels + at;

    vec shift[TILE], sum[UNROLL][TILE], square[UNROLL][TILE];
#pragma unroll
    for (int v = 0; v < TILE; v++) {
        shift[v] = LOAD(x + v * VEC);
#pragma unroll
        for (int u = 0; u < UNROLL; u++)
            sum[u][v] = square[u][v] = (vec)(0.0f);
    }
    int r = 0;
    for (; r + UNROLL <= n; r += UNROLL) {
#pragma unroll
        for (int u = 0; u < UNROLL; u++)
#pragma unroll
            for (int v = 0; v < TILE; v++) {
                vec d = LOAD(x + (long)(r + u) * channels + v * VEC) - shift[v];
                sum[u][v] += d;
                square[u][v] = fma(d, d, square[u][v]);
            }
    }
    for (; r < n; r++)
#pragma unroll
        for (int v = 0; v < TILE; v++) {
            vec d = LOAD(x + (long)r * channels + v * VEC) - shift[v];
            sum[0][v] += d;
            square[0][v] = fma(d, d, square[0][v]);
        }
    if (at == 0)
        partial[(long)blocks * 2 * channels + s.block] = (float)n;
    partial += s.block * 2 * channels + at;
#pragma unroll
    for (int v = 0; v < TILE; v++) {
#pragma unroll
        for (int u = 1; u < UNROLL; u++) {
            sum[0][v] += sum[u][v];
            square[0][v] += square[u][v];
        }
        vec offset = sum[0][v] / (float)n;
        STORE(shift[v] + offset, partial + v * VEC);
        STORE(fmax(square[0][v] - sum[0][v] * offset, (vec)(0.0f)), partial + channels + v * VEC);
    }
}

struct moments {
    vec mean, squares; /* squares: the sum of squared distances to the mean */
    float count;
};

/* The moments of partials first..last-1 of `rows[]` rows each. */
static struct moments pooled(global const float *partial, global const float *rows, int channels, long first,
                             long last)
{
    const vec origin = LOAD(partial + first * 2 * channels);
    struct moments m = {(vec)(0.0f), (vec)(0.0f), 0.0f};
    for (long b = first; b < last; b++) {
        m.mean = fma((vec)(rows[b]), LOAD(partial + b * 2 * channels) - origin, m.mean);
        m.count += rows[b];
    }
    m.mean = origin + m.mean / m.count;
    for (long b = first; b < last; b++) {
        vec d = LOAD(partial + b * 2 * channels) - m.mean;
        m.squares += fma(rows[b] * d, d, LOAD(partial + b * 2 * channels + channels));
    }
    return m;
}

/* Merges `count` partials at the start of `partial` and writes the fewer `merged_at` floats behind it. */
kernel void batchnorm_moments_merge(int channels, int count, global float *partial, long merged_at)
{
    const struct place p = place_of((uint)get_global_id(0), (uint)(channels / VEC), VEC);
    const int at = p.at, merged = (count + FAN - 1) / FAN;
    const long j = p.row;
    if (j >= merged)
        return;
    struct moments m = pooled(partial + at, partial + (long)count * 2 * channels, channels, j * FAN,
                              min((j + 1) * FAN, (long)count));
    STORE(m.mean, partial + merged_at + j * 2 * channels + at);
    STORE(m.squares, partial + merged_at + j * 2 * channels + channels + at);
    if (at == 0)
        partial[merged_at + (long)merged * 2 * channels + j] = m.count;
}

/* From `count` partials that begin `from` floats behind `partial`. */
kernel void batchnorm_moments_finish(long rows, int channels, int count, global const float *partial, long from,
                                     float eps, float momentum, global float *mean, global float *invstd,
                                     global float *running_mean, global float *running_var)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at >= channels)
        return;
    partial += from;
    struct moments m = pooled(partial + at, partial + (long)count * 2 * channels, channels, 0, count);
    finish_moments(rows, at, m.mean, m.squares, eps, momentum, mean, invstd, running_mean, running_var);
}

kernel void batchnorm_invstd(int channels, float eps, global const float *variance, global float *invstd)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at < channels)
        STORE(1.0f / sqrt(LOAD(variance + at) + eps), invstd + at);
}

/* Evaluation as x * scale + shift: affine [2][channels]. */
kernel void batchnorm_affine(int channels, float eps, global const float *running_mean,
                             global const float *running_var, global const float *gamma,
                             global const float *beta, global float *affine)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at >= channels)
        return;
    const vec scale = LOAD(gamma + at) / sqrt(LOAD(running_var + at) + eps);
    STORE(scale, affine + at);
    STORE(fma(-LOAD(running_mean + at), scale, LOAD(beta + at)), affine + channels + at);
}

/* residual may be NULL. One work-item a vector. */
kernel void batchnorm_apply(long rows, int channels, int act, global const float *x, global const float *residual,
                            global const float *mean, global const float *invstd, global const float *gamma,
                            global const float *beta, global float *y)
{
    const size_t i = get_global_id(0);
    const struct place p = place_of((uint)i, (uint)(channels / VEC), VEC);
    const int at = p.at;
    if (p.row >= (ulong)rows)
        return;
    vec out = normalised(LOAD(x + i * VEC), LOAD(mean + at), LOAD(gamma + at) * LOAD(invstd + at),
                         LOAD(beta + at));
    if (residual)
        out += LOAD(residual + i * VEC);
    STORE(activated(act, out), y + i * VEC);
}

/* Per channel the sums of g = dy behind the activation and of g (x - mean). y is NULL where there was no residual. */
kernel void batchnorm_sums(long rows, int channels, int act, int block_rows, global const float *dy, global const float *x,
                           global const float *y, global const float *mean, global const float *invstd,
                           global const float *gamma, global const float *beta, global float *partial)
{
    const struct stretch s = stretch_of(rows, channels, block_rows);
    const int n = s.n, at = s.at;
    if (n <= 0)
        return;
    dy += s.first * channels + at;
    x += s.first * channels + at;
    if (y)
        y += s.first * channels + at;

    vec centre[TILE], scale[TILE], shift[TILE], sum[UNROLL][TILE], product[UNROLL][TILE];
#pragma unroll
    for (int v = 0; v < TILE; v++) {
        centre[v] = LOAD(mean + at + v * VEC);
        scale[v] = LOAD(gamma + at + v * VEC) * LOAD(invstd + at + v * VEC);
        shift[v] = LOAD(beta + at + v * VEC);
#pragma unroll
        for (int u = 0; u < UNROLL; u++)
            sum[u][v] = product[u][v] = (vec)(0.0f);
    }
/* Adds row r to sums u; BEHIND is the gradient g of `value` at offset o behind the activation. */
#define ADD_ROW(r, u, BEHIND)                                                                                \
    _Pragma("unroll") for (int v = 0; v < TILE; v++)                                                         \
    {                                                                                                        \
        const long o = (long)(r)*channels + v * VEC;                                                         \
        const vec value = LOAD(x + o);                                                                       \
        vec g = LOAD(dy + o);                                                                                \
        g = BEHIND;                                                                                          \
        sum[u][v] += g;                                                                                      \
        product[u][v] = fma(g, value - centre[v], product[u][v]);                                            \
    }
#define ADD_ROWS(BEHIND)                                                                                     \
    do {                                                                                                     \
        int r = 0;                                                                                           \
        for (; r + UNROLL <= n; r += UNROLL) {                                                               \
            _Pragma("unroll") for (int u = 0; u < UNROLL; u++) ADD_ROW(r + u, u, BEHIND)                     \
        }                                                                                                    \
        for (; r < n; r++)                                                                                   \
            ADD_ROW(r, 0, BEHIND)                                                                            \
    } while (0)
    if (act == ACT_NONE) /* a loop each, so that none tests act and y for each vector */
        ADD_ROWS(g);
    else if (y)
        ADD_ROWS(gated(g, LOAD(y + o)));
    else if (act == ACT_RELU)
        ADD_ROWS(gated(g, normalised(value, centre[v], scale[v], shift[v])));
    else
        for (int r = 0; r < n; r++)
            ADD_ROW(r, 0, g * gelu_slope(normalised(value, centre[v], scale[v], shift[v])))
    partial += s.block * 2 * channels + at;
#pragma unroll
    for (int v = 0; v < TILE; v++) {
#pragma unroll
        for (int u = 1; u < UNROLL; u++) {
            sum[0][v] += sum[u][v];
            product[0][v] += product[u][v];
        }
        STORE(sum[0][v], partial + v * VEC);
        STORE(product[0][v], partial + channels + v * VEC);
    }
}

/* The sum of partials first..last-1. */
static vec summed(global const float *partial, int channels, long first, long last)
{
    vec total = (vec)(0.0f);
    for (long b = first; b < last; b++)
        total += LOAD(partial + b * 2 * channels);
    return total;
}

kernel void batchnorm_sums_merge(int channels, int count, global float *partial, long merged_at)
{
    const struct place p = place_of((uint)get_global_id(0), (uint)(2 * channels / VEC), VEC); /* both halves */
    const int at = p.at;
    const long j = p.row;
    if (j * FAN >= count)
        return;
    STORE(summed(partial + at, channels, j * FAN, min((j + 1) * FAN, (long)count)),
          partial + merged_at + j * 2 * channels + at);
}

kernel void batchnorm_sums_finish(int channels, int count, global const float *partial, long from,
                                  global const float *invstd, global float *dgamma, global float *dbeta)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at >= channels)
        return;
    STORE(summed(partial + from + at, channels, 0, count), dbeta + at);
    STORE(summed(partial + from + channels + at, channels, 0, count) * LOAD(invstd + at), dgamma + at);
}

/* dx = gamma invstd (g - dbeta part - xhat dgamma part), part = 1 / rows, or 0 where mean and invstd are not those
 * of x; dresidual (may be NULL) = or += g. */
kernel void batchnorm_backward(long rows, int channels, int act, float part, global const float *dy, global const float *x,
                               global const float *y, global const float *mean, global const float *invstd,
                               global const float *gamma, global const float *beta,
                               global const float *dgamma, global const float *dbeta, global float *dx,
                               global float *dresidual, int accumulate)
{
    const size_t i = get_global_id(0);
    const struct place p = place_of((uint)i, (uint)(channels / VEC), VEC);
    const int at = p.at;
    if (p.row >= (ulong)rows)
        return;
    const vec centre = LOAD(mean + at), inverse = LOAD(invstd + at), scale = LOAD(gamma + at) * inverse;
    const vec value = LOAD(x + i * VEC);
    const vec g = behind(act, LOAD(dy + i * VEC), y ? y + i * VEC : y, value, centre, scale, LOAD(beta + at));
    vec slope = LOAD(dgamma + at) * inverse * part;
    STORE(scale * (g - LOAD(dbeta + at) * part - (value - centre) * slope), dx + i * VEC);
    if (dresidual)
        STORE(accumulate ? LOAD(dresidual + i * VEC) + g : g, dresidual + i * VEC);
}
