#include "config.h"

#include "compare/estimate.h"

#include <math.h>

struct unseen_estimate us_estimate(const double *value, int n)
{
    double sum = 0, square = 0;
    for (int i = 0; i < n; i++)
        sum += value[i];
    const double mean = sum / n;
    for (int i = 0; i < n; i++)
        square += (value[i] - mean) * (value[i] - mean);
    const double deviation = n > 1 ? sqrt(square / (n - 1)) : NAN;
    return (struct unseen_estimate){mean, deviation, deviation / sqrt(n)};
}
