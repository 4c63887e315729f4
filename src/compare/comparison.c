#include "config.h"

#include "compare/comparison.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/text.h"
#include "compare/cell.h"
#include "compare/compare_options.h"
#include "nn/run_json.h"

char *us_comparison_name(const struct unseen_comparison *row, char text[160])
{
    snprintf(text, 160, "%s%s%s%s%s", row->metric, *row->metric ? " " : "", row->protocol,
             *row->protocol ? " " : "", row->rule);
    return text;
}

/* Mean and deviation over seeds, from the cells' results. */
static enum unseen_status gather_row(const struct unseen_compare_options *o, const struct us_row *row,
                                     struct unseen_comparison *line)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_cell_result r;
    char *folder = NULL;
    double square = 0;
    *line = (struct unseen_comparison){.keep = row->keep};
    snprintf(line->metric, sizeof line->metric, "%s", row->metric);
    snprintf(line->protocol, sizeof line->protocol, "%s", row->protocol);
    snprintf(line->rule, sizeof line->rule, "%s", row->rule);
    for (int s = 0; s < o->seeds; s++) {
        bool done;
        US_TRY_ALLOC(folder = us_cell_folder(o, row, s));
        US_TRY(us_cell_read(folder, &r, &done));
        if (!done) {
            st = us_fail(UNSEEN_FAILED, folder, "has lost its result");
            goto out;
        }
        free(folder);
        folder = NULL;
        line->kept = r.kept;
        line->epochs = r.epochs;
        line->steps = r.steps;
        line->seeds++;
        double before = line->mean;
        line->mean += (r.accuracy - before) / line->seeds;
        square += (r.accuracy - before) * (r.accuracy - line->mean);
        line->best_mean += (r.best - line->best_mean) / line->seeds;
    }
    line->deviation = line->seeds > 1 ? sqrt(square / (line->seeds - 1)) : NAN;
out:
    free(folder);
    return st;
}

enum unseen_status us_comparison_gather(const struct unseen_compare_options *o, const struct us_sweep *sweep,
                                        struct unseen_comparison *table)
{
    enum unseen_status st = UNSEEN_OK;
    for (int i = 0; i < sweep->n; i++)
        US_TRY(gather_row(o, &sweep->rows[i], &table[i]));
out:
    return st;
}

static enum unseen_status write_csv(const char *path, const struct unseen_comparison *table, int n)
{
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st)
        return st;
    fputs("metric,protocol,rule,keep,kept,seeds,epochs,steps,test_accuracy,deviation,best_test_accuracy\n",
          file.stream);
    for (int i = 0; i < n; i++) {
        const struct unseen_comparison *r = &table[i];
        us_csv_field(file.stream, r->metric);
        us_print(file.stream, ",%s,%s,%g,%" PRId64 ",%d,%" PRId64 ",%" PRId64 ",%.6f,", r->protocol, r->rule,
                 r->keep, r->kept, r->seeds, r->epochs, r->steps, r->mean);
        if (!isnan(r->deviation))
            us_print(file.stream, "%.6f", r->deviation);
        us_print(file.stream, ",%.6f\n", r->best_mean);
    }
    return us_atomic_commit(&file);
}

static bool same_name(const struct unseen_comparison *a, const struct unseen_comparison *b)
{
    return strcmp(a->metric, b->metric) == 0 && strcmp(a->protocol, b->protocol) == 0 &&
           strcmp(a->rule, b->rule) == 0;
}

static void markdown_value(FILE *out, const struct unseen_comparison *r)
{
    us_print(out, " %.2f", 100 * r->mean);
    if (!isnan(r->deviation))
        us_print(out, " ± %.2f", 100 * r->deviation);
}

/* A line for each name, a column for each keep ratio. The baseline of random subsets is in all columns: it
 * tells what they are. */
static enum unseen_status write_markdown(const char *path, const struct unseen_compare_options *o,
                                         const struct unseen_comparison *table, int n)
{
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st)
        return st;
    FILE *out = file.stream;
    char name[160];
    int columns = 0;
    while (1 + columns < n && same_name(&table[1], &table[1 + columns]))
        columns++;
    fprintf(out, "Test accuracy in percent after the last epoch, mean ± deviation over %d seed%s; ", o->seeds,
            o->seeds > 1 ? "s" : "");
    fprintf(out, "%s, width %d, %d epochs, equal %s.\nAll of the data:", o->recipe.model, o->recipe.width,
            o->recipe.epochs, o->budget == UNSEEN_BUDGET_STEPS ? "steps" : "epochs");
    markdown_value(out, &table[0]);
    fputs("\n\n| score, protocol, rule |", out);
    for (int c = 0; c < columns; c++)
        us_print(out, " %g |", table[1 + c].keep);
    fputs("\n|---|", out);
    for (int c = 0; c < columns; c++)
        fputs("---|", out);
    for (int i = 1; i < n; i++) {
        if ((i - 1) % columns == 0)
            fprintf(out, "\n| %s |", us_comparison_name(&table[i], name));
        markdown_value(out, &table[i]);
        fputs(" |", out);
    }
    fputc('\n', out);
    return us_atomic_commit(&file);
}

static json_t *row_json(const struct unseen_comparison *r)
{
    return json_pack(
        "{s:s, s:s, s:s, s:f, s:I, s:i, s:I, s:I, s:f, s:o, s:f}", "metric", r->metric, "protocol",
        r->protocol, "rule", r->rule, "keep", r->keep, "kept", (json_int_t)r->kept, "seeds", r->seeds,
        "epochs", (json_int_t)r->epochs, "steps", (json_int_t)r->steps, "test_accuracy", r->mean, "deviation",
        isnan(r->deviation) ? json_null() : json_real(r->deviation), "best_test_accuracy", r->best_mean);
}

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
        bad = json_array_append_new(rows, row_json(&table[i]));
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
