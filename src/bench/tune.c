#include "config.h"

#include "unseen/tune.h"

#include <stdlib.h>

#include "base/progress.h"
#include "bench/bench_options.h"
#include "bench/conv_list.h"
#include "bench/race.h"
#include "device/tuning.h"

static enum unseen_status check(const struct unseen_tune_options *o)
{
    const enum unseen_status st = us_options_check(us_tune_options, o);
    if (st)
        return st;
    if (!us_tuning_on()) {
        us_fail(UNSEEN_USAGE, "UNSEEN_TUNING", "is 0: what is measured would neither be stored nor used");
        us_hint("unset it");
        return UNSEEN_USAGE;
    }
    return UNSEEN_OK;
}

/* The shapes of one model or of all. */
static enum unseen_status collect(const struct unseen_tune_options *o, struct us_conv_list *list)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_model_spec spec = {.classes = o->classes,
                                 .width = o->width,
                                 .height = o->size,
                                 .channels_in = 3,
                                 .batch = o->batch,
                                 .precision = o->precision};
    const char *name = o->model ? o->model : unseen_model_name(0);
    for (int i = 0; name; name = o->model ? NULL : unseen_model_name(++i)) {
        spec.name = name;
        US_TRY(us_conv_list_add(list, &spec));
    }
out:
    return st;
}

static enum unseen_status keep(struct unseen_device *device, const struct us_conv_shape *shape,
                               enum us_conv_direction direction, const struct unseen_tune_row *row)
{
    char key[US_CONV_KEY];
    struct us_tuned tuned = {.winner = row->candidate[0].algorithm,
                             .milliseconds = 1e3 * row->candidate[0].seconds,
                             .gflops = 1e-9 * row->conv.flops / row->candidate[0].seconds};
    if (row->candidates > 1) {
        tuned.runner_up = row->candidate[1].algorithm;
        tuned.runner_up_milliseconds = 1e3 * row->candidate[1].seconds;
    }
    us_conv_key(shape, direction, key);
    return us_tuning_keep(device, key, &tuned);
}

static enum unseen_status race_all(struct unseen_device *device, const struct us_conv_list *list, int rounds,
                                   struct unseen_tune_row *rows, int *n)
{
    enum unseen_status st = UNSEEN_OK;
    const int total = list->n * US_CONV_DIRECTIONS;
    struct us_progress *progress = us_progress_begin("tune", "convolutions", (uint64_t)total);
    *n = 0;
    for (int i = 0; i < total; i++) {
        const struct us_conv_use *use = &list->use[i / US_CONV_DIRECTIONS];
        const enum us_conv_direction direction = (enum us_conv_direction)(i % US_CONV_DIRECTIONS);
        if (use->times[direction]) {
            if (us_interrupted()) {
                st = us_fail(UNSEEN_INTERRUPTED, "tune", "interrupted after %d measurements", *n);
                goto out;
            }
            US_TRY(us_race(device, &use->shape, direction, rounds, &rows[*n]));
            US_TRY(keep(device, &use->shape, direction, &rows[*n]));
            (*n)++;
        }
        us_progress_update(progress, (uint64_t)i + 1, NULL);
    }
out:
    us_progress_end(progress);
    return st;
}

enum unseen_status unseen_tune(struct unseen_device *device, const struct unseen_tune_options *options,
                               struct unseen_tune_row **out, int *n)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_conv_list list = {0};
    struct unseen_tune_row *rows = NULL;
    US_TRY(us_device_alone(device, "tuning"));
    US_TRY(check(options));
    US_TRY(collect(options, &list));
    US_TRY_ALLOC(rows = us_calloc((size_t)list.n * US_CONV_DIRECTIONS, sizeof *rows));
    st = race_all(device, &list, options->rounds, rows, n);
    if (st && st != UNSEEN_INTERRUPTED)
        goto out;
    enum unseen_status saved = us_tuning_save(device);
    st = saved ? saved : st;
    if (!st) {
        *out = rows;
        rows = NULL;
    }
out:
    free(rows);
    free(list.use);
    return st;
}
