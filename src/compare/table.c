/* table.csv, table.md and run.json of a comparison. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/json.h"
#include "base/text.h"
#include "compare/columns.h"
#include "compare/compare_options.h"
#include "compare/comparison.h"
#include "nn/run_json.h"

char *us_comparison_name(const struct unseen_comparison *row, char text[160])
{
    snprintf(text, 160, "%s%s%s%s%s", row->metric, *row->metric ? " " : "", row->protocol,
             *row->protocol ? " " : "", row->rule);
    return text;
}

static enum unseen_status write_csv(const char *path, const struct unseen_comparison *table, int n)
{
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st)
        return st;
    us_columns_csv_heading(file.stream);
    for (int i = 0; i < n; i++)
        us_columns_csv_line(file.stream, &table[i]);
    return us_atomic_commit(&file);
}

/* ---- table.md ---- */

static bool same_name(const struct unseen_comparison *a, const struct unseen_comparison *b)
{
    return strcmp(a->metric, b->metric) == 0 && strcmp(a->protocol, b->protocol) == 0 &&
           strcmp(a->rule, b->rule) == 0;
}

static void write_rule(FILE *out, int columns)
{
    fputs("\n|---|", out);
    for (int c = 0; c < columns; c++)
        fputs("---|", out);
    fputc('\n', out);
}

/* A line for each name that has a value, a column for each keep ratio. lines [n] are those that have one,
 * each name's `ratios` behind one another. */
static void write_by_keep(FILE *out, const struct us_column *column, const struct unseen_comparison *lines,
                          int n, int ratios)
{
    char text[US_COLUMN_TEXT_SIZE], name[160];
    if (!us_column_is_used(column, lines, n))
        return;
    fprintf(out, "\n| %s, by share kept |", column->title);
    for (int k = 0; k < ratios; k++)
        us_print(out, " %g |", lines[k].keep);
    write_rule(out, ratios);
    for (int i = 0; i < n; i += ratios) {
        if (!us_column_is_used(column, lines + i, ratios))
            continue;
        fprintf(out, "| %s |", us_comparison_name(&lines[i], name));
        for (int k = 0; k < ratios; k++)
            fprintf(out, " %s |", us_column_text(column, &lines[i + k], US_PLUS_MINUS, text));
        fputc('\n', out);
    }
}

/* All rows, a column for each number. */
static void write_list(FILE *out, const struct unseen_comparison *table, int n)
{
    const struct us_column *column;
    char text[US_COLUMN_TEXT_SIZE], name[160];
    int columns = 1;
    fputs("\n| score, protocol, rule | keep |", out);
    for (int c = 0; (column = us_column(c)); c++) {
        if (!(column->shown & US_COLUMN_LISTED) || !us_column_is_used(column, table, n))
            continue;
        fprintf(out, " %s |", column->title);
        columns++;
    }
    write_rule(out, columns);
    for (int i = 0; i < n; i++) {
        us_print(out, "| %s | %g |", us_comparison_name(&table[i], name), table[i].keep);
        for (int c = 0; (column = us_column(c)); c++) {
            if (column->shown & US_COLUMN_LISTED && us_column_is_used(column, table, n))
                fprintf(out, " %s |", us_column_text(column, &table[i], US_PLUS_MINUS, text));
        }
        fputc('\n', out);
    }
}

static void write_notes(FILE *out)
{
    fputs(
        "\nImages are counted as often as a model trained on them. Scoring is what all models of the scoring "
        "run took that a coreset was chosen by: rows with one scoring run share it, and each is charged "
        "with the whole. In \"images with scoring\" an image that is only evaluated counts a third. Seconds "
        "are summed over models and include the tests of the trained ones. Deviations over classes are of "
        "the classes of one model; differences are paired by seed.\n",
        out);
}

static enum unseen_status write_markdown(const char *path, const struct unseen_compare_options *o,
                                         const struct unseen_comparison *table, int n)
{
    struct us_atomic file;
    const struct us_column *column;
    char text[US_COLUMN_TEXT_SIZE];
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st)
        return st;
    FILE *out = file.stream;
    const int first = *table[0].metric || strcmp(table[0].rule, "full") != 0 ? 0 : 1;
    int ratios = 0;
    while (first + ratios < n && same_name(&table[first], &table[first + ratios]))
        ratios++;
    fprintf(out, "Test accuracy after the last epoch. Mean ± standard error over %d seed%s; %s, width %d, ",
            o->seeds, o->seeds > 1 ? "s" : "", o->recipe.model, o->recipe.width);
    fprintf(out, "%d epochs, equal %s.\n", o->recipe.epochs,
            o->budget == UNSEEN_BUDGET_STEPS ? "steps" : "epochs");
    for (int c = 0; (column = us_column(c)); c++) {
        if (!(column->shown & US_COLUMN_BY_KEEP))
            continue;
        if (first && us_column_is_used(column, table, 1))
            fprintf(out, "All of the data: %s %s\n", column->title,
                    us_column_text(column, table, US_PLUS_MINUS, text));
        if (ratios)
            write_by_keep(out, column, table + first, n - first, ratios);
    }
    write_list(out, table, n);
    write_notes(out);
    return us_atomic_commit(&file);
}

/* ---- run.json ---- */

static enum unseen_status write_run(const char *path, const struct unseen_compare_options *o,
                                    const struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct us_plan *plan, const struct unseen_comparison *table, int n)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *run = us_run_json(o->command, o->seed, device, data, us_compare_options, o);
    json_t *rows = json_array();
    US_TRY_ALLOC(run);
    bool bad = !rows;
    for (int i = 0; i < n && !bad; i++)
        bad = json_array_append_new(rows, us_comparison_json(&table[i]));
    bad |= json_object_set(run, "comparison", rows) || us_plan_put(plan, run);
    st = bad ? us_fail(UNSEEN_FAILED, "memory", "cannot describe the run") : us_json_save(path, run);
out:
    json_decref(rows);
    json_decref(run);
    return st;
}

enum unseen_status us_comparison_write(const struct unseen_compare_options *o,
                                       const struct unseen_device *device, const struct unseen_dataset *data,
                                       const struct us_plan *plan, const struct unseen_comparison *table,
                                       int n)
{
    enum unseen_status st = UNSEEN_OK;
    char *csv = us_format("%s/table.csv", o->out);
    char *markdown = us_format("%s/table.md", o->out);
    char *run = us_format("%s/run.json", o->out);
    US_TRY_ALLOC(csv);
    US_TRY_ALLOC(markdown);
    US_TRY_ALLOC(run);
    US_TRY(write_csv(csv, table, n));
    US_TRY(write_markdown(markdown, o, table, n));
    US_TRY(write_run(run, o, device, data, plan, table, n));
out:
    free(run);
    free(markdown);
    free(csv);
    return st;
}
