/* Sums of two buffers. One work-item takes VEC floats; the last one takes what is left over one by one. */
#include "vector.clh"

kernel void add(long count, global const float *x, global float *y)
{
    long i = (long)get_global_id(0) * VEC;
    if (i + VEC <= count)
        STORE(LOAD(y + i) + LOAD(x + i), y + i);
    else
        for (; i < count; i++)
            y[i] += x[i];
}

/* Go to `slow`, once that has gone the part `weight` of the way to here. */
kernel void approach(long count, float weight, global float *fast, global float *slow)
{
    long i = (long)get_global_id(0) * VEC;
    if (i + VEC <= count) {
        const vec from = LOAD(slow + i), to = fma((vec)(weight), LOAD(fast + i) - from, from);
        STORE(to, slow + i);
        STORE(to, fast + i);
        return;
    }
    for (; i < count; i++)
        fast[i] = slow[i] = fma(weight, fast[i] - slow[i], slow[i]);
}
