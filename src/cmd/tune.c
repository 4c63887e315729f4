#include "config.h"

#include "unseen/tune.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/bench_options.h"
#include "cmd/cmd.h"

static enum unseen_status print_json(const struct unseen_tune_row *rows, int n)
{
    json_t *all = json_array();
    for (int i = 0; all && i < n; i++)
        json_array_append_new(all, us_race_json(&rows[i]));
    return us_print_json(all);
}

static void print_table(const struct unseen_tune_row *rows, int n, const char *device)
{
    int width = us_wider(0, "fastest");
    for (int i = 0; i < n; i++)
        width = us_wider(width, rows[i].candidate[0].algorithm);
    printf("%d convolutions on %s\n\n%-30s %-8s %-*s %9s %9s  %s\n", n, device, "shape", "pass", width,
           "fastest", "ms", "GFLOP/s", "others, ms");
    for (int i = 0; i < n; i++) {
        const struct unseen_tune_row *r = &rows[i];
        char shape[US_SHAPE_TEXT];
        printf("%-30s %-8s %-*s %9.3f %9.1f ", us_shape_text(&r->conv, shape), r->conv.direction, width,
               r->candidate[0].algorithm, 1e3 * r->candidate[0].seconds,
               1e-9 * r->conv.flops / r->candidate[0].seconds);
        for (int k = 1; k < r->candidates; k++)
            printf(" %s %.3f", r->candidate[k].algorithm, 1e3 * r->candidate[k].seconds);
        putchar('\n');
    }
}

enum unseen_status us_cmd_tune(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_tune_options options = {0};
    struct unseen_tune_row *rows = NULL;
    struct unseen_device *device = NULL;
    int n = 0;
    bool help;
    us_options_defaults(us_tune_options, &options);
    const struct us_usage usage = {
        .synopsis = "unseen tune [--model M] [--width W] [--size S] [--batch B]",
        .about =
            "Time every way to compute each convolution of a model on the device, and keep the fastest in "
            "~/.cache/unseen/tuning (UNSEEN_CACHE_DIR), where training and all else find it. What wins "
            "decides rounding, so a run that was interrupted before cannot go on after. UNSEEN_TUNING=0 "
            "leaves the stored choices unused.",
        .groups = {{us_tune_options, &options, NULL}},
        .common = "device json",
        .lists = us_list_models};
    US_TRY(us_options_parse(&usage, argc, argv, &common, NULL, &help));
    if (help)
        goto out;
    US_TRY(unseen_device_open(common.device, &device));
    US_TRY(unseen_tune(device, &options, &rows, &n));
    if (common.json)
        US_TRY(print_json(rows, n));
    else
        print_table(rows, n, unseen_device_info(device)->name);
out:
    free(rows);
    unseen_device_close(device);
    us_common_end(&common);
    return st;
}
