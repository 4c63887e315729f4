/* Activations in double, plainly, to hold operators against. */
#ifndef US_T_SUPPORT_ACTIVATION_H
#define US_T_SUPPORT_ACTIVATION_H

#include <math.h>

#include "ops/activation.h"

static inline double test_activated(enum us_activation act, double x)
{
    if (act == US_ACT_GELU)
        return 0.5 * x * erfc(-x * M_SQRT1_2);
    return act == US_ACT_RELU && x < 0 ? 0 : x;
}

/* Its derivative. */
static inline double test_slope(enum us_activation act, double x)
{
    if (act == US_ACT_GELU)
        return 0.5 * erfc(-x * M_SQRT1_2) + x * exp(-0.5 * x * x) * M_SQRT1_2 * 0.5 * M_2_SQRTPI;
    return act == US_ACT_RELU && x <= 0 ? 0 : 1;
}

#endif
