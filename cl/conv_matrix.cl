/* 2-d convolution as an implicit matrix product of narrow numbers with float32 sums, on matrix units where the device
 * has them (mma.clh). Layouts as in conv.h; channels are multiples of 16 on both sides.
 *
 * conv_narrow rounds the operands into the workspace first, in chunks of 16 bytes, as they are read many times.
 * Forward pass and data gradient are one kernel, matrix_gather: M = pixels, N = output channels, and the reduction
 * runs over (ty, tx, channel),
 *     out[n, oy*ostep+oa, ox*ostep+ob, co] (+)= sum of in[n, oy*step+off_y+ty, ox*step+off_x+tx, ci] * W[tap, ci, co],
 *     tap = tap0 + ty * tap_y + tx * tap_x,                                          zero outside the image.
 * forward:        step = the stride, off = -pad, taps in ascending order.
 * data gradient:  in = dy, W transposed to [tap, co, ci]; for every residue (oa, ob) of the image's coordinates modulo
 *                 the stride the taps that meet it form a convolution of stride 1, its taps in descending order.
 * Weight gradient, matrix_weights (the program with A_BY_K): M = (tap, ci), N = co, the reduction over `share` pixels
 * a part; parts are added by matrix_sum, in order.
 *
 * A work-group computes BM x BN elements in steps of BK of the reduction. Every step's numbers lie in one tap, so
 * where to read them is the same for all work-items but for their pixel. They are fetched into registers while the
 * step before is multiplied, from local memory that holds two steps.
 *
 * Tunables (build options):
 *   BM, BN            elements of a work-group, multiples of TEAMS_M * MMA_M and TEAMS_N * MMA_N
 *   BK                of the reduction, 16 or 32, a multiple of MMA_K
 *   TEAMS_M, TEAMS_N  teams of a work-group; its size is TEAMS_M * TEAMS_N * MMA_LANES, which must divide the chunks
 *                     of either tile, BM * BK / CHUNK and BN * BK / CHUNK */
#ifndef BM
#define BM 128
#endif
#ifndef BN
#define BN 128
#endif
#ifndef BK
#define BK 32
#endif
#ifndef TEAMS_M
#define TEAMS_M 2
#endif
#ifndef TEAMS_N
#define TEAMS_N 4
#endif

/* One chunk more than a row needs puts rows into different banks. */
#ifdef A_BY_K
#define A_ROWS    BK
#define A_COLUMNS BM
#else
#define A_ROWS    BM
#define A_COLUMNS BK
#endif
#define A_LD (A_COLUMNS + CHUNK)
#define B_LD (BN + CHUNK)

#include "mma.clh"

#define ITEMS    (TEAMS_M * TEAMS_N * MMA_LANES)
#define FM       (BM / TEAMS_M / MMA_M)
#define FN       (BN / TEAMS_N / MMA_N)
#define A_CHUNKS (BM * BK / CHUNK / ITEMS) /* of a work-item */
#define B_CHUNKS (BN * BK / CHUNK / ITEMS)
#if FM * TEAMS_M * MMA_M != BM || FN * TEAMS_N * MMA_N != BN || BK % MMA_K != 0
#error "the tile is no multiple of the teams' tiles"
#endif
#if A_CHUNKS * ITEMS * CHUNK != BM * BK || B_CHUNKS * ITEMS * CHUNK != BN * BK
#error "the tile's chunks do not divide among the work-items"
#endif

#define TILED MMA_KERNEL __attribute__((reqd_work_group_size(ITEMS, 1, 1))) __kernel
#define TILES                                                                                                \
    __local cell a[2][A_ROWS * A_LD] __attribute__((aligned(64)));                                           \
    __local cell b[2][BK * B_LD] __attribute__((aligned(64)));                                               \
    __local uint scratch[ITEMS * MMA_SCRATCH + 1]

/* Where the i-th chunk of a work-item lies in a tile of `columns` numbers a row. */
#define ROW(i, columns)    (((int)get_local_id(0) + (i)*ITEMS) / ((columns) / CHUNK))
#define COLUMN(i, columns) (((int)get_local_id(0) + (i)*ITEMS) % ((columns) / CHUNK) * CHUNK)

/* A work-item's chunks of one step, on their way to local memory. */
struct step {
    uint4 a[A_CHUNKS], b[B_CHUNKS];
};

static inline void put_step(const struct step *step, __local cell *a, __local cell *b)
{
    UNROLL for (int i = 0; i < A_CHUNKS; i++)
        put_chunk(a + ROW(i, A_COLUMNS) * A_LD + COLUMN(i, A_COLUMNS), step->a[i]);
    UNROLL for (int i = 0; i < B_CHUNKS; i++)
        put_chunk(b + ROW(i, BN) * B_LD + COLUMN(i, BN), step->b[i]);
}

/* Add a step's product to the team's sums. */
static inline void multiply_step(__local const cell *a, __local const cell *b, const struct team *team,
                                 mma_sum sum[FM][FN])
{
    const int index = (int)get_local_id(0) / MMA_LANES;
    const int m0 = index % TEAMS_M * (FM * MMA_M), n0 = index / TEAMS_M * (FN * MMA_N);
    UNROLL for (int k = 0; k < BK; k += MMA_K) {
        mma_a part_a[FM];
        mma_b part_b[FN];
        UNROLL for (int i = 0; i < FM; i++)
#ifdef A_BY_K
            part_a[i] = mma_load_a(a + k * A_LD + m0 + i * MMA_M, team);
#else
            part_a[i] = mma_load_a(a + (m0 + i * MMA_M) * A_LD + k, team);
#endif
        UNROLL for (int j = 0; j < FN; j++)
            part_b[j] = mma_load_b(b + k * B_LD + n0 + j * MMA_N, team);
        UNROLL for (int i = 0; i < FM; i++)
            UNROLL for (int j = 0; j < FN; j++)
                mma_multiply(part_a[i], part_b[j], &sum[i][j], team);
    }
}

static inline struct team team_of(__local uint *scratch)
{
    const int id = (int)get_local_id(0);
    const struct team team = {id % MMA_LANES, scratch + id / MMA_LANES * MMA_LANES * MMA_SCRATCH};
    return team;
}

/* Element (i, j, e) of a work-item's sums in the work-group's tile. */
static inline int2 place(const struct team *team, int i, int j, int e)
{
    const int index = (int)get_local_id(0) / MMA_LANES;
    return (int2)((index % TEAMS_M * FM + i) * MMA_M + MMA_ROW(team->lane, e),
                  (index / TEAMS_M * FN + j) * MMA_N + MMA_COLUMN(team->lane, e));
}

static inline void zero(mma_sum sum[FM][FN])
{
    UNROLL for (int i = 0; i < FM; i++)
        UNROLL for (int j = 0; j < FN; j++)
            UNROLL for (int e = 0; e < MMA_SUMS; e++)
                sum[i][j].s[e] = 0.0f;
}

#ifndef A_BY_K

/* work[begin + i] = the i-th chunk of `from`, rounded. Work-items: chunks. */
__kernel void conv_narrow(__global const floats *from, __global uint4 *work, int begin, int chunks)
{
    const int i = (int)get_global_id(0);
    if (i < chunks)
        work[begin + i] = narrow(from[i]);
}

/* The same of weights [tap][rows][columns], as [tap][columns][rows]. */
__kernel void conv_narrow_transposed(__global const float *from, __global uint4 *work, int begin, int chunks,
                                     int rows, int columns)
{
    const int i = (int)get_global_id(0);
    if (i >= chunks)
        return;
    const int row = i * CHUNK % rows, column = i * CHUNK / rows % columns, tap = i * CHUNK / rows / columns;
    floats values;
    from += ((long)tap * rows + row) * columns + column;
    for (int j = 0; j < CHUNK; j++)
        ((float *)&values)[j] = from[(long)j * columns];
    work[begin + i] = narrow(values);
}

/* What the reduction goes through, and where it is. */
struct taps {
    int count_x, channels, tap0, tap_y, tap_x;
    int ty, tx, c;
};

static inline void next_step(struct taps *t)
{
    t->c += BK;
    if (t->c == t->channels) {
        t->c = 0;
        if (++t->tx == t->count_x) {
            t->tx = 0;
            t->ty++;
        }
    }
}

/* A pixel's window in the input: its first chunk there, which may lie outside, and its first row and column. */
struct window {
    int first, y, x;
};

/* Work-items: (ITEMS * tiles of gh * gw * images pixels, tiles of oc channels). The grid gh x gw is what is computed
 * of each image of h x w; in and weights count in chunks from where they begin in the workspace. */
TILED void matrix_gather(__global const uint4 *work, __global float *out, int in, int weights, int images, int ih,
                         int iw, int ic, int step, int off_y, int off_x, int count_y, int count_x, int tap0,
                         int tap_y, int tap_x, int gh, int gw, int h, int w, int oc, int ostep, int oa, int ob,
                         int accumulate)
{
    TILES;
    const struct team team = team_of(scratch);
    const int rows = images * gh * gw, row0 = (int)get_group_id(0) * BM, column0 = (int)get_group_id(1) * BN;
    const int steps = count_y * count_x * (ic / BK);
    struct taps t = {count_x, ic, tap0, tap_y, tap_x, 0, 0, 0};
    struct window window[A_CHUNKS];
    struct step next;
    mma_sum sum[FM][FN];
    UNROLL for (int i = 0; i < A_CHUNKS; i++) {
        const int row = row0 + ROW(i, A_COLUMNS), y = row / gw % gh * step + off_y, x = row % gw * step + off_x;
        window[i].y = row < rows ? y : -ih - count_y;
        window[i].x = x;
        window[i].first = ((row / gw / gh * ih + y) * iw + x) * (ic / CHUNK) + COLUMN(i, A_COLUMNS) / CHUNK;
    }
    zero(sum);
    for (int s = -1; s < steps; s++) {
        if (s + 1 < steps) {
            const int move = (t.ty * iw + t.tx) * (ic / CHUNK) + t.c / CHUNK;
            const int row = (t.tap0 + t.ty * t.tap_y + t.tx * t.tap_x) * ic + t.c;
            UNROLL for (int i = 0; i < A_CHUNKS; i++) {
                const int y = window[i].y + t.ty, x = window[i].x + t.tx;
                const int inside = y >= 0 && y < ih && x >= 0 && x < iw;
                next.a[i] = inside ? work[in + window[i].first + move] : (uint4)(0);
            }
            UNROLL for (int i = 0; i < B_CHUNKS; i++) {
                const int column = column0 + COLUMN(i, BN);
                next.b[i] = column < oc ? work[weights + (row + ROW(i, BN)) * (oc / CHUNK) + column / CHUNK]
                                         : (uint4)(0);
            }
            next_step(&t);
        }
        if (s >= 0)
            multiply_step(a[s & 1], b[s & 1], &team, sum);
        if (s + 1 < steps)
            put_step(&next, a[(s + 1) & 1], b[(s + 1) & 1]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    UNROLL for (int i = 0; i < FM; i++)
        UNROLL for (int j = 0; j < FN; j++)
            UNROLL for (int e = 0; e < MMA_SUMS; e++) {
                const int2 at = place(&team, i, j, e);
                const int row = row0 + at.x, column = column0 + at.y;
                if (row < rows && column < oc) {
                    const int y = row / gw % gh * ostep + oa, x = row % gw * ostep + ob;
                    __global float *to = out + (((long)(row / gw / gh) * h + y) * w + x) * oc + column;
                    *to = accumulate ? *to + sum[i][j].s[e] : sum[i][j].s[e];
                }
            }
}

/* out[i] = the sum of `parts` arrays of `count` floats, which begin at the chunk `sums`, first part first.
 * Work-items: count. */
__kernel void matrix_sum(__global const float *work, __global float *out, int sums, int parts, int count)
{
    const int i = (int)get_global_id(0);
    if (i >= count)
        return;
    __global const float *from = work + 4L * sums + i;
    float sum = from[0];
    for (int p = 1; p < parts; p++)
        sum += from[(long)p * count];
    out[i] = sum;
}

#else

/* A pixel of the output: image, row, column. */
struct pixel {
    int n, y, x;
};

/* Further on by another pixel's place, as in addition by hand. */
static inline void move_pixel(struct pixel *p, struct pixel by, int oh, int ow)
{
    p->x += by.x;
    p->y += by.y + (p->x >= ow);
    p->x -= p->x >= ow ? ow : 0;
    p->n += by.n + (p->y >= oh);
    p->y -= p->y >= oh ? oh : 0;
}

static inline struct pixel pixel_at(int i, int oh, int ow)
{
    const struct pixel p = {i / ow / oh, i / ow % oh, i % ow};
    return p;
}

/* Work-items: (ITEMS * tiles of taps * ic rows, tiles of oc channels, parts). sums: [part][taps * ic][oc] from the chunk
 * `begin` on. */
TILED void matrix_weights(__global const uint4 *work, __global float *sums, int begin, int in, int gradient,
                          int images, int ih, int iw, int ic, int kernel_size, int stride, int pad, int oh, int ow,
                          int oc, int share)
{
    TILES;
    const struct team team = team_of(scratch);
    const int rows = kernel_size * kernel_size * ic;
    const int row0 = (int)get_group_id(0) * BM, column0 = (int)get_group_id(1) * BN;
    const int first = (int)get_group_id(2) * share, last = min(first + share, images * oh * ow);
    const int steps = (last - first + BK - 1) / BK;
    const struct pixel by = pixel_at(BK, oh, ow);
    struct pixel pixel[A_CHUNKS];
    struct step next;
    mma_sum sum[FM][FN];
    UNROLL for (int i = 0; i < A_CHUNKS; i++)
        pixel[i] = pixel_at(first + ROW(i, A_COLUMNS), oh, ow);
    zero(sum);
    for (int s = -1; s < steps; s++) {
        if (s + 1 < steps) {
            const int p = first + (s + 1) * BK;
            UNROLL for (int i = 0; i < A_CHUNKS; i++) {
                const int row = row0 + COLUMN(i, A_COLUMNS), tap = row / ic;
                const int y = pixel[i].y * stride - pad + tap / kernel_size;
                const int x = pixel[i].x * stride - pad + tap % kernel_size;
                const int inside = row < rows && p + ROW(i, A_COLUMNS) < last && y >= 0 && y < ih && x >= 0 && x < iw;
                const int chunk = ((pixel[i].n * ih + y) * iw + x) * (ic / CHUNK) + row % ic / CHUNK;
                next.a[i] = inside ? work[in + chunk] : (uint4)(0);
                move_pixel(&pixel[i], by, oh, ow);
            }
            UNROLL for (int i = 0; i < B_CHUNKS; i++) {
                const int column = column0 + COLUMN(i, BN), at = p + ROW(i, BN);
                next.b[i] = at < last && column < oc ? work[gradient + at * (oc / CHUNK) + column / CHUNK]
                                                     : (uint4)(0);
            }
        }
        if (s >= 0)
            multiply_step(a[s & 1], b[s & 1], &team, sum);
        if (s + 1 < steps)
            put_step(&next, a[(s + 1) & 1], b[(s + 1) & 1]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    sums += 4L * begin + (long)get_group_id(2) * rows * oc;
    UNROLL for (int i = 0; i < FM; i++)
        UNROLL for (int j = 0; j < FN; j++)
            UNROLL for (int e = 0; e < MMA_SUMS; e++) {
                const int2 at = place(&team, i, j, e);
                if (row0 + at.x < rows && column0 + at.y < oc)
                    sums[(long)(row0 + at.x) * oc + column0 + at.y] = sum[i][j].s[e];
            }
}

#endif
