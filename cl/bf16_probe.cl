#include "bf16.clh"

/* What a kernel that multiplies bf16 relies on, tried on numbers that the host knows: sums = 1 + the products of
 * neighbouring values, weaved = even and odd values in turn. in[64], out[48]. */
__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void bf16_probe(__global const float16 *in,
                                                                        __global float16 *out)
{
    const int16 a = bf16_two(in[0], in[1]), b = bf16_two(in[2], in[3]);
    __global int8 *halves = (__global int8 *)(out + 2);
    out[0] = bf16_dot((float16)(1.0f), a, b);
    *(__global int16 *)(out + 1) = bf16_weave(in[0], in[1]);
    halves[0] = bf16_one(in[2]);
    halves[1] = bf16_one(in[3]);
}
