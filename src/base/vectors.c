#include "config.h"

#include "base/vectors.h"

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
