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

/* Lines of one name, which stand behind one another: one for each keep ratio, or fewer. */
static int count_same(const struct unseen_comparison *lines, int n)
{
    int same = 0;
    while (same < n && same_name(&lines[0], &lines[same]))
        same++;
    return same;
}

static const struct unseen_comparison *find_keep(const struct unseen_comparison *lines, int n, double keep)
{
    for (int i = 0; i < n; i++) {
        if (lines[i].keep == keep)
            return &lines[i];
    }
    return NULL;
}

/* What fills one of the tables by keep ratio. `ratios` [n_ratios] are the last name's lines: it has all. */
struct by_keep {
    const struct us_column *column;
    const struct unseen_comparison *lines, *ratios;
    int n, n_ratios;
};

static struct by_keep by_keep_of(const struct unseen_comparison *lines, int n)
{
    struct by_keep t = {.lines = lines, .n = n};
    while (t.n_ratios < n && same_name(&lines[n - 1], &lines[n - 1 - t.n_ratios]))
        t.n_ratios++;
    t.ratios = lines + n - t.n_ratios;
    return t;
}

/* Lines that no column of the table has room for. */
static void write_others(FILE *out, const struct by_keep *t)
{
    char text[US_COLUMN_TEXT_SIZE], name[160];
    for (int i = 0; i < t->n; i++) {
        const struct unseen_comparison *line = &t->lines[i];
        if (!find_keep(t->ratios, t->n_ratios, line->keep) && us_column_is_used(t->column, line, 1))
            fprintf(out, "All of the data, %s: %s %s\n", us_comparison_name(line, name), t->column->title,
                    us_column_text(t->column, line, US_PLUS_MINUS, text));
    }
}

static void write_values(FILE *out, const struct by_keep *t, const struct unseen_comparison *lines, int n)
{
    char text[US_COLUMN_TEXT_SIZE];
    for (int k = 0; k < t->n_ratios; k++) {
        const struct unseen_comparison *line = find_keep(lines, n, t->ratios[k].keep);
        fprintf(out, " %s |", line ? us_column_text(t->column, line, US_PLUS_MINUS, text) : "-");
    }
    fputc('\n', out);
}

/* A line for each name that has a value, a column for each keep ratio. */
static void write_by_keep(FILE *out, const struct by_keep *t)
{
    char name[160];
    write_others(out, t);
    if (!us_column_is_used(t->column, t->lines, t->n))
        return;
    fprintf(out, "\n| %s, by share kept |", t->column->title);
    for (int k = 0; k < t->n_ratios; k++)
        us_print(out, " %g |", t->ratios[k].keep);
    write_rule(out, t->n_ratios);
    for (int i = 0, same; i < t->n; i += same) {
        const struct unseen_comparison *lines = t->lines + i;
        same = count_same(lines, t->n - i);
        if (!us_column_is_used(t->column, lines, same) ||
            !find_keep(t->ratios, t->n_ratios, lines[same - 1].keep))
            continue;
        fprintf(out, "| %s |", us_comparison_name(lines, name));
        write_values(out, t, lines, same);
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
    struct by_keep by_keep = by_keep_of(table + first, n - first);
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
        by_keep.column = column;
        write_by_keep(out, &by_keep);
    }
    write_list(out, table, n);
    write_notes(out);
    return us_atomic_commit(&file);
}

/* ---- run.json ---- */

static enum unseen_status write_run(const char *path, const struct unseen_compare_options *o,
                                    const struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct us_work_plan *plan, const struct unseen_comparison *table,
                                    int n)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *run = us_run_json(o->command, o->seed, device, data, us_compare_options, o);
    json_t *rows = json_array();
    US_TRY_ALLOC(run);
    bool bad = !rows;
    for (int i = 0; i < n && !bad; i++)
        bad = json_array_append_new(rows, us_comparison_json(&table[i]));
    bad |= json_object_set(run, "comparison", rows) || us_work_plan_put(plan, run);
    st = bad ? us_fail(UNSEEN_FAILED, "memory", "cannot describe the run") : us_json_save(path, run);
out:
    json_decref(rows);
    json_decref(run);
    return st;
}

enum unseen_status us_comparison_write(const struct unseen_compare_options *o,
                                       const struct unseen_device *device, const struct unseen_dataset *data,
                                       const struct us_work_plan *plan, const struct unseen_comparison *table,
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
