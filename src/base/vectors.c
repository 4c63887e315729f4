#include "config.h"

#include "base/vectors.h"

#include <inttypes.h>
#include <math.h>

enum { LANES = 16 };

static float sum_lanes(const float *lane)
{
    float sum = 0;
    for (int l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

float us_squared_distance(const float *a, const float *b, int64_t n)
{
    float lane[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++) {
            float d = a[i + l] - b[i + l];
            lane[l] += d * d;
        }
    }
    for (int l = 0; i + l < n; l++) {
        float d = a[i + l] - b[i + l];
        lane[l] += d * d;
    }
    return sum_lanes(lane);
}

float us_dot(const float *a, const float *b, int64_t n)
{
    float lane[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++)
            lane[l] += a[i + l] * b[i + l];
    }
    for (int l = 0; i + l < n; l++)
        lane[l] += a[i + l] * b[i + l];
    return sum_lanes(lane);
}

enum unseen_status us_check_finite(const char *what, const float *value, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(value[i]))
            return us_fail(UNSEEN_BAD_DATA, what, "value %g of sample %" PRId64 " is not finite",
                           (double)value[i], i);
    }
    return UNSEEN_OK;
}
