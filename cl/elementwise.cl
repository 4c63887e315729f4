/* ReLU, its gradient, and the sum. One work-item takes VEC floats; the last one takes what is left over one by
 * one. */
#include "vector.clh"

kernel void relu_forward(long count, global const float *x, global float *y)
{
    long i = (long)get_global_id(0) * VEC;
    if (i + VEC <= count)
        STORE(rectified(LOAD(x + i)), y + i);
    else
        for (; i < count; i++)
            y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

kernel void relu_backward(long count, global const float *y, global const float *dy, global float *dx)
{
    long i = (long)get_global_id(0) * VEC;
    if (i + VEC <= count)
        STORE(gated(LOAD(dy + i), LOAD(y + i)), dx + i);
    else
        for (; i < count; i++)
            dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

kernel void add(long count, global const float *x, global float *y)
{
    long i = (long)get_global_id(0) * VEC;
    if (i + VEC <= count)
        STORE(LOAD(y + i) + LOAD(x + i), y + i);
    else
        for (; i < count; i++)
            y[i] += x[i];
}
