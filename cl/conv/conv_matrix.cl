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
 * A forward pass can do the batch norm behind it while y is in registers: for evaluation y becomes
 * act(y * affine[0] + affine[1] + residual); for training the moments of a row of tiles are left as a block for
 * batchnorm.cl to merge.
 *
 * A work-group computes BM x BN elements in steps of BK of the reduction. Every step's numbers lie in one tap, so
 * where to read them is the same for all work-items but for their pixel. They are fetched while the step before is
 * multiplied, into registers or straight into local memory, which holds two steps.
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
#define A_LD    (A_COLUMNS + CHUNK)
#define B_LD    (BN + CHUNK)
#define A_CELLS (A_ROWS * A_LD)
#define B_CELLS (BK * B_LD)

#include "mma.clh"

#define ACT_WIDTH 1
#include "activation.clh"

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
#define SHARERS (MMA_LANES * MMA_ACROSS / MMA_N) /* lanes of a team that hold the same columns */

#define TILED MMA_KERNEL __attribute__((reqd_work_group_size(ITEMS, 1, 1))) __kernel
#define TILES                                                                                                \
    __local cell tiles[2 * (A_CELLS + B_CELLS)] __attribute__((aligned(64)));                                \
    __local uint scratch[ITEMS * MMA_SCRATCH + 1]

/* The tiles of step s. */
#define A_TILE(s) (tiles + ((s) & 1) * A_CELLS)
#define B_TILE(s) (tiles + 2 * A_CELLS + ((s) & 1) * B_CELLS)

/* Where the i-th chunk of a work-item lies in a tile of `columns` numbers a row. */
#define ROW(i, columns)    (((int)get_local_id(0) + (i)*ITEMS) / ((columns) / CHUNK))
#define COLUMN(i, columns) (((int)get_local_id(0) + (i)*ITEMS) % ((columns) / CHUNK) * CHUNK)
#define A_PLACE(i)         (ROW(i, A_COLUMNS) * A_LD + COLUMN(i, A_COLUMNS))
#define B_PLACE(i)         (ROW(i, BN) * B_LD + COLUMN(i, BN))

/* A work-item's chunks of one step, on their way to local memory. */
struct step {
    uint4 a[A_CHUNKS], b[B_CHUNKS];
};

static inline void put_step(const struct step *step, __local cell *a, __local cell *b)
{
    UNROLL for (int i = 0; i < A_CHUNKS; i++)
        store_chunk(a + A_PLACE(i), &step->a[i]);
    UNROLL for (int i = 0; i < B_CHUNKS; i++)
        store_chunk(b + B_PLACE(i), &step->b[i]);
    wait_chunks();
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

/* A work-item's sums are sum[i][j].s[MMA_AT(r, c)]: where its rows (i, r) and columns (j, c) lie in the work-group's
 * tile. */
#define EACH_ROW(i, r)                                                                                       \
    UNROLL for (int i = 0; i < FM; i++)                                                                      \
        UNROLL for (int r = 0; r < MMA_DOWN; r++)
#define EACH_COLUMN(j, c)                                                                                    \
    UNROLL for (int j = 0; j < FN; j++)                                                                      \
        UNROLL for (int c = 0; c < MMA_ACROSS; c++)

static inline int row_at(const struct team *team, int i, int r)
{
    const int index = (int)get_local_id(0) / MMA_LANES;
    return (index % TEAMS_M * FM + i) * MMA_M + MMA_ROW(team->lane, r);
}

static inline int column_at(const struct team *team, int j, int c)
{
    const int index = (int)get_local_id(0) / MMA_LANES;
    return (index / TEAMS_M * FN + j) * MMA_N + MMA_COLUMN(team->lane, c);
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

/* Moments on their way from work-items to blocks, which they share the tiles' memory for: the columns of a tile are in
 * the hands of PARTS work-items each. */
#define PARTS (TEAMS_M * SHARERS)
struct parts {
    float mean[PARTS][BN], squares[PARTS][BN], count[PARTS];
};
typedef char parts_fit[sizeof(struct parts) <= 2 * (A_CELLS + B_CELLS) * sizeof(cell) ? 1 : -1];

/* A work-item's own, of its columns' rows among the tile's first `rows`. */
static inline void put_parts(mma_sum sum[FM][FN], const struct team *team, int rows, __local struct parts *parts)
{
    const int index = (int)get_local_id(0) / MMA_LANES, sharer = team->lane / (MMA_N / MMA_ACROSS);
    const int part = index % TEAMS_M * SHARERS + sharer;
    int count = 0;
    EACH_ROW(i, r)
        count += row_at(team, i, r) < rows;
    EACH_COLUMN(j, c) {
        float mean = 0.0f, squares = 0.0f;
        EACH_ROW(i, r)
            mean += row_at(team, i, r) < rows ? sum[i][j].s[MMA_AT(r, c)] : 0.0f;
        mean /= (float)max(count, 1);
        EACH_ROW(i, r) {
            const float d = row_at(team, i, r) < rows ? sum[i][j].s[MMA_AT(r, c)] - mean : 0.0f;
            squares = fma(d, d, squares);
        }
        parts->mean[part][column_at(team, j, c)] = mean;
        parts->squares[part][column_at(team, j, c)] = squares;
    }
    parts->count[part] = (float)count;
}

/* The mean and the sum of squared distances to it of the tile's column n over its first `rows` rows, from its parts in
 * order, to block[0] and block[oc]. */
static inline void merge_parts(__local const struct parts *parts, int n, int rows, __global float *block, int oc)
{
    float mean = 0.0f, squares = 0.0f;
    for (int p = 0; p < PARTS; p++)
        mean = fma(parts->count[p], parts->mean[p][n], mean);
    mean /= (float)rows;
    for (int p = 0; p < PARTS; p++) {
        const float d = parts->mean[p][n] - mean;
        squares += fma(parts->count[p] * d, d, parts->squares[p][n]);
    }
    block[0] = mean;
    block[oc] = squares;
}

/* sum * affine[0] + affine[1] by channels: `columns` of oc are left from the tile's first on. */
static inline void normalise(mma_sum sum[FM][FN], const struct team *team, __global const float *affine, int columns,
                             int oc)
{
    EACH_COLUMN(j, c) {
        const int column = min(column_at(team, j, c), columns - 1);
        const float scale = affine[column], shift = affine[oc + column];
        EACH_ROW(i, r)
            sum[i][j].s[MMA_AT(r, c)] = fma(sum[i][j].s[MMA_AT(r, c)], scale, shift);
    }
}

/* Work-items: (ITEMS * tiles of gh * gw * images pixels, tiles of oc channels). The grid gh x gw is what is computed
 * of each image of h x w; in and weights count in chunks from where they begin in the workspace. Pointers that are NULL
 * ask for nothing. */
TILED void matrix_gather(__global const uint4 *work, __global float *out, int in, int weights, int images, int ih,
                         int iw, int ic, int step, int off_y, int off_x, int count_y, int count_x, int tap0,
                         int tap_y, int tap_x, int gh, int gw, int h, int w, int oc, int ostep, int oa, int ob,
                         int accumulate, __global const float *affine, __global const float *residual, int act,
                         __global float *moments)
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
                fetch_chunk(A_TILE(s + 1) + A_PLACE(i), work + in + window[i].first + move, inside, &next.a[i]);
            }
            UNROLL for (int i = 0; i < B_CHUNKS; i++) {
                const int column = column0 + COLUMN(i, BN);
                const int chunk = (row + ROW(i, BN)) * (oc / CHUNK) + column / CHUNK;
                fetch_chunk(B_TILE(s + 1) + B_PLACE(i), work + weights + chunk, column < oc, &next.b[i]);
            }
            next_step(&t);
        }
        if (s >= 0)
            multiply_step(A_TILE(s), B_TILE(s), &team, sum);
        if (s + 1 < steps)
            put_step(&next, A_TILE(s + 1), B_TILE(s + 1));
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    __global const float *add = accumulate ? out : residual;
    if (affine)
        normalise(sum, &team, affine + column0, oc - column0, oc);
    EACH_ROW(i, r) {
        const int row = row0 + row_at(&team, i, r);
        const int y = row / gw % gh * ostep + oa, x = row % gw * ostep + ob;
        const long pixel = (((long)(row / gw / gh) * h + y) * w + x) * oc;
        EACH_COLUMN(j, c) {
            const int column = column0 + column_at(&team, j, c);
            if (row < rows && column < oc) {
                const float value = sum[i][j].s[MMA_AT(r, c)] + (add ? add[pixel + column] : 0.0f);
                out[pixel + column] = activated(act, value);
            }
        }
    }
    if (moments) {
        __local struct parts *parts = (__local struct parts *)tiles;
        const int block = (int)get_group_id(0), valid = min(BM, rows - row0);
        put_parts(sum, &team, valid, parts);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int n = (int)get_local_id(0); n < min(BN, oc - column0); n += ITEMS)
            merge_parts(parts, n, valid, moments + (long)block * 2 * oc + column0 + n, oc);
        if (get_local_id(0) == 0 && column0 == 0)
            moments[(long)get_num_groups(0) * 2 * oc + block] = (float)valid;
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
                fetch_chunk(A_TILE(s + 1) + A_PLACE(i), work + in + chunk, inside, &next.a[i]);
                move_pixel(&pixel[i], by, oh, ow);
            }
            UNROLL for (int i = 0; i < B_CHUNKS; i++) {
                const int column = column0 + COLUMN(i, BN), at = p + ROW(i, BN);
                const int chunk = at * (oc / CHUNK) + column / CHUNK, inside = at < last && column < oc;
                fetch_chunk(B_TILE(s + 1) + B_PLACE(i), work + gradient + chunk, inside, &next.b[i]);
            }
        }
        if (s >= 0)
            multiply_step(A_TILE(s), B_TILE(s), &team, sum);
        if (s + 1 < steps)
            put_step(&next, A_TILE(s + 1), B_TILE(s + 1));
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    sums += 4L * begin + (long)get_group_id(2) * rows * oc;
    EACH_ROW(i, r)
        EACH_COLUMN(j, c) {
            const int row = row0 + row_at(&team, i, r), column = column0 + column_at(&team, j, c);
            if (row < rows && column < oc)
                sums[(long)row * oc + column] = sum[i][j].s[MMA_AT(r, c)];
        }
}

#endif
