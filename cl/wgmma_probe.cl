/* Whether wgmma of sm_90a can be had through OpenCL, tried on numbers that the host knows: four warps together multiply
 * A [64][16] with the transpose of B [8][16], float16 with float32 sums.
 *
 * Both lie in local memory as core matrices, 8 rows of 8 numbers without a gap, unswizzled; those of the same k come one
 * behind another, then those of the next 8. A descriptor says where they start, and how far the next one in k and the
 * next 8 rows are. Of 16 rows, which are a warp's, lane 4g + t gets rows g and g + 8, columns 2t and 2t + 1. */
#define LANES 128
#define M     64
#define N     8
#define K     16
#define CORE  64 /* numbers of a core matrix */

/* Of number (row, k) in an operand of `rows` rows. */
static inline int place(int row, int k, int rows)
{
    return (k / 8 * (rows / 8) + row / 8) * CORE + row % 8 * 8 + k % 8;
}

/* Address, leading and stride offset of an operand, each in units of 16 bytes. `start` is what a 32-bit address of local
 * memory's own space says. */
static inline ulong descriptor(uint start, int rows)
{
    const ulong leading = (ulong)(rows / 8 * CORE * 2), stride = CORE * 2;
    return (ulong)((start & 0x3ffffu) >> 4) | leading >> 4 << 16 | stride >> 4 << 32;
}

#ifdef MMA_EMULATED

/* Number (row, k) of what a descriptor describes. */
static inline float described(__local const ushort *local_memory, ulong d, int row, int k)
{
    const int start = (int)(d & 0x3fff) << 4, leading = (int)(d >> 16 & 0x3fff) << 4;
    const int stride = (int)(d >> 32 & 0x3fff) << 4, core = start + k / 8 * leading + row / 8 * stride;
    return vload_half((core + row % 8 * 16) / 2 + k % 8, (__local const half *)local_memory);
}

static inline float4 multiply(ulong a, ulong b, __local const ushort *local_memory)
{
    const int lane = (int)get_local_id(0);
    float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < K; k++)
            sums[i] += described(local_memory, a, lane / 32 * 16 + lane % 32 / 4 + i / 2 * 8, k) *
                       described(local_memory, b, lane % 4 * 2 + i % 2, k);
    return vload4(0, sums);
}

static inline uint address(__local const ushort *to, __local const ushort *local_memory)
{
    return (uint)(to - local_memory) * 2;
}

#else

/* What was written the usual way has to be shown to the unit, which reads local memory on its own. */
static inline float4 multiply(ulong a, ulong b, __local const ushort *local_memory)
{
    float4 sums = (float4)(0.0f);
    __asm__ volatile("fence.proxy.async.shared::cta;" : : : "memory");
    barrier(CLK_LOCAL_MEM_FENCE);
    __asm__ volatile("wgmma.fence.sync.aligned;\n\t"
                     "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%0, %1, %2, %3}, %4, %5, 1, 1, 1, 0, 0;\n\t"
                     "wgmma.commit_group.sync.aligned;\n\t"
                     "wgmma.wait_group.sync.aligned 0;"
                     : "+f"(sums.x), "+f"(sums.y), "+f"(sums.z), "+f"(sums.w)
                     : "l"(a), "l"(b)
                     : "memory");
    return sums;
}

static inline uint address(__local const ushort *to, __local const ushort *local_memory)
{
    return (uint)(size_t)to;
}

#endif

/* values: A and B as float16; out: the product [64][8]. One work-group. */
__attribute__((reqd_work_group_size(LANES, 1, 1))) __kernel
void wgmma_probe(__global const ushort *values, __global float *out)
{
    __local ushort both[(M + N) * K] __attribute__((aligned(128)));
    __local ushort *b = both + M * K;
    const int lane = (int)get_local_id(0);
    for (int i = lane; i < M * K; i += LANES)
        both[place(i / K, i % K, M)] = values[i];
    for (int i = lane; i < N * K; i += LANES)
        b[place(i / K, i % K, N)] = values[M * K + i];
    const float4 sums = multiply(descriptor(address(both, both), M), descriptor(address(b, both), N), both);
    const int row = lane / 32 * 16 + lane % 32 / 4, column = lane % 4 * 2;
    vstore2(sums.lo, 0, out + row * N + column);
    vstore2(sums.hi, 0, out + (row + 8) * N + column);
}
