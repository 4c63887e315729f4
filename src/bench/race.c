#include "config.h"

#include "bench/race.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/conv_list.h"
#include "ops/conv/conv_time.h"

enum { WAYS = 48 }; /* most that are timed for a convolution */
_Static_assert((int)UNSEEN_ALGORITHM == (int)US_CONV_NAME, "names are copied whole");

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const struct us_conv_timing *)a)->seconds,
                 y = ((const struct us_conv_timing *)b)->seconds;
    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}

static void fill_row(const struct us_conv_shape *s, enum us_conv_direction direction,
                     const struct us_conv_timing *timing, int n, struct unseen_tune_row *row)
{
    *row = (struct unseen_tune_row){.conv = us_conv_about(s, direction)};
    for (int i = 0; i < n && i < UNSEEN_TUNE_CANDIDATES && !isnan(timing[i].seconds); i++) {
        memcpy(row->candidate[i].algorithm, timing[i].algorithm, sizeof timing[i].algorithm);
        row->candidate[i].seconds = timing[i].seconds;
        row->candidates++;
    }
}

enum unseen_status us_race(struct unseen_device *device, const struct us_conv_shape *shape,
                           enum us_conv_direction direction, int rounds, struct unseen_tune_row *row)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_conv_timing timing[WAYS] = {{.algorithm = ""}};
    int n = 0;
    const char *name;
    for (int i = 0; (name = us_conv_algorithm_at(i)); i++) {
        if (!us_conv_competes(device, name, shape, direction))
            continue;
        for (int k = 0; n < WAYS && us_conv_way_at(device, name, shape, direction, k, timing[n].algorithm);
             k++)
            n++;
    }
    US_TRY(us_conv_time(device, shape, direction, rounds, timing, n));
    qsort(timing, (size_t)n, sizeof *timing, by_seconds);
    fill_row(shape, direction, timing, n, row);
    if (row->candidates < 1)
        st = us_fail(UNSEEN_FAILED, "convolution", "no algorithm computes %dx%dx%d to %d channels here",
                     shape->h, shape->w, shape->cin, shape->cout);
out:
    return st;
}
