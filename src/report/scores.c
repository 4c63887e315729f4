/* The sections on how scores lie: kept against dropped, unseen against seen. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"
#include "unseen/score.h"

enum { BINS = 50 };

/* Samples of one group, sorted by score. */
struct group {
    const char *name;
    float *sorted;
    int64_t n;
    double mean;
};

/* Samples whose kept flag is `kept`, all for -1. */
static enum unseen_status collect(const struct us_run_folder *f, int kept, struct group *group)
{
    group->sorted = us_calloc((size_t)f->n, sizeof *group->sorted);
    if (!group->sorted)
        return UNSEEN_FAILED;
    double sum = 0;
    for (int64_t i = 0; i < f->n; i++) {
        int64_t sample = f->ascending[i];
        if (kept >= 0 && f->kept[sample] != kept)
            continue;
        group->sorted[group->n++] = f->scores[sample];
        sum += f->scores[sample];
    }
    group->mean = group->n ? sum / (double)group->n : NAN;
    return UNSEEN_OK;
}

/* Linear between the two nearest ranks. */
static double quantile(const struct group *group, double share)
{
    if (group->n == 0)
        return NAN;
    double rank = share * (double)(group->n - 1);
    int64_t low = (int64_t)rank;
    int64_t high = low + 1 < group->n ? low + 1 : low;
    return group->sorted[low] + (rank - (double)low) * (group->sorted[high] - group->sorted[low]);
}

enum { STATISTICS = 7 };

/* `step`: what the scores are told apart by. */
static const char *statistic(const struct group *group, int which, double step, char text[US_NUMBER])
{
    if (which == 0)
        return us_count_text(group->n, text);
    return us_step_text(which == 1 ? group->mean : quantile(group, (which - 2) * 0.25), step, text);
}

static void write_statistics(FILE *out, const struct group *groups, int n)
{
    static const char *const names[STATISTICS] = {"samples", "mean",           "least",   "lower quartile",
                                                  "median",  "upper quartile", "greatest"};
    fputs("<div class=\"card\"><h3>Statistics</h3><div class=\"scroll\"><table><thead>\n", out);
    const char *cells[4] = {""};
    double step = (groups[0].sorted[groups[0].n - 1] - groups[0].sorted[0]) / 100;
    for (int g = 0; g < n; g++)
        cells[1 + g] = groups[g].name;
    us_html_row(out, "th", 1 + n, cells);
    fputs("</thead><tbody>\n", out);
    for (int i = 0; i < STATISTICS; i++) {
        char text[3][US_NUMBER];
        cells[0] = names[i];
        for (int g = 0; g < n; g++)
            cells[1 + g] = statistic(&groups[g], i, step, text[g]);
        us_html_row(out, "td", 1 + n, cells);
    }
    fputs("</tbody></table></div></div>\n", out);
}

static void count_bins(const struct group *group, double lo, double hi, double bins[BINS])
{
    for (int64_t i = 0; i < group->n; i++) {
        double at = hi > lo ? (group->sorted[i] - lo) / (hi - lo) * BINS : 0;
        bins[at < BINS ? (int)at : BINS - 1]++;
    }
}

bool us_shows_scores(const struct us_run_folder *folder)
{
    return folder->scores != NULL;
}

enum unseen_status us_write_scores(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    struct group groups[3] = {{.name = "all"}, {.name = "kept"}, {.name = "dropped"}};
    double bins[3][BINS] = {{0}};
    int n = folder->kept ? 3 : 1;
    for (int g = 0; g < n; g++)
        US_TRY(collect(folder, g == 0 ? -1 : g == 1, &groups[g]));
    double lo = groups[0].sorted[0], hi = groups[0].sorted[folder->n - 1];
    for (int g = 0; g < n; g++)
        count_bins(&groups[g], lo, hi, bins[g]);
    const struct us_histogram_series both[] = {{"kept", "kept", bins[1]}, {"dropped", "dropped", bins[2]}};
    const struct us_histogram_series one[] = {{"all samples", "kept", bins[0]}};
    const char *metric = us_run_text(folder, "metric");
    fputs("<p class=\"soft\">What was kept and what was dropped, by score. Higher is harder.</p>\n"
          "<div class=\"grid\">\n",
          out);
    us_svg_histogram(out, &(struct us_histogram){.title = "How many samples have which score",
                                                 .x_label = metric ? metric : "score",
                                                 .y_label = "samples",
                                                 .unit = US_COUNT,
                                                 .lo = lo,
                                                 .hi = hi,
                                                 .bins = BINS,
                                                 .n = n == 3 ? 2 : 1,
                                                 .series = n == 3 ? both : one});
    write_statistics(out, groups, n);
    fputs("</div>\n", out);
out:
    for (int g = 0; g < 3; g++)
        free(groups[g].sorted);
    return st;
}

bool us_shows_spread(const struct us_run_folder *folder)
{
    return folder->scores && folder->seen;
}

static void write_spread_row(FILE *out, const char *name, double unseen, double seen)
{
    char text[2][US_NUMBER];
    us_html_row(
        out, "td", 3,
        (const char *[]){name, us_step_text(unseen, 1e-3, text[0]), us_step_text(seen, 1e-3, text[1])});
}

static void write_spread_table(FILE *out, const struct unseen_spread *unseen,
                               const struct unseen_spread *seen)
{
    fputs("<div class=\"card\"><h3>Spread</h3><div class=\"scroll\"><table><thead>\n", out);
    us_html_row(out, "th", 3, (const char *[]){"scored by models that", "never saw it", "trained on it"});
    fputs("</thead><tbody>\n", out);
    write_spread_row(out, "interquartile range, scaled", unseen->iqr, seen->iqr);
    write_spread_row(out, "histogram entropy", unseen->entropy, seen->entropy);
    write_spread_row(out, "least score", unseen->min, seen->min);
    write_spread_row(out, "greatest score", unseen->max, seen->max);
    fputs("</tbody></table></div>\n<p class=\"note\" style=\"margin-top:12px\">The interquartile range is of "
          "the "
          "scores scaled to 0..1. The entropy is that of their 50-bin histogram, divided by ln 50: 0 if all "
          "lie "
          "in one bin, 1 if all bins are equally full.</p></div>\n",
          out);
}

static void write_spread_verdict(FILE *out, const struct unseen_spread *unseen,
                                 const struct unseen_spread *seen)
{
    fputs("<p>Near the end of training a model fits almost every sample that it was trained on, so scores of "
          "seen "
          "samples crowd together and no longer tell them apart. ",
          out);
    if (unseen->iqr > seen->iqr && seen->iqr > 0)
        us_html_textf(out,
                      "Here the middle half of the unseen scores covers %.2f times the "
                      "range of the seen ones, once both are scaled to 0..1.",
                      unseen->iqr / seen->iqr);
    else if (unseen->iqr > seen->iqr)
        us_html_text(out, "Here at least half of the seen scores are one value; the unseen ones spread.");
    else
        us_html_text(
            out, "Not so here: the middle half of the unseen scores covers no wider range than that of the "
                 "seen ones.");
    fputs("</p>\n", out);
}

enum unseen_status us_write_spread(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_spread unseen, seen;
    double bins[2][BINS];
    US_TRY(unseen_spread(folder->scores, folder->n, &unseen));
    US_TRY(unseen_spread(folder->seen, folder->n, &seen));
    for (int b = 0; b < BINS; b++) {
        bins[0][b] = (double)seen.bins[b] / (double)folder->n;
        bins[1][b] = (double)unseen.bins[b] / (double)folder->n;
    }
    write_spread_verdict(out, &unseen, &seen);
    fputs("<div class=\"grid\">\n", out);
    us_svg_histogram(out,
                     &(struct us_histogram){.title = "Unseen and seen scores, each scaled to 0..1",
                                            .x_label = "scaled score",
                                            .y_label = "share of the samples",
                                            .unit = US_PERCENT,
                                            .hi = 1,
                                            .bins = BINS,
                                            .n = 2,
                                            .series = (const struct us_histogram_series[]){
                                                {"seen", "seen", bins[0]}, {"unseen", "unseen", bins[1]}}});
    write_spread_table(out, &unseen, &seen);
    fputs("</div>\n", out);
out:
    return st;
}
