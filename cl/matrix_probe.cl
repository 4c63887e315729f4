/* What cl/conv_matrix.cl relies on, tried on numbers that the host knows: one team multiplies A [48][16] with B [16][32],
 * and a row of numbers is rounded. With A_BY_K, A comes as [16][48]. */
#ifdef A_BY_K
#define A_COLUMNS 48
#else
#define A_COLUMNS 16
#endif
#define A_LD (A_COLUMNS + CHUNK)
#define B_LD (32 + CHUNK)

#include "mma.clh"

/* to = chunks chunks of from, rounded, in rows of `columns` numbers `ld` apart. */
static inline void put_tile(__local cell *to, int ld, __global const floats *from, int chunks, int columns)
{
    for (int i = (int)get_local_id(0); i < chunks; i += MMA_LANES)
        put_chunk(to + i * CHUNK / columns * ld + i * CHUNK % columns, narrow(from[i]));
}

/* values: A, B and 16 numbers more; out: the product, those numbers rounded. One work-group of one team. */
MMA_KERNEL __attribute__((reqd_work_group_size(MMA_LANES, 1, 1))) __kernel
void matrix_probe(__global const floats *values, __global float *out)
{
    __local cell a[48 * (48 + CHUNK)] __attribute__((aligned(64)));
    __local cell b[16 * B_LD] __attribute__((aligned(64)));
    __local uint scratch[MMA_LANES * MMA_SCRATCH + 1];
    const struct team team = {(int)get_local_id(0), scratch};
    put_tile(a, A_LD, values, 48 * 16 / CHUNK, A_COLUMNS);
    put_tile(b, B_LD, values + 48 * 16 / CHUNK, 16 * 32 / CHUNK, 32);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int m = 0; m < 48; m += MMA_M)
        for (int n = 0; n < 32; n += MMA_N) {
            mma_sum sum;
            for (int e = 0; e < MMA_SUMS; e++)
                sum.s[e] = 1.0f;
            for (int k = 0; k < 16; k += MMA_K) {
#ifdef A_BY_K
                const mma_a part = mma_load_a(a + k * A_LD + m, &team);
#else
                const mma_a part = mma_load_a(a + m * A_LD + k, &team);
#endif
                mma_multiply(part, mma_load_b(b + k * B_LD + n, &team), &sum, &team);
            }
            for (int r = 0; r < MMA_DOWN; r++)
                for (int c = 0; c < MMA_ACROSS; c++)
                    out[(m + MMA_ROW(team.lane, r)) * 32 + n + MMA_COLUMN(team.lane, c)] = sum.s[MMA_AT(r, c)];
        }
    values += (48 * 16 + 16 * 32) / CHUNK;
    if (team.lane == 0)
        for (int i = 0; i < 16 / CHUNK; i++)
            *(__global floats *)(out + 48 * 32 + i * CHUNK) = widen(narrow(values[i]));
}
