#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dataset_options.h"
#include "cmd/cmd.h"
#include "compare/compare_options.h"
#include "unseen/compare.h"
#include "unseen/report.h"

static enum unseen_status print_json(const struct unseen_comparison *rows, int n)
{
    json_t *list = json_array();
    for (int i = 0; list && i < n; i++) {
        const struct unseen_comparison *r = &rows[i];
        json_t *row = json_pack("{s:s, s:s, s:s, s:f, s:I, s:i, s:I, s:f, s:f}", "metric", r->metric,
                                "protocol", r->protocol, "rule", r->rule, "keep", r->keep, "kept",
                                (json_int_t)r->kept, "seeds", r->seeds, "steps", (json_int_t)r->steps,
                                "test_accuracy", r->mean, "best_test_accuracy", r->best_mean);
        if (row && !isnan(r->deviation))
            json_object_set_new(row, "deviation", json_real(r->deviation));
        json_array_append_new(list, row);
    }
    return us_print_json(list);
}

static void print_rows(const struct unseen_comparison *rows, int n, const char *out)
{
    int score = us_wider(0, "score"), rule = us_wider(0, "rule");
    for (int i = 0; i < n; i++) {
        score = us_wider(score, rows[i].metric);
        rule = us_wider(rule, rows[i].rule);
    }
    printf("%-*s %-11s %-*s %6s %9s %8s   %s\n", score, "score", "protocol", rule, "rule", "keep", "kept",
           "steps", "test accuracy");
    for (int i = 0; i < n; i++) {
        const struct unseen_comparison *r = &rows[i];
        printf("%-*s %-11s %-*s %6g %9" PRId64 " %8" PRId64 "   %6.2f %%", score,
               *r->metric ? r->metric : "-", *r->protocol ? r->protocol : "-", rule, r->rule, r->keep,
               r->kept, r->steps, 100 * r->mean);
        if (!isnan(r->deviation))
            printf(" +- %.2f", 100 * r->deviation);
        printf("\n");
    }
    us_print_loading();
    printf("\n%s/table.csv\n%s/table.md\n%s/report.html\n", out, out, out);
}

enum unseen_status us_cmd_compare(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_compare_options o;
    struct unseen_dataset_options reading = {0};
    struct unseen_comparison *rows = NULL;
    const char *path[1];
    struct unseen_device *device = NULL;
    struct unseen_run_lock *lock = NULL;
    struct unseen_dataset *data = NULL;
    int n = 0;
    bool help;
    unseen_compare_defaults(&o);
    const struct us_usage usage = {
        .synopsis =
            "unseen compare DATA --metrics M,... --protocols P,... --rules R,... --keep R,... --out DIR "
            "[options]",
        .about = "Train on every coreset of a sweep, test the models, and write a table and a report. Models "
                 "on all data and on random subsets are always among them. The same command goes on after an "
                 "interruption; longer lists and more seeds in the same folder train only what is new.",
        .groups = {{us_compare_options, &o, NULL},
                   {us_dataset_options, &reading, "Data"},
                   {us_label_options, &reading, "Data"}},
        .common = "device seed out json",
        .lists = us_list_choices,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    o.seed = o.score.seed = common.seed;
    o.out = common.out;
    o.command = us_command_line();
    US_TRY(us_open_inputs(&common, path[0], &reading, &data, &device));
    US_TRY(unseen_run_lock(common.out, (const char *[]){"report.html", NULL}, &lock));
    US_TRY(unseen_compare(device, data, &o, &rows, &n));
    US_TRY(unseen_report(common.out, data, 0));
    if (common.json)
        US_TRY(print_json(rows, n));
    else
        print_rows(rows, n, common.out);
out:
    unseen_run_lock_end(lock);
    free(rows);
    unseen_device_close(device);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
