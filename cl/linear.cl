/* What a linear layer needs beside the matrix products. */
#ifndef ITEMS
#define ITEMS 1
#endif
#include "group_sum.clh"

/* y[n,out] = bias in every row; the product is added to it. One work-item an element. */
kernel void linear_bias(int n, int out, global const float *bias, global float *y)
{
    const size_t i = get_global_id(0);
    if (i < (size_t)n * out)
        y[i] = bias[i % out];
}

/* y *= factor. One work-item an element. */
kernel void linear_scale(int count, float factor, global float *y)
{
    const size_t i = get_global_id(0);
    if (i < (size_t)count)
        y[i] *= factor;
}

#if ITEMS == 1

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

#else

/* The same for GPUs: a work-group VEC columns, a work-item every ITEMS-th row. */
GROUP void linear_bias_backward(int n, int out, global const float *dy, global float *dbias)
{
    local vec values[ITEMS];
    const int at = (int)get_group_id(0) * VEC;
    vec sum = (vec)(0.0f);
    for (int r = (int)get_local_id(0); r < n; r += ITEMS)
        sum += LOAD(dy + (long)r * out + at);
    sum = sum_down(sum, values);
    if (get_local_id(0) == 0)
        STORE(sum, dbias + at);
}

#endif
