#include "config.h"

#include "unseen/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/conv_list.h"
#include "bench/race.h"
#include "device/tuning.h"
#include "ops/conv/conv_time.h"
#include "ops/peak.h"

/* What the database knows besides the algorithm that is used. */
static void find_other(struct unseen_device *device, const struct us_conv_shape *shape,
                       enum us_conv_direction direction, struct unseen_bench_conv *row)
{
    char key[US_CONV_KEY];
    struct us_tuned tuned;
    us_conv_key(shape, direction, key);
    if (!us_tuning_find(device, key, &tuned))
        return;
    const bool won = strcmp(tuned.winner, row->algorithm) == 0;
    const char *other = won ? tuned.runner_up : tuned.winner;
    snprintf(row->other, sizeof row->other, "%s", other ? other : "");
    row->other_seconds = 1e-3 * (won ? tuned.runner_up_milliseconds : tuned.milliseconds);
}

static enum unseen_status measure(struct unseen_device *device, const struct us_conv_use *use,
                                  enum us_conv_direction direction, int rounds, struct unseen_bench_conv *row)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_conv_timing timing = {.algorithm = ""};
    US_TRY(us_conv_time(device, &use->shape, direction, rounds, &timing, 1));
    *row = (struct unseen_bench_conv){.conv = us_conv_about(&use->shape, direction),
                                      .times = use->times[direction],
                                      .why = us_conv_why_name(timing.why),
                                      .seconds = timing.seconds};
    snprintf(row->layer, sizeof row->layer, "%s", use->layer);
    snprintf(row->algorithm, sizeof row->algorithm, "%s", timing.algorithm);
    find_other(device, &use->shape, direction, row);
out:
    return st;
}

enum unseen_status unseen_bench_convolutions(struct unseen_device *device,
                                             const struct unseen_bench_options *options,
                                             struct unseen_bench_conv **out, int *n)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_conv_list list = {0};
    struct unseen_bench_conv *rows = NULL;
    int done = 0;
    US_TRY(us_device_alone(device, "a measurement"));
    US_TRY(us_bench_check(options));
    const struct us_model_spec spec = us_bench_spec(options);
    US_TRY(us_conv_list_add(&list, &spec));
    US_TRY_ALLOC(rows = us_calloc((size_t)list.n * US_CONV_DIRECTIONS, sizeof *rows));
    for (int i = 0; i < list.n * US_CONV_DIRECTIONS; i++) {
        const struct us_conv_use *use = &list.use[i / US_CONV_DIRECTIONS];
        const enum us_conv_direction direction = (enum us_conv_direction)(i % US_CONV_DIRECTIONS);
        if (use->times[direction])
            US_TRY(measure(device, use, direction, options->rounds, &rows[done++]));
    }
    *out = rows;
    *n = done;
    rows = NULL;
out:
    free(rows);
    free(list.use);
    return st;
}

enum unseen_status unseen_bench_product(struct unseen_device *device, int size,
                                        enum unseen_precision precision, int rounds,
                                        struct unseen_tune_row *row)
{
    enum unseen_status st = UNSEEN_OK;
    const int width = 32;
    const struct us_conv_shape shape = {1, size / width, width, size, size, 1, 1, 0, precision};
    US_TRY(us_device_alone(device, "a measurement"));
    if (size < width || size > 16384 || size % width)
        return us_fail(UNSEEN_USAGE, "--gemm", "%d is not a multiple of %d in %d..16384", size, width, width);
    struct unseen_bench_options checked;
    unseen_bench_defaults(&checked);
    checked.rounds = rounds;
    US_TRY(us_bench_check(&checked));
    US_TRY(us_race(device, &shape, US_CONV_FORWARD, rounds, row));
out:
    return st;
}

enum unseen_status unseen_bench_peak(struct unseen_device *device, double *flops)
{
    return us_peak_flops(device, flops);
}
