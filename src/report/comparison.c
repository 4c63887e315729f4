/* The section on a comparison: accuracy against what was kept, and the table. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"

enum { COLOURS = 8, LINES_A_PLOT = 8 };

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

/* The curves: rows with one name, in the order of the file. */
struct curves {
    int n, points;
    struct us_line *lines; /* [rows] */
    char (*names)[160];
    double *x, *y, *deviation, *full;
};

static void curves_free(struct curves *c)
{
    free(c->lines);
    free(c->names);
    free(c->x);
    free(c->y);
    free(c->deviation);
    free(c->full);
}

static enum unseen_status curves_make(const json_t *rows, struct curves *c)
{
    enum unseen_status st = UNSEEN_OK;
    size_t n = json_array_size(rows);
    US_TRY_ALLOC(c->lines = us_calloc(n, sizeof *c->lines));
    US_TRY_ALLOC(c->names = us_calloc(n, sizeof *c->names));
    US_TRY_ALLOC(c->x = us_calloc(n, sizeof *c->x));
    US_TRY_ALLOC(c->y = us_calloc(n, sizeof *c->y));
    US_TRY_ALLOC(c->deviation = us_calloc(n, sizeof *c->deviation));
    US_TRY_ALLOC(c->full = us_calloc(n, sizeof *c->full));
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);
        char name[160];
        name_row(row, name);
        c->x[i] = 100 * number_of(row, "keep");
        c->y[i] = number_of(row, "test_accuracy");
        c->deviation[i] = number_of(row, "deviation");
        if (c->n == 0 || strcmp(name, c->names[c->n - 1]) != 0) {
            memcpy(c->names[c->n], name, sizeof name);
            c->lines[c->n] = (struct us_line){
                .name = c->names[c->n], .x = c->x + i, .y = c->y + i, .deviation = c->deviation + i};
            c->n++;
        }
        c->lines[c->n - 1].n++;
    }
out:
    return st;
}

/* Full data as a level line, random subsets, and up to LINES_A_PLOT others from `first` on. */
static void write_plot(FILE *out, const struct curves *c, int first, bool last)
{
    struct us_line lines[LINES_A_PLOT + 2];
    int n = 0, end = first + LINES_A_PLOT < c->n ? first + LINES_A_PLOT : c->n;
    if (c->n > 1) {
        const struct us_line *random = &c->lines[1];
        for (int i = 0; i < random->n; i++)
            c->full[i] = c->y[0];
        lines[n++] = (struct us_line){.name = "all of the data",
                                      .style = "data",
                                      .thin = true,
                                      .x = random->x,
                                      .y = c->full,
                                      .n = random->n};
        lines[n] = *random;
        lines[n++].style = "random";
    }
    for (int i = first; i < end; i++) {
        lines[n] = c->lines[i];
        lines[n++].style = colours[(i - first) % COLOURS];
    }
    us_svg_lines(out,
                 &(struct us_line_plot){.title = first == 2 && last ? "Accuracy against share kept"
                                                                    : "Accuracy against share kept, part",
                                        .x_label = "percent of the samples kept",
                                        .y_label = "test accuracy",
                                        .x_unit = US_PLAIN,
                                        .unit = US_PERCENT,
                                        .n = n,
                                        .lines = lines,
                                        .key = true});
}

static void write_table(FILE *out, const json_t *rows)
{
    fputs("<div class=\"card whole\"><h3>Table</h3><div class=\"scroll\"><table><thead>\n", out);
    us_html_row(out, "th", 7,
                (const char *[]){"coreset", "keep", "samples", "steps", "seeds", "test accuracy",
                                 "deviation (points)"});
    fputs("</thead><tbody>\n", out);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        char name[160], text[6][US_NUMBER];
        name_row(row, name);
        double deviation = number_of(row, "deviation");
        snprintf(text[4], US_NUMBER, "%.2f %%", 100 * number_of(row, "test_accuracy"));
        snprintf(text[5], US_NUMBER, isnan(deviation) ? "-" : "%.2f", 100 * deviation);
        us_html_row(out, "td", 7,
                    (const char *[]){name, us_value_text(number_of(row, "keep"), text[0]),
                                     us_count_text((int64_t)number_of(row, "kept"), text[1]),
                                     us_count_text((int64_t)number_of(row, "steps"), text[2]),
                                     us_count_text((int64_t)number_of(row, "seeds"), text[3]), text[4],
                                     text[5]});
    }
    fputs("</tbody></table></div></div>\n", out);
}

enum unseen_status us_write_comparison(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    const json_t *rows = rows_of(folder);
    struct curves curves = {0};
    const char *budget = us_run_text(folder, "budget");
    US_TRY(curves_make(rows, &curves));
    us_html_element(
        out, "p", "soft",
        "Test accuracy after the last epoch, mean over the seeds, and the standard deviation over them; "
        "every model trained for the same "
        "number of %s.",
        budget ? budget : "epochs");
    fputs("<div class=\"grid\">\n", out);
    int first = 2;
    do {
        write_plot(out, &curves, first, first + LINES_A_PLOT >= curves.n);
        first += LINES_A_PLOT;
    } while (first < curves.n);
    write_table(out, rows);
    fputs("</div>\n", out);
out:
    curves_free(&curves);
    return st;
}
