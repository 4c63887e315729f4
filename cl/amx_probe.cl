#include "amx.clh"
#include "tile.clh"

/* What a kernel that multiplies tiles relies on, tried on numbers that the host knows: c[16][16] = a[16][32] *
 * b[32][16], where `in` is a and then b. */
ONE void amx_probe(__global const float16 *in, __global float *c)
{
    __global const float16 *a = in, *b = in + 32;
    int16 rows[16], pairs[16];
    for (int i = 0; i < 16; i++) {
        rows[i] = bf16_two(a[2 * i], a[2 * i + 1]);
        pairs[i] = bf16_weave(b[2 * i], b[2 * i + 1]);
    }
    amx_begin(32);
    AMX_ZERO(0);
    AMX_LOAD(4, rows, 64);
    AMX_LOAD(6, pairs, 64);
    AMX_MULTIPLY(0, 4, 6);
    AMX_STORE(0, c, 64);
    amx_end();
}
