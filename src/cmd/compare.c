#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dataset_options.h"
#include "cmd/cmd.h"
#include "cmd/plan.h"
#include "compare/baseline.h"
#include "compare/columns.h"
#include "compare/compare_options.h"
#include "unseen/compare.h"
#include "unseen/report.h"

static enum unseen_status print_json(const struct unseen_comparison *rows, int n)
{
    json_t *list = json_array();
    for (int i = 0; list && i < n; i++)
        json_array_append_new(list, us_comparison_json(&rows[i]));
    return us_print_json(list);
}

/* The columns that people see here: those that name a row, and with values those that are marked. */
enum { NAMES = 4, MOST_PRINTED = 16 };

static int list_printed(const struct unseen_comparison *rows, int n,
                        const struct us_column *printed[MOST_PRINTED])
{
    const struct us_column *column;
    int columns = 0;
    for (int c = 0; (column = us_column(c)) && columns < MOST_PRINTED; c++) {
        if (c < NAMES || (column->shown & US_COLUMN_PRINTED && us_column_is_used(column, rows, n)))
            printed[columns++] = column;
    }
    return columns;
}

static void print_rows(const struct unseen_comparison *rows, int n, const char *out)
{
    const struct us_column *printed[MOST_PRINTED];
    const int columns = list_printed(rows, n, printed);
    char text[US_COLUMN_TEXT_SIZE];
    int width[MOST_PRINTED];
    for (int c = 0; c < columns; c++) {
        width[c] = us_wider(0, printed[c]->title);
        for (int i = 0; i < n; i++)
            width[c] = us_wider(width[c], us_column_text(printed[c], &rows[i], " +- ", text));
    }
    for (int i = -1; i < n; i++) {
        for (int c = 0; c < columns; c++) {
            const int to = printed[c]->kind == US_COLUMN_TEXT ? -width[c] : width[c];
            printf("%s%*s", c ? "  " : "", to,
                   i < 0 ? printed[c]->title : us_column_text(printed[c], &rows[i], " +- ", text));
        }
        putchar('\n');
    }
    us_print_loading();
    printf("\n%s/table.csv\n%s/table.md\n%s/report.html\n", out, out, out);
}

static void list_choices(void)
{
    us_list_choices();
    us_list("Baselines", us_baseline_name, us_baseline_help);
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
    struct us_planned planned = {.kind = &us_plan_compare, .options = &o, .common = &common};
    bool help;
    unseen_compare_defaults(&o);
    const struct us_usage usage = {
        .synopsis =
            "unseen compare DATA --metrics M,... --protocols P,... --rules R,... --keep R,... --out DIR "
            "[options]",
        .about = "Train on every coreset of a sweep, test the models, and write a table and a report. Models "
                 "on all data are always among them. The same command goes on after an "
                 "interruption; longer lists and more seeds in the same folder train only what is new.",
        .groups = {{us_compare_options, &o, NULL},
                   {us_dataset_options, &reading, "Data"},
                   {us_label_options, &reading, "Data"},
                   {us_truth_options, &reading, "Data"}},
        .common = "device seed out json dry-run",
        .lists = list_choices,
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
    o.on_plan = us_plan_listener(&planned);
    US_TRY(us_open_inputs(&common, path[0], &reading, &data, &device));
    planned.device = device;
    planned.data = data;
    if (common.dry_run) {
        US_TRY(us_plan_print(&planned));
        goto out;
    }
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
