/* Batch norm over [rows, C] (Ioffe and Szegedy, 2015), with residual add and ReLU.
 *
 * Sums over rows go in three steps of fixed order: a work-item sums BLOCK rows of TILE vectors of channels
 * into `partial` [block][2][C]; `*_merge` turns FAN partials into one where there are more than FAN; `*_finish`
 * reduces the rest, one work-item for VEC channels. Variances are sums of squared distances to a row of the same
 * block, merged as means and sums of squares about them (Chan, Golub and LeVeque, 1983), so that a mean far from
 * zero costs no digits.
 *
 * C: channels. VEC divides C, TILE (1 to 4) divides C / VEC. UNROLL: rows at a time, for independent sums.
 * RELU: 0 or 1. */
#include "vector.clh"

#ifndef C
#define C 16
#endif
#ifndef TILE
#define TILE 1
#endif
#ifndef UNROLL
#define UNROLL 8
#endif
#ifndef RELU
#define RELU 1
#endif
#ifndef FAN
#define FAN 64
#endif

#define SPAN   (TILE * VEC)
#define TILES  (C / SPAN)
#define GROUPS (C / VEC)

/* The output before residual and ReLU. Forward and backward must round alike: backward finds the ReLU's mask
 * from it where there was no residual. */
static inline vec normalised(vec x, vec mean, vec scale, vec beta)
{
    return fma(x - mean, scale, beta);
}

kernel void batchnorm_stats(long rows, int block_rows, global const float *x, global float *partial)
{
    const long block = get_global_id(0) / TILES;
    const int at = (int)(get_global_id(0) % TILES) * SPAN;
    const long first = block * block_rows;
    if (first >= rows)
        return;
    const int n = (int)min(rows - first, (long)block_rows);
    x += first * C + at;

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
                vec d = LOAD(x + (long)(r + u) * C + v * VEC) - shift[v];
                sum[u][v] += d;
                square[u][v] = fma(d, d, square[u][v]);
            }
    }
    for (; r < n; r++)
#pragma unroll
        for (int v = 0; v < TILE; v++) {
            vec d = LOAD(x + (long)r * C + v * VEC) - shift[v];
            sum[0][v] += d;
            square[0][v] = fma(d, d, square[0][v]);
        }
    partial += block * 2 * C + at;
#pragma unroll
    for (int v = 0; v < TILE; v++) {
#pragma unroll
        for (int u = 1; u < UNROLL; u++) {
            sum[0][v] += sum[u][v];
            square[0][v] += square[u][v];
        }
        vec offset = sum[0][v] / (float)n;
        STORE(shift[v] + offset, partial + v * VEC);
        STORE(fmax(square[0][v] - sum[0][v] * offset, (vec)(0.0f)), partial + C + v * VEC);
    }
}

struct moments {
    vec mean, squares; /* squares: the sum of squared distances to the mean */
};

/* The moments of partials first..last-1, each of `span` rows but for the last of all. */
static struct moments pooled(global const float *partial, long first, long last, long rows, long span)
{
    const float total = (float)(min(rows, last * span) - first * span);
    const vec origin = LOAD(partial + first * 2 * C);
    struct moments m = {(vec)(0.0f), (vec)(0.0f)};
    for (long b = first; b < last; b++) {
        float n = (float)min(span, rows - b * span);
        m.mean = fma((vec)(n), LOAD(partial + b * 2 * C) - origin, m.mean);
    }
    m.mean = origin + m.mean / total;
    for (long b = first; b < last; b++) {
        float n = (float)min(span, rows - b * span);
        vec d = LOAD(partial + b * 2 * C) - m.mean;
        m.squares += fma(n * d, d, LOAD(partial + b * 2 * C + C));
    }
    return m;
}

/* Merges `count` partials at the start of `partial` and writes the fewer `merged_at` floats behind it. */
kernel void batchnorm_stats_merge(long rows, long span, int count, global float *partial, long merged_at)
{
    const long j = get_global_id(0) / GROUPS;
    const int at = (int)(get_global_id(0) % GROUPS) * VEC;
    if (j * FAN >= count)
        return;
    struct moments m = pooled(partial + at, j * FAN, min((j + 1) * FAN, (long)count), rows, span);
    STORE(m.mean, partial + merged_at + j * 2 * C + at);
    STORE(m.squares, partial + merged_at + j * 2 * C + C + at);
}

/* From `count` partials that begin `from` floats behind `partial`. */
kernel void batchnorm_stats_finish(long rows, long span, int count, global const float *partial, long from,
                                   float eps, float momentum, global float *mean, global float *invstd,
                                   global float *running_mean, global float *running_var)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at >= C)
        return;
    struct moments m = pooled(partial + from + at, 0, count, rows, span);
    STORE(m.mean, mean + at);
    STORE(1.0f / sqrt(m.squares / (float)rows + eps), invstd + at);
    vec unbiased = m.squares / (float)max(rows - 1, 1L);
    STORE(fma((vec)(momentum), m.mean, (1.0f - momentum) * LOAD(running_mean + at)), running_mean + at);
    STORE(fma((vec)(momentum), unbiased, (1.0f - momentum) * LOAD(running_var + at)), running_var + at);
}

kernel void batchnorm_invstd(float eps, global const float *variance, global float *invstd)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at < C)
        STORE(1.0f / sqrt(LOAD(variance + at) + eps), invstd + at);
}

/* residual may be NULL. One work-item a vector. */
kernel void batchnorm_apply(long rows, global const float *x, global const float *residual,
                            global const float *mean, global const float *invstd, global const float *gamma,
                            global const float *beta, global float *y)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)rows * GROUPS)
        return;
    const int at = (int)(i % GROUPS) * VEC;
    vec out = normalised(LOAD(x + i * VEC), LOAD(mean + at), LOAD(gamma + at) * LOAD(invstd + at),
                         LOAD(beta + at));
    if (residual)
        out += LOAD(residual + i * VEC);
#if RELU
    out = rectified(out);
#endif
    STORE(out, y + i * VEC);
}

/* Per channel the sums of g = dy behind the mask and of g (x - mean). y is NULL where there was no residual. */
kernel void batchnorm_sums(long rows, int block_rows, global const float *dy, global const float *x,
                           global const float *y, global const float *mean, global const float *invstd,
                           global const float *gamma, global const float *beta, global float *partial)
{
    const long block = get_global_id(0) / TILES;
    const int at = (int)(get_global_id(0) % TILES) * SPAN;
    const long first = block * block_rows;
    if (first >= rows)
        return;
    const int n = (int)min(rows - first, (long)block_rows);
    dy += first * C + at;
    x += first * C + at;
    if (y)
        y += first * C + at;

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
/* Adds row r to sums u; OUTPUT is the forward output, of `value` or at offset o. */
#define ADD_ROW(r, u, OUTPUT)                                                                                \
    _Pragma("unroll") for (int v = 0; v < TILE; v++)                                                         \
    {                                                                                                        \
        const long o = (long)(r)*C + v * VEC;                                                                \
        const vec value = LOAD(x + o);                                                                       \
        vec g = LOAD(dy + o);                                                                                \
        if (RELU)                                                                                            \
            g = gated(g, OUTPUT);                                                                            \
        sum[u][v] += g;                                                                                      \
        product[u][v] = fma(g, value - centre[v], product[u][v]);                                            \
    }
#define ADD_ROWS(OUTPUT)                                                                                     \
    do {                                                                                                     \
        int r = 0;                                                                                           \
        for (; r + UNROLL <= n; r += UNROLL) {                                                               \
            _Pragma("unroll") for (int u = 0; u < UNROLL; u++) ADD_ROW(r + u, u, OUTPUT)                     \
        }                                                                                                    \
        for (; r < n; r++)                                                                                   \
            ADD_ROW(r, 0, OUTPUT)                                                                            \
    } while (0)
    if (y) /* two loops, so that neither tests y for each vector */
        ADD_ROWS(LOAD(y + o));
    else
        ADD_ROWS(normalised(value, centre[v], scale[v], shift[v]));
    partial += block * 2 * C + at;
#pragma unroll
    for (int v = 0; v < TILE; v++) {
#pragma unroll
        for (int u = 1; u < UNROLL; u++) {
            sum[0][v] += sum[u][v];
            product[0][v] += product[u][v];
        }
        STORE(sum[0][v], partial + v * VEC);
        STORE(product[0][v], partial + C + v * VEC);
    }
}

/* The sum of partials first..last-1. */
static vec summed(global const float *partial, long first, long last)
{
    vec total = (vec)(0.0f);
    for (long b = first; b < last; b++)
        total += LOAD(partial + b * 2 * C);
    return total;
}

kernel void batchnorm_sums_merge(int count, global float *partial, long merged_at)
{
    const long j = get_global_id(0) / (2 * GROUPS);
    const int at = (int)(get_global_id(0) % (2 * GROUPS)) * VEC; /* both halves */
    if (j * FAN >= count)
        return;
    STORE(summed(partial + at, j * FAN, min((j + 1) * FAN, (long)count)),
          partial + merged_at + j * 2 * C + at);
}

kernel void batchnorm_sums_finish(int count, global const float *partial, long from,
                                  global const float *invstd, global float *dgamma, global float *dbeta)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at >= C)
        return;
    STORE(summed(partial + from + at, 0, count), dbeta + at);
    STORE(summed(partial + from + C + at, 0, count) * LOAD(invstd + at), dgamma + at);
}

/* dx = gamma invstd (g - dbeta / rows - xhat dgamma / rows); dresidual (may be NULL) = or += g. */
kernel void batchnorm_backward(long rows, global const float *dy, global const float *x,
                               global const float *y, global const float *mean, global const float *invstd,
                               global const float *gamma, global const float *beta,
                               global const float *dgamma, global const float *dbeta, global float *dx,
                               global float *dresidual, int accumulate)
{
    const size_t i = get_global_id(0);
    if (i >= (size_t)rows * GROUPS)
        return;
    const int at = (int)(i % GROUPS) * VEC;
    const float part = 1.0f / (float)rows;
    const vec centre = LOAD(mean + at), inverse = LOAD(invstd + at), scale = LOAD(gamma + at) * inverse;
    const vec value = LOAD(x + i * VEC);
    vec g = LOAD(dy + i * VEC);
#if RELU
    g = gated(g, y ? LOAD(y + i * VEC) : normalised(value, centre, scale, LOAD(beta + at)));
#endif
    vec slope = LOAD(dgamma + at) * inverse * part;
    STORE(scale * (g - LOAD(dbeta + at) * part - (value - centre) * slope), dx + i * VEC);
    if (dresidual)
        STORE(accumulate ? LOAD(dresidual + i * VEC) + g : g, dresidual + i * VEC);
}
