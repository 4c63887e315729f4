/* The section on classes: what share of each was kept. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory_stream.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"

/* More bars than this are no picture: then the ends of the ranking are drawn. */
enum { MOST_BARS = 30, END_BARS = 12 };

/* The same of rows: more are a file. */
enum { MOST_ROWS = 200, END_ROWS = 50 };

struct class_count {
    int class;
    int64_t n, kept;
    double score; /* mean */
};

bool us_shows_classes(const struct us_run_folder *folder)
{
    return folder->scores && folder->kept && folder->labels && folder->classes > 1 && folder->m > 0;
}

static double keep_rate(const struct class_count *count)
{
    return count->n ? (double)count->kept / (double)count->n : NAN;
}

/* By keep rate, highest first; classes without samples last. */
static int by_rate(const void *a, const void *b)
{
    const struct class_count *x = a, *y = b;
    double left = x->n ? keep_rate(x) : -1, right = y->n ? keep_rate(y) : -1;
    if (left != right)
        return left < right ? 1 : -1;
    return x->class - y->class;
}

static enum unseen_status count_classes(const struct us_run_folder *f, struct class_count **counts)
{
    struct class_count *count = us_calloc((size_t)f->classes, sizeof *count);
    if (!count)
        return UNSEEN_FAILED;
    for (int c = 0; c < f->classes; c++)
        count[c].class = c;
    for (int64_t i = 0; i < f->n; i++) {
        struct class_count *of = &count[f->labels[i]];
        if (f->skipped && f->skipped[i])
            continue;
        of->n++;
        of->kept += f->kept[i];
        of->score += f->scores[i];
    }
    for (int c = 0; c < f->classes; c++)
        count[c].score = count[c].n ? count[c].score / (double)count[c].n : NAN;
    *counts = count;
    return UNSEEN_OK;
}

static enum unseen_status write_bars(FILE *out, const struct us_run_folder *f,
                                     const struct class_count *counts)
{
    enum unseen_status st = UNSEEN_OK;
    bool all = f->classes <= MOST_BARS;
    int n = all ? f->classes : 2 * END_BARS + 1;
    struct us_bar *bars = us_calloc((size_t)n, sizeof *bars);
    char(*text)[2][US_NUMBER] = us_calloc((size_t)n, sizeof *text);
    US_TRY_ALLOC(bars);
    US_TRY_ALLOC(text);
    for (int i = 0; i < n; i++) {
        const struct class_count *c = &counts[all || i < END_BARS ? i : f->classes - n + i];
        char rate[US_NUMBER];
        snprintf(text[i][1], US_NUMBER, "%s kept", us_share_text(keep_rate(c), rate));
        bars[i] = (struct us_bar){
            .label = us_run_class_name(f, c->class, text[i][0]),
            .value = {(double)c->n / (double)(f->n - f->n_skipped), (double)c->kept / (double)f->m},
            .note = text[i][1]};
        if (!all && i == END_BARS)
            bars[i] = (struct us_bar){.label = "\xE2\x80\xA6", .value = {NAN, NAN}, .note = ""};
    }
    us_svg_bars(out, &(struct us_bar_plot){.title = all ? "Share of each class"
                                                        : "Share of the classes most and least kept",
                                           .names = {"in the data", "in the coreset"},
                                           .styles = {"data", "kept"},
                                           .unit = US_PERCENT,
                                           .n = n,
                                           .bars = bars});
out:
    free(text);
    free(bars);
    return st;
}

static void write_row(FILE *out, const struct us_run_folder *f, const struct class_count *c, double step)
{
    char name[32], text[4][US_NUMBER];
    us_html_row(out, "td", 5,
                (const char *[]){us_run_class_name(f, c->class, name), us_count_text(c->n, text[0]),
                                 us_count_text(c->kept, text[1]), us_share_text(keep_rate(c), text[2]),
                                 us_step_text(c->score, step, text[3])});
}

static void print_classes(FILE *text, const struct us_run_folder *f, const struct class_count *counts)
{
    char name[32];
    fputs("class,name,samples,kept,mean_score\n", text);
    for (int i = 0; i < f->classes; i++) {
        const struct class_count *c = &counts[i];
        fprintf(text, "%d,", c->class);
        us_csv_field(text, us_run_class_name(f, c->class, name));
        fprintf(text, ",%" PRId64 ",%" PRId64 ",", c->n, c->kept);
        fprintf(text, c->n ? "%.6g\n" : "\n", c->score);
    }
}

/* All classes as a file that the page carries along. */
static enum unseen_status write_download(FILE *out, const struct us_run_folder *f,
                                         const struct class_count *counts)
{
    char *csv;
    struct us_memory_stream memory;
    us_memory_stream_begin(&memory);
    if (memory.stream)
        print_classes(memory.stream, f, counts);
    const enum unseen_status st = us_memory_stream_end(&memory, "table of classes", &csv, NULL);
    if (st != UNSEEN_OK)
        return st;
    us_html_element(out, "p", "note", "The %d classes kept most and the %d kept least.", END_ROWS, END_ROWS);
    fputs("<p class=\"note\"><a download=\"classes.csv\" href=\"data:text/csv;charset=utf-8,", out);
    us_html_url(out, csv);
    fputs("\">All classes as CSV</a></p>\n", out);
    free(csv);
    return UNSEEN_OK;
}

static enum unseen_status write_table(FILE *out, const struct us_run_folder *f,
                                      const struct class_count *counts)
{
    enum unseen_status st = UNSEEN_OK;
    const double step = (f->scores[f->ascending[f->n - 1]] - f->scores[f->ascending[0]]) / 100;
    const bool all = f->classes <= MOST_ROWS;
    fputs("<div class=\"card\"><h3>Counts</h3>", out);
    if (!all)
        US_TRY(write_download(out, f, counts));
    fputs("<div class=\"scroll\"><table><thead>\n", out);
    us_html_row(out, "th", 5, (const char *[]){"class", "samples", "kept", "keep rate", "mean score"});
    fputs("</thead><tbody>\n", out);
    for (int i = 0; i < f->classes; i++) {
        if (!all && i == END_ROWS) {
            us_html_row(out, "td", 5, (const char *[]){"\xE2\x80\xA6", "", "", "", ""});
            i = f->classes - END_ROWS;
        }
        write_row(out, f, &counts[i], step);
    }
    fputs("</tbody></table></div></div>\n", out);
out:
    return st;
}

enum unseen_status us_write_classes(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    struct class_count *counts = NULL;
    char name[2][32], rate[3][US_NUMBER];
    US_TRY(count_classes(folder, &counts));
    qsort(counts, (size_t)folder->classes, sizeof *counts, by_rate);
    int last = folder->classes - 1;
    while (last > 0 && counts[last].n == 0)
        last--;
    us_html_element(
        out, "p", "soft",
        "From %s, the class kept most, %s of the samples stay; from %s, the one kept least, %s. A "
        "random coreset of this size keeps about %s of each.",
        us_run_class_name(folder, counts[0].class, name[0]), us_share_text(keep_rate(&counts[0]), rate[0]),
        us_run_class_name(folder, counts[last].class, name[1]),
        us_share_text(keep_rate(&counts[last]), rate[1]),
        us_share_text((double)folder->m / (double)folder->n, rate[2]));
    fputs("\n<div class=\"grid\">\n", out);
    US_TRY(write_bars(out, folder, counts));
    US_TRY(write_table(out, folder, counts));
    fputs("</div>\n", out);
out:
    free(counts);
    return st;
}
