/* Dynamic loss scaling (Micikevicius et al., 2018): state[0] the factor of the loss gradient, state[1] that of the
 * gradients it led to (its reciprocal, or 0: take no step), state[2] steps since the factor last changed, state[3] the
 * word 1 once a gradient is found that is not finite. Factors are powers of two, so that nothing is rounded by them. */
#include "vector.clh"

#ifndef ROUNDS
#define ROUNDS 16 /* vectors of a work-item */
#endif
#ifndef PATIENCE
#define PATIENCE 2000.0f
#endif
#ifndef LEAST
#define LEAST 1.0f
#endif
#ifndef MOST
#define MOST 16777216.0f
#endif

/* Neighbouring work-items of a group read neighbouring vectors. The flag is the same whoever sets it, and first. */
kernel void scaling_find(long count, global const float *grads, global float *state)
{
    const long first = ((long)get_group_id(0) * ROUNDS * get_local_size(0) + get_local_id(0)) * VEC;
    int found = 0;
    for (int r = 0; r < ROUNDS; r++) {
        const long i = first + (long)r * get_local_size(0) * VEC;
        if (i + VEC <= count) {
            const vec g = LOAD(grads + i);
            found |= any(!isfinite(g));
        } else {
            for (long k = i; k < count; k++)
                found |= !isfinite(grads[k]);
        }
    }
    if (found)
        atomic_or((volatile global int *)(state + 3), 1);
}

/* One work-item. */
kernel void scaling_update(global float *state)
{
    const int found = as_int(state[3]) != 0;
    const float scale = state[0], good = found ? 0.0f : state[2] + 1.0f;
    const int grows = good >= PATIENCE;
    state[1] = found ? 0.0f : 1.0f / scale;
    state[0] = found ? fmax(scale * 0.5f, LEAST) : grows ? fmin(scale * 2.0f, MOST) : scale;
    state[2] = grows ? 0.0f : good;
    state[3] = as_float(0);
}
