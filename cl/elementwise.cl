/* The sum of two buffers. One work-item takes VEC floats; the last one takes what is left over one by one. */
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
