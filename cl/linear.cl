/* What a linear layer needs beside the matrix products. */
#include "vector.clh"

/* y[n,out] = bias in every row; the product is added to it. One work-item an element. */
kernel void linear_bias(int n, int out, global const float *bias, global float *y)
{
    const size_t i = get_global_id(0);
    if (i < (size_t)n * out)
        y[i] = bias[i % out];
}

/* dbias[out] = sums over the rows of dy, first row first. One work-item VEC columns; VEC divides out. */
kernel void linear_bias_backward(int n, int out, global const float *dy, global float *dbias)
{
    const int at = (int)get_global_id(0) * VEC;
    if (at >= out)
        return;
    vec sum = (vec)(0.0f);
    for (int r = 0; r < n; r++)
        sum += LOAD(dy + (long)r * out + at);
    STORE(sum, dbias + at);
}
