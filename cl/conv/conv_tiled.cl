/* 2-d convolution for GPUs: implicit GEMM in work-group tiles. Any channels, kernel, stride and padding.
 *
 * One kernel for the three directions, each a matrix product  out[m, n] = sum over k of A[m, k] B[k, n]:
 *
 *   DIRECTION   m                        n    k                    A               B
 *   0 forward   output pixel             co   (ky, kx, ci)         patches of x    weights
 *   1 data      input pixel of a class   ci   (ty, tx, co)         patches of dy   weights, turned
 *   2 weights   (ky, kx, ci)             co   a part's pixels      patches of x    dy
 *
 * See conv_gather.clh for patches and classes; in direction 1 group 2 of the grid is the class. In direction 2 the
 * pixels are cut into parts of `share`, group 2 is the part, and conv_tiled_sum.cl adds the parts in ascending order:
 * no atomics, so results repeat. Sums over k go in ascending order whatever the tile.
 *
 * A work-group computes BM x BN of out in steps of BK of k. Each step's BM x BK of A and BK x BN of B go to local
 * memory with k outermost, double buffered: the next step's are on their way in registers while this step's are
 * multiplied, which leaves one barrier a step. A work-item holds TM x TN sums as quads of VM rows and VN columns
 * that lie BM / TM * VM and BN / TN * VN apart, so that neighbours read neighbouring vectors of local memory, and
 * write neighbouring vectors of out. Global loads are vectors of VA and VB floats along the channels.
 *
 * The same kernel multiplies plain matrices, as 1x1 convolutions of images of one pixel: forward [images, CIN] times
 * [CIN, COUT], data [images, COUT] times the transposed [CIN, COUT], weights the transposed [images, CIN] times
 * [images, COUT]. Several products at a time lie `*_step` apart; the grid's group 2 then counts products, and classes or
 * parts fastest.
 *
 * Tunables (build options; THREADS = BM / TM * (BN / TN); ops/conv_tile.h tells what is legal):
 *   BM, BN, BK, TM, TN   as above; TM divides BM, TN divides BN
 *   VA, VB               1, 2 or 4, dividing the channels that they run along; in direction 1 they are equal */
#include "conv/conv_gather.clh"

#ifndef DIRECTION
#define DIRECTION 0
#endif
#ifndef BM
#define BM 64
#define BN 64
#define BK 16
#define TM 4
#define TN 4
#endif
#ifndef VA
#define VA 1
#define VB 1
#endif

#define THREADS (BM / TM * (BN / TN))
#define LOADS_A (BM * BK / VA / THREADS)
#define LOADS_B (BN * BK / VB / THREADS)
/* Rows of the tiles in local memory: four floats more, so that those of a column lie in different banks. */
#define LDA (BM + 4)
#define LDB (BN + 4)
#if TM % 4 == 0
#define VM 4
#elif TM % 2 == 0
#define VM 2
#else
#define VM 1
#endif
#if TN % 4 == 0
#define VN 4
#elif TN % 2 == 0
#define VN 2
#else
#define VN 1
#endif

typedef float float1;
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
typedef JOIN(float, VA) avec;
typedef JOIN(float, VB) bvec;
typedef JOIN(float, VM) mvec;
typedef JOIN(float, VN) nvec;
#define ALIGNED __attribute__((aligned(16)))

#if DIRECTION == 1
#define COLUMNS CIN
#else
#define COLUMNS COUT
#endif
#define COLUMN_TILES ((COLUMNS + BN - 1) / BN)

/* A vector of adjacent k of one row of A, or column of B, into the rows of a tile from `to` on. */
#define LAY_ACROSS(type, width, vector, to, pitch)                                                           \
    do {                                                                                                     \
        float part[4] ALIGNED;                                                                               \
        *(type *)part = vector;                                                                              \
        for (int j = 0; j < width; j++)                                                                      \
            (to)[j * (pitch)] = part[j];                                                                     \
    } while (0)

/* Where a work-item's i-th vector lies in a tile whose rows or columns have `each` vectors: these are ACROSS, the
 * same for all i, and DOWN. */
#define ACROSS(each)  ((int)get_local_id(0) % (each))
#define DOWN(each, i) ((int)get_local_id(0) / (each) + (i) * (THREADS / (each)))

#if DIRECTION == 2
#define EACH_A (BM / VA)
#else
#define EACH_A (BK / VA)
#endif
#if DIRECTION == 1
#define EACH_B (BK / VB)
#else
#define EACH_B (BN / VB)
#endif

#if DIRECTION != 2

/* Vectors of the same columns of LOADS_A patches. */
static inline void fetch_patches(global const float *in, const struct patch *patch, struct walk w, int rows,
                                 avec *a)
{
#if DIRECTION == 0
    const int height = H, width = W, channels = CIN;
#else
    const int height = OH, width = OW, channels = COUT;
#endif
#pragma unroll
    for (int i = 0; i < LOADS_A; i++) {
        a[i] = (avec)(0.0f);
        if (in_image(patch[i], w, rows, height, width))
            a[i] = *(global const avec *)(in + index_in_image(patch[i], w, width, channels));
    }
}

static inline void store_patches(const avec *a, local float *tile)
{
    local float *to = tile + ACROSS(EACH_A) * VA * LDA;
#pragma unroll
    for (int i = 0; i < LOADS_A; i++)
        LAY_ACROSS(avec, VA, a[i], to + DOWN(EACH_A, i), LDA);
}

#else

/* The same columns of the patches of pixels from `first` on. */
static inline void fetch_patches(global const float *in, struct walk w, int first, int last, avec *a)
{
#pragma unroll
    for (int i = 0; i < LOADS_A; i++) {
        const int index = first + DOWN(EACH_A, i);
        a[i] = (avec)(0.0f);
        if (index < last) {
            const struct patch p = input_patch(index);
            if (in_image(p, w, KERNEL, H, W))
                a[i] = *(global const avec *)(in + index_in_image(p, w, W, CIN));
        }
    }
}

static inline void store_patches(const avec *a, local float *tile)
{
    local float *to = tile + ACROSS(EACH_A) * VA;
#pragma unroll
    for (int i = 0; i < LOADS_A; i++)
        *(local avec *)(to + DOWN(EACH_A, i) * LDA) = a[i];
}

#endif

#if DIRECTION == 1

/* The weights of the same taps and output channels for input channels from `n0` on. */
static inline void fetch_other(global const float *weights, struct walk w, int down, struct residue rows,
                               struct residue columns, int n0, bvec *b)
{
    const int tap = opposite_tap(w, rows, columns) * CIN;
#pragma unroll
    for (int i = 0; i < LOADS_B; i++) {
        const int n = n0 + DOWN(EACH_B, i);
        b[i] = (bvec)(0.0f);
        if (w.y < down && n < CIN)
            b[i] = *(global const bvec *)(weights + (tap + n) * COUT + w.c);
    }
}

static inline void store_other(const bvec *b, local float *tile)
{
    local float *to = tile + ACROSS(EACH_B) * VB * LDB;
#pragma unroll
    for (int i = 0; i < LOADS_B; i++)
        LAY_ACROSS(bvec, VB, b[i], to + DOWN(EACH_B, i), LDB);
}

#else

/* Rows from `first` on of a matrix that ends before row `last`. */
static inline void fetch_other(global const float *matrix, int first, int last, int n0, bvec *b)
{
    const int n = n0 + ACROSS(EACH_B) * VB;
#pragma unroll
    for (int i = 0; i < LOADS_B; i++) {
        const int k = first + DOWN(EACH_B, i);
        b[i] = (bvec)(0.0f);
        if (k < last && n < COUT)
            b[i] = *(global const bvec *)(matrix + k * COUT + n);
    }
}

static inline void store_other(const bvec *b, local float *tile)
{
    local float *to = tile + ACROSS(EACH_B) * VB;
#pragma unroll
    for (int i = 0; i < LOADS_B; i++)
        *(local bvec *)(to + DOWN(EACH_B, i) * LDB) = b[i];
}

#endif

/* sums += A B over a step: `row` and `column` are the work-item's place in a grid of BM / TM by BN / TN. */
static inline void multiply(local const float *a, local const float *b, int row, int column,
                            nvec sums[TM][TN / VN])
{
    a += row * VM;
    b += column * VN;
#pragma unroll
    for (int k = 0; k < BK; k++) {
        float left[TM] ALIGNED;
        nvec right[TN / VN];
#pragma unroll
        for (int g = 0; g < TM / VM; g++)
            *(mvec *)(left + g * VM) = *(local const mvec *)(a + k * LDA + g * (BM / TM * VM));
#pragma unroll
        for (int g = 0; g < TN / VN; g++)
            right[g] = *(local const nvec *)(b + k * LDB + g * (BN / TN * VN));
#pragma unroll
        for (int i = 0; i < TM; i++)
#pragma unroll
            for (int g = 0; g < TN / VN; g++)
                sums[i][g] = fma((nvec)(left[i]), right[g], sums[i][g]);
    }
}

/* VN columns of a row from the n-th on; those beyond the last are zero, and left out. */
static inline nvec columns_of(global const float *row, int n)
{
#if COLUMNS % VN == 0
    return n < COLUMNS ? *(global const nvec *)(row + n) : (nvec)(0.0f);
#else
    float part[4] ALIGNED;
    for (int j = 0; j < VN; j++)
        part[j] = n + j < COLUMNS ? row[n + j] : 0.0f;
    return *(nvec *)part;
#endif
}

static inline void put_columns(nvec values, global float *row, int n)
{
#if COLUMNS % VN == 0
    if (n < COLUMNS)
        *(global nvec *)(row + n) = values;
#else
    float part[4] ALIGNED;
    *(nvec *)part = values;
    for (int j = 0; j < min(VN, COLUMNS - n); j++)
        row[n + j] = part[j];
#endif
}

/* The row of the tile that a work-item's i-th sums belong to. */
static inline int row_of(int i, int row)
{
    return (i / VM * (BM / TM) + row) * VM + i % VM;
}

#if DIRECTION == 0

#define ACT_WIDTH VN
#include "activation.clh"

/* The batch norm behind a forward pass, while y is in registers: for evaluation y becomes act(y * affine[0] + affine[1]
 * + residual); for training the moments of a row tile are left as a block for batchnorm.cl to merge. Pointers that are
 * NULL ask for nothing. */
static inline nvec normalised(nvec y, global const float *affine, global const float *residual, int act, int n)
{
    y = fma(y, columns_of(affine, n), columns_of(affine + COLUMNS, n));
    if (residual)
        y += columns_of(residual, n);
    return activated(act, y);
}

/* The sums of columns over the tile's rows, to all work-items of a column, which have a `part` each. */
static inline nvec sum_rows(nvec part, int row, int column, local float *scratch)
{
    barrier(CLK_LOCAL_MEM_FENCE); /* behind the readers of what was there */
    *(local nvec *)(scratch + (row * (BN / TN) + column) * VN) = part;
    barrier(CLK_LOCAL_MEM_FENCE);
    nvec sum = *(local nvec *)(scratch + column * VN);
    for (int r = 1; r < BM / TM; r++)
        sum += *(local nvec *)(scratch + (r * (BN / TN) + column) * VN);
    return sum;
}

/* Means and sums of squared distances to them, of columns n.. that are a work-item's g-th, to block[0][COLUMNS] and
 * block[1][COLUMNS]. No array of its own lives across a barrier: PoCL 3.1 loses it. */
static inline void leave_moments(nvec sums[TM][TN / VN], int g, int rows, int row, int column, int n,
                                 local float *scratch, global float *block)
{
    nvec part = (nvec)(0.0f);
#pragma unroll
    for (int i = 0; i < TM; i++)
        part += row_of(i, row) < rows ? sums[i][g] : (nvec)(0.0f);
    const nvec mean = sum_rows(part, row, column, scratch) / (float)rows;
    part = (nvec)(0.0f);
#pragma unroll
    for (int i = 0; i < TM; i++) {
        const nvec d = row_of(i, row) < rows ? sums[i][g] - mean : (nvec)(0.0f);
        part = fma(d, d, part);
    }
    const nvec squares = sum_rows(part, row, column, scratch);
    if (row == 0) {
        put_columns(mean, block, n);
        put_columns(squares, block + COLUMNS, n);
    }
}

#endif

/* Groups: (column tiles, fastest, times row tiles; 1; products times classes or parts). */
kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
conv_tiled(int images, global const float *in, global const float *other, global float *out, int accumulate,
           int share, int parts, long in_step, long other_step, long out_step, global const float *affine,
           global const float *residual, int act, global float *moments)
{
    local float tiles[2 * BK * (LDA + LDB)] ALIGNED;
    local float *a_tile = tiles, *b_tile = tiles + 2 * BK * LDA;
    const int tile = (int)get_group_id(0), lid = (int)get_local_id(0);
    const int m0 = tile / COLUMN_TILES * BM, n0 = tile % COLUMN_TILES * BN;
    const int row = lid / (BN / TN), column = lid % (BN / TN);
    avec a[LOADS_A];
    bvec b[LOADS_B];
    nvec sums[TM][TN / VN];
#pragma unroll
    for (int i = 0; i < TM; i++)
#pragma unroll
        for (int g = 0; g < TN / VN; g++)
            sums[i][g] = (nvec)(0.0f);

#if DIRECTION == 0
    const int rows = images * (OH * OW), last = KERNEL * KERNEL * CIN;
    const int product = (int)get_group_id(2);
    struct patch patch[LOADS_A];
#pragma unroll
    for (int i = 0; i < LOADS_A; i++) {
        const int m = m0 + DOWN(EACH_A, i);
        patch[i] = m < rows ? input_patch(m) : no_patch();
    }
    struct walk walk = walk_from(ACROSS(EACH_A) * VA, CIN, KERNEL);
    int first = 0;
#define FETCH()                                                                                              \
    fetch_patches(in, patch, walk, KERNEL, a);                                                               \
    fetch_other(other, first, last, n0, b)
#define STEP() walk = walk_on(walk, BK, CIN, KERNEL)
#elif DIRECTION == 1
    const int product = (int)get_group_id(2) / (STRIDE * STRIDE);
    const struct residue y = residue_of((int)get_group_id(2) / STRIDE % STRIDE, H);
    const struct residue x = residue_of((int)get_group_id(2) % STRIDE, W);
    const int rows = images * y.pixels * x.pixels, last = y.taps * x.taps * COUT;
    const int across = max(x.taps, 1), down = x.taps > 0 ? y.taps : 0;
    struct patch patch[LOADS_A];
#pragma unroll
    for (int i = 0; i < LOADS_A; i++) {
        const int m = m0 + DOWN(EACH_A, i);
        patch[i] = m < rows ? output_patch(m, y, x) : no_patch();
    }
    struct walk walk = walk_from(ACROSS(EACH_A) * VA, COUT, across);
    int first = 0;
#define FETCH()                                                                                              \
    fetch_patches(in, patch, walk, down, a);                                                                 \
    fetch_other(other, walk, down, y, x, n0, b)
#define STEP() walk = walk_on(walk, BK, COUT, across)
#else
    const int product = (int)get_group_id(2) / parts, part = (int)get_group_id(2) % parts;
    const int rows = KERNEL * KERNEL * CIN;
    const struct walk walk = walk_from(m0 + ACROSS(EACH_A) * VA, CIN, KERNEL);
    int first = part * share;
    const int last = min(first + share, images * (OH * OW));
    out += part * (long)(rows * COUT);
#define FETCH()                                                                                              \
    fetch_patches(in, walk, first, last, a);                                                                 \
    fetch_other(other, first, last, n0, b)
#define STEP()
#endif
    in += product * in_step;
    other += product * other_step;
    out += product * out_step;

    FETCH();
    store_patches(a, a_tile);
    store_other(b, b_tile);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int now = 0; first < last; now = 1 - now) {
        first += BK;
        STEP();
        FETCH(); /* zeros behind the last step */
        multiply(a_tile + now * (BK * LDA), b_tile + now * (BK * LDB), row, column, sums);
        store_patches(a, a_tile + (1 - now) * (BK * LDA));
        store_other(b, b_tile + (1 - now) * (BK * LDB));
        barrier(CLK_LOCAL_MEM_FENCE);
    }

#if DIRECTION == 0
    if (moments) {
        const int block = tile / COLUMN_TILES, blocks = (int)get_num_groups(0) / COLUMN_TILES;
        const int valid = min(BM, rows - m0);
#pragma unroll
        for (int g = 0; g < TN / VN; g++)
            leave_moments(sums, g, valid, row, column, n0 + (g * (BN / TN) + column) * VN, tiles,
                          moments + (long)block * 2 * COLUMNS);
        if (lid == 0 && n0 == 0)
            moments[(long)blocks * 2 * COLUMNS + block] = (float)valid;
    }
#endif
#pragma unroll
    for (int i = 0; i < TM; i++) {
        const int m = m0 + row_of(i, row);
        if (m < rows) {
#if DIRECTION == 1
            const struct pixel p = pixel_at(m, y.pixels, x.pixels);
            const int index = (p.image * H + y.first + p.y * STRIDE) * W + x.first + p.x * STRIDE;
#else
            const int index = m;
#endif
#pragma unroll
            for (int g = 0; g < TN / VN; g++) {
                const int n = n0 + (g * (BN / TN) + column) * VN;
                nvec sum = sums[i][g];
                if (accumulate)
                    sum += columns_of(out + index * COLUMNS, n);
#if DIRECTION == 0
                if (affine)
                    sum = normalised(sum, affine, residual ? residual + index * COLUMNS : residual, act, n);
#endif
                put_columns(sum, out + index * COLUMNS, n);
            }
        }
    }
}
