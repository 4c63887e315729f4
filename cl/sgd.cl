/* SGD over one flat buffer, with torch.optim.SGD's roundings: add with a factor is one fused multiply-add there,
 * the velocity's decay is a rounded product. Gradients are multiplied by scaling[1] first, and where that is 0 nothing
 * happens (scaling.cl); `scaling` may be NULL. One work-item takes VEC floats. */
#include "vector.clh"

#pragma OPENCL FP_CONTRACT OFF

#define STEP(type, p, g, v)                                                                                  \
    do {                                                                                                     \
        type decayed = fma((type)(weight_decay), p, g);                                                      \
        v = v * momentum;                                                                                    \
        v = v + decayed;                                                                                     \
        type direction = nesterov ? fma((type)(momentum), v, decayed) : v;                                   \
        p = fma((type)(-lr), direction, p);                                                                  \
    } while (0)

kernel void sgd_step(long count, float lr, float momentum, float weight_decay, int nesterov,
                     global float *params, global const float *grads, global float *velocity,
                     global const float *scaling)
{
    const float factor = scaling ? scaling[1] : 1.0f;
    if (factor == 0.0f)
        return;
    long i = (long)get_global_id(0) * VEC;
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
