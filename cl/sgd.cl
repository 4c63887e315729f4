/* SGD over one flat buffer, with torch.optim.SGD's roundings: add with a factor is one fused multiply-add there,
 * the velocity's decay is a rounded product. Gradients are multiplied by scaling[1] first, and where that is 0 nothing
 * happens (scaling.cl); `scaling` may be NULL. One work-item takes VEC floats. Floats before end0, those from there up
 * to end1, and those behind have each a rate and a weight decay of their own; both ends are multiples of VEC, or all. */
#include "vector.clh"

#pragma OPENCL FP_CONTRACT OFF

#define STEP(type, p, g, v)                                                                                  \
    do {                                                                                                     \
        type penalised = fma((type)(decay), p, g);                                                      \
        v = v * momentum;                                                                                    \
        v = v + penalised;                                                                                     \
        type direction = nesterov ? fma((type)(momentum), v, penalised) : v;                                   \
        p = fma((type)(-rate), direction, p);                                                                \
    } while (0)

kernel void sgd_step(long count, long end0, long end1, float rate0, float rate1, float rate2, float decay0,
                     float decay1, float decay2, float momentum, int nesterov, global float *params,
                     global const float *grads, global float *velocity, global const float *scaling)
{
    const float factor = scaling ? scaling[1] : 1.0f;
    if (factor == 0.0f)
        return;
    long i = (long)get_global_id(0) * VEC;
    const float rate = i < end0 ? rate0 : i < end1 ? rate1 : rate2;
    const float decay = i < end0 ? decay0 : i < end1 ? decay1 : decay2;
    if (i + VEC <= count) {
        vec p = LOAD(params + i), g = LOAD(grads + i) * factor, v = LOAD(velocity + i);
        STEP(vec, p, g, v);
        STORE(v, velocity + i);
        STORE(p, params + i);
        return;
    }
    for (; i < count; i++) {
        float p = params[i], g = grads[i] * factor, v = velocity[i];
        STEP(float, p, g, v);
        velocity[i] = v;
        params[i] = p;
    }
}
