/* out[i] = the sum of a weight gradient's parts [parts][count], first to last; one work-item an element. */
kernel void conv_tiled_sum(global const float *in, global float *out, int parts, int count)
{
    const int i = (int)get_global_id(0);
    if (i >= count)
        return;
    float sum = in[i];
    for (int p = 1; p < parts; p++)
        sum += in[(long)p * count + i];
    out[i] = sum;
}
