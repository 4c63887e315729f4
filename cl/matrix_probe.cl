/* What cl/conv/conv_matrix.cl relies on, tried on numbers that the host knows: one team multiplies A [48][16] with B [16][32],
 * and a row of numbers is rounded. With A_BY_K, A comes as [16][48]. In local memory the reduction is twice as long: its
 * other half is fetched as chunks that are not there. */
#define M     48
#define N     32
#define K     16
#define TWICE (2 * K)

#ifdef A_BY_K
#define A_ROWS          TWICE
#define A_COLUMNS       M
#define A_ROWS_THERE    K
#define A_COLUMNS_THERE M
#else
#define A_ROWS          M
#define A_COLUMNS       TWICE
#define A_ROWS_THERE    M
#define A_COLUMNS_THERE K
#endif
#define A_LD    (A_COLUMNS + CHUNK)
#define B_LD    (N + CHUNK)
#define A_CELLS (A_ROWS * A_LD)
#define B_CELLS (TWICE * B_LD)

#include "mma.clh"

/* Numbers that spoil every product, so that nothing left from before can pass for what is fetched. */
static inline void put_nan(__local cell *to, int cells)
{
    for (int i = (int)get_local_id(0); i < cells * (int)sizeof(cell) / 4; i += MMA_LANES)
        ((__local uint *)to)[i] = 0xffffffffu;
}

/* rows x columns numbers, of which rows_there x columns_there are at `from`. */
static inline void fetch_tile(__local cell *to, int ld, __global const uint4 *from, int rows, int columns,
                              int rows_there, int columns_there)
{
    for (int i = (int)get_local_id(0); i < rows * columns / CHUNK; i += MMA_LANES) {
        const int row = i * CHUNK / columns, column = i * CHUNK % columns;
        const int there = row < rows_there && column < columns_there;
        uint4 held;
        fetch_chunk(to + row * ld + column, from + (row * columns_there + column) / CHUNK, there, &held);
        store_chunk(to + row * ld + column, &held);
    }
}

/* values: A, B and 16 numbers more; chunks: room for them, rounded; out: the product, those numbers rounded. One
 * work-group of one team. */
MMA_KERNEL __attribute__((reqd_work_group_size(MMA_LANES, 1, 1))) __kernel
void matrix_probe(__global const floats *values, __global uint4 *chunks, __global float *out)
{
    __local cell a[A_CELLS] __attribute__((aligned(64)));
    __local cell b[B_CELLS] __attribute__((aligned(64)));
    __local uint scratch[MMA_LANES * MMA_SCRATCH + 1];
    const struct team team = {(int)get_local_id(0), scratch};
    for (int i = team.lane; i < (M * K + K * N + 16) / CHUNK; i += MMA_LANES)
        chunks[i] = narrow(values[i]);
    put_nan(a, A_CELLS);
    put_nan(b, B_CELLS);
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    fetch_tile(a, A_LD, chunks, A_ROWS, A_COLUMNS, A_ROWS_THERE, A_COLUMNS_THERE);
    fetch_tile(b, B_LD, chunks + M * K / CHUNK, TWICE, N, K, N);
    wait_chunks();
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int m = 0; m < M; m += MMA_M)
        for (int n = 0; n < N; n += MMA_N) {
            mma_sum sum;
            for (int e = 0; e < MMA_SUMS; e++)
                sum.s[e] = 1.0f;
            for (int k = 0; k < TWICE; k += MMA_K) {
#ifdef A_BY_K
                const mma_a part = mma_load_a(a + k * A_LD + m, &team);
#else
                const mma_a part = mma_load_a(a + m * A_LD + k, &team);
#endif
                mma_multiply(part, mma_load_b(b + k * B_LD + n, &team), &sum, &team);
            }
            for (int r = 0; r < MMA_DOWN; r++)
                for (int c = 0; c < MMA_ACROSS; c++)
                    out[(m + MMA_ROW(team.lane, r)) * N + n + MMA_COLUMN(team.lane, c)] = sum.s[MMA_AT(r, c)];
        }
    if (team.lane == 0)
        for (int i = 0; i < 16 / CHUNK; i++)
            *(__global floats *)(out + M * N + i * CHUNK) = widen(chunks[(M * K + K * N) / CHUNK + i]);
}
