/* The section on a comparison: accuracy against what was kept and what it took, and the table. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/columns.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"

enum { COLOURS = 8, LINES_A_PLOT = 8, MOST_COLUMNS = 32 };

static const char *const colours[COLOURS] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"};

static const json_t *rows_of(const struct us_run_folder *folder)
{
    return us_run_value(folder, "comparison");
}

bool us_shows_comparison(const struct us_run_folder *folder)
{
    return json_array_size(rows_of(folder)) > 0;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

static double number_of(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* "el2n, fold, ccs"; the rule alone for a baseline. */
static void name_row(const json_t *row, char name[160])
{
    const char *metric = text_of(row, "metric");
    snprintf(name, 160, "%s%s%s%s%s", metric, *metric ? ", " : "", text_of(row, "protocol"),
             *metric ? ", " : "", text_of(row, "rule"));
}

/* The error bar of a row. Earlier versions left the deviation alone. */
static double error_of(const json_t *row)
{
    const double error = number_of(row, "standard_error");
    return isnan(error) ? number_of(row, "deviation") : error;
}

/* ---- plots ---- */

/* What a plot has on its x axis. */
struct abscissa {
    const char *key;   /* of a row */
    const char *title; /* "Accuracy against ..." */
    const char *label;
    bool counts; /* images; else a share, in percent */
};

static const struct abscissa abscissae[] = {
    {"keep", "share kept", "percent of the samples kept", false},
    {"images", "images trained on", "images trained on", true},
    {"images_with_scoring", "images, scoring included",
     "images trained on, those of the scoring run among them", true},
};

/* The curves: rows with one name, in the order of the file. */
struct curves {
    int n;
    struct us_line *lines; /* [rows] */
    char (*names)[160];
    double *x, *y, *error, *full; /* [rows] */
    char label[96];               /* of x */
};

static void curves_free(struct curves *c)
{
    free(c->lines);
    free(c->names);
    free(c->x);
    free(c->y);
    free(c->error);
    free(c->full);
}

/* The number that the values of an axis are divided by, and what it is called. */
static double scale_of(const json_t *rows, const struct abscissa *abscissa, const char **name)
{
    double most = 0;
    *name = "";
    if (!abscissa->counts)
        return 0.01;
    for (size_t i = 0; i < json_array_size(rows); i++)
        most = fmax(most, number_of(json_array_get(rows, i), abscissa->key));
    *name = most >= 1e6 ? "million " : most >= 1e4 ? "thousand " : "";
    return most >= 1e6 ? 1e6 : most >= 1e4 ? 1e3 : 1;
}

static enum unseen_status curves_make(const json_t *rows, const struct abscissa *abscissa, struct curves *c)
{
    enum unseen_status st = UNSEEN_OK;
    const char *unit;
    const double scale = scale_of(rows, abscissa, &unit);
    size_t n = json_array_size(rows);
    snprintf(c->label, sizeof c->label, "%s%s", unit, abscissa->label);
    US_TRY_ALLOC(c->lines = us_calloc(n, sizeof *c->lines));
    US_TRY_ALLOC(c->names = us_calloc(n, sizeof *c->names));
    US_TRY_ALLOC(c->x = us_calloc(n, sizeof *c->x));
    US_TRY_ALLOC(c->y = us_calloc(n, sizeof *c->y));
    US_TRY_ALLOC(c->error = us_calloc(n, sizeof *c->error));
    US_TRY_ALLOC(c->full = us_calloc(n, sizeof *c->full));
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);
        char name[160];
        name_row(row, name);
        c->x[i] = number_of(row, abscissa->key) / scale;
        c->y[i] = number_of(row, "test_accuracy");
        c->error[i] = error_of(row);
        if (c->n == 0 || strcmp(name, c->names[c->n - 1]) != 0) {
            memcpy(c->names[c->n], name, sizeof name);
            c->lines[c->n] = (struct us_line){
                .name = c->names[c->n], .x = c->x + i, .y = c->y + i, .deviation = c->error + i};
            c->n++;
        }
        c->lines[c->n - 1].n++;
    }
out:
    return st;
}

static bool has_values(const struct us_line *line)
{
    for (int i = 0; i < line->n; i++) {
        if (isfinite(line->x[i]))
            return true;
    }
    return false;
}

static bool is_named(const struct us_line *line, const char *name)
{
    return strcmp(line->name, name) == 0;
}

/* All of the data: where x is the share kept, a level line over the shares of the others. */
static struct us_line line_of_all(const struct curves *c, const struct us_line *all,
                                  const struct abscissa *abscissa)
{
    struct us_line line = *all;
    const struct us_line *others = c->n > 1 ? &c->lines[1] : all;
    line.name = "all of the data";
    line.style = "data";
    if (abscissa->counts)
        return line;
    for (int i = 0; i < others->n; i++)
        c->full[i] = all->y[0];
    line.thin = true;
    line.deviation = NULL;
    line.x = others->x;
    line.y = c->full;
    line.n = others->n;
    return line;
}

/* The lines that stand in every plot. */
static int list_references(const struct curves *c, const struct abscissa *abscissa, struct us_line *lines)
{
    int n = 0;
    for (int i = 0; i < c->n && n < 2; i++) {
        if (is_named(&c->lines[i], "full"))
            lines[n++] = line_of_all(c, &c->lines[i], abscissa);
        if (is_named(&c->lines[i], "random")) {
            lines[n] = c->lines[i];
            lines[n++].style = "random";
        }
    }
    return n;
}

/* The references and up to LINES_A_PLOT others from *next on, which moves behind them. */
static void write_plot(FILE *out, const struct curves *c, const struct abscissa *abscissa, int *next)
{
    struct us_line lines[LINES_A_PLOT + 2];
    char title[96];
    const bool first = *next == 0;
    int n = list_references(c, abscissa, lines), others = 0;
    for (; *next < c->n && others < LINES_A_PLOT; (*next)++) {
        const struct us_line *line = &c->lines[*next];
        if (is_named(line, "full") || is_named(line, "random") || !has_values(line))
            continue;
        lines[n] = *line;
        lines[n++].style = colours[others++ % COLOURS];
    }
    snprintf(title, sizeof title, "Accuracy against %s%s", abscissa->title,
             first && *next == c->n ? "" : ", part");
    us_svg_lines(out, &(struct us_line_plot){.title = title,
                                             .x_label = c->label,
                                             .y_label = "test accuracy",
                                             .x_unit = US_PLAIN,
                                             .unit = US_PERCENT,
                                             .n = n,
                                             .lines = lines,
                                             .key = true});
}

static enum unseen_status write_plots(FILE *out, const json_t *rows, const struct abscissa *abscissa)
{
    enum unseen_status st = UNSEEN_OK;
    struct curves curves = {0};
    bool any = false;
    int next = 0;
    US_TRY(curves_make(rows, abscissa, &curves));
    for (int i = 0; i < curves.n; i++)
        any |= has_values(&curves.lines[i]);
    while (any && next < curves.n)
        write_plot(out, &curves, abscissa, &next);
out:
    curves_free(&curves);
    return st;
}

/* ---- the table ---- */

/* A column's value in a row of run.json. */
static void value_text(const struct us_column *column, const json_t *row, char text[US_COLUMN_TEXT_SIZE])
{
    const double value = number_of(row, column->name);
    const struct unseen_estimate estimate = {value, NAN, column->error ? number_of(row, column->error) : NAN};
    if (column->kind == US_COLUMN_TEXT)
        snprintf(text, US_COLUMN_TEXT_SIZE, "%s",
                 *text_of(row, column->name) ? text_of(row, column->name) : "-");
    else if (column->kind == US_COLUMN_ESTIMATE)
        us_column_value(column, &estimate, US_PLUS_MINUS, text);
    else if (column->kind == US_COLUMN_NUMBER || isnan(value))
        us_value_text(value, text);
    else
        us_count_text((int64_t)value, text);
}

/* Of those that people see, the ones that some row has a value in. */
static int list_columns(const json_t *rows, const struct us_column *list[MOST_COLUMNS])
{
    const struct us_column *column;
    char text[US_COLUMN_TEXT_SIZE];
    int n = 0;
    for (int c = 0; (column = us_column(c)) && n < MOST_COLUMNS; c++) {
        bool used = false;
        for (size_t i = 0; i < json_array_size(rows) && column->shown && !used; i++) {
            value_text(column, json_array_get(rows, i), text);
            used = strcmp(text, "-") != 0;
        }
        if (used)
            list[n++] = column;
    }
    return n;
}

static void write_table(FILE *out, const json_t *rows)
{
    const struct us_column *column[MOST_COLUMNS];
    const char *cells[2 + MOST_COLUMNS] = {"coreset", "keep"};
    const int n = list_columns(rows, column);
    fputs("<div class=\"card whole\"><h3>Table</h3><div class=\"scroll\"><table><thead>\n", out);
    for (int c = 0; c < n; c++)
        cells[2 + c] = column[c]->title;
    us_html_row(out, "th", 2 + n, cells);
    fputs("</thead><tbody>\n", out);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        char name[160], keep[US_NUMBER], text[MOST_COLUMNS][US_COLUMN_TEXT_SIZE];
        name_row(row, name);
        cells[0] = name;
        cells[1] = us_value_text(number_of(row, "keep"), keep);
        for (int c = 0; c < n; c++) {
            value_text(column[c], row, text[c]);
            cells[2 + c] = text[c];
        }
        us_html_row(out, "td", 2 + n, cells);
    }
    fputs("</tbody></table></div></div>\n", out);
}

enum unseen_status us_write_comparison(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    const json_t *rows = rows_of(folder);
    const char *budget = us_run_text(folder, "budget");
    us_html_element(
        out, "p", "soft",
        "Test accuracy after the last epoch, mean over the seeds; bars and \xC2\xB1 are standard "
        "errors of it. Every model trained for the same number of %s. Images are counted as often "
        "as a model trained on them; with scoring, all models of the scoring run that a coreset "
        "was chosen by are counted, too, and an image that is only evaluated as a third.",
        budget ? budget : "epochs");
    fputs("<div class=\"grid\">\n", out);
    for (size_t i = 0; i < sizeof abscissae / sizeof *abscissae; i++)
        US_TRY(write_plots(out, rows, &abscissae[i]));
    write_table(out, rows);
    fputs("</div>\n", out);
out:
    return st;
}
