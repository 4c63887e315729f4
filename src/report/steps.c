/* The section on steps: how the coreset moved, and what it came to be worth. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"

/* Bars of more classes than this are no picture. */
enum { MOST_BARS = 30 };

static const json_t *steps_of(const struct us_run_folder *folder)
{
    const json_t *steps = us_run_value(folder, "steps");
    return json_is_array(steps) ? steps : NULL;
}

bool us_shows_steps(const struct us_run_folder *folder)
{
    return json_array_size(steps_of(folder)) > 0;
}

static double number_of(const json_t *step, const char *key)
{
    const json_t *value = json_object_get(step, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The smallest and largest number of a list; NaN if there is none. */
static void range_of(const json_t *list, double *low, double *high)
{
    *low = *high = NAN;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_number(value))
            continue;
        *low = fmin(*low, json_number_value(value));
        *high = fmax(*high, json_number_value(value));
    }
}

static enum unseen_status write_accuracy(FILE *out, const json_t *steps)
{
    enum unseen_status st = UNSEEN_OK;
    size_t n = json_array_size(steps);
    double *values = us_calloc(4 * n, sizeof *values);
    US_TRY_ALLOC(values);
    double *x = values, *mean = x + n, *low = mean + n, *high = low + n;
    for (size_t i = 0; i < n; i++) {
        const json_t *step = json_array_get(steps, i);
        x[i] = number_of(step, "step");
        mean[i] = number_of(step, "heldout_accuracy");
        range_of(json_object_get(step, "class_accuracy"), &low[i], &high[i]);
    }
    const struct us_line lines[] = {
        {.name = "best class", .style = "data", .thin = true, .x = x, .y = high, .n = (int)n},
        {.name = "all classes", .style = "kept", .x = x, .y = mean, .n = (int)n},
        {.name = "worst class", .style = "dropped", .x = x, .y = low, .n = (int)n},
    };
    us_svg_lines(out, &(struct us_line_plot){.title = "Judges on the part held out",
                                             .x_label = "step",
                                             .y_label = "accuracy",
                                             .x_unit = US_COUNT,
                                             .unit = US_PERCENT,
                                             .n = 3,
                                             .lines = lines,
                                             .key = true});
out:
    free(values);
    return st;
}

/* The classes of the first coreset of full size against those of the one that is kept. */
static enum unseen_status write_balance(FILE *out, const struct us_run_folder *f, const json_t *first,
                                        const json_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    const json_t *before = json_object_get(first, "class_counts"),
                 *after = json_object_get(kept, "class_counts");
    size_t n = json_array_size(after);
    struct us_bar *bars = NULL;
    char(*text)[2][US_NUMBER] = NULL;
    if (n < 2 || n > MOST_BARS || json_array_size(before) != n || first == kept)
        return UNSEEN_OK;
    US_TRY_ALLOC(bars = us_calloc(n, sizeof *bars));
    US_TRY_ALLOC(text = us_calloc(n, sizeof *text));
    for (size_t c = 0; c < n; c++) {
        double old = json_number_value(json_array_get(before, c));
        double new = json_number_value(json_array_get(after, c));
        snprintf(text[c][1], US_NUMBER, "%+g", new - old);
        bars[c] = (struct us_bar){.label = us_run_class_name(f, (int)c, text[c][0]),
                                  .value = {old / number_of(first, "size"), new / number_of(kept, "size")},
                                  .note = text[c][1]};
    }
    us_svg_bars(out, &(struct us_bar_plot){.title = "Share of each class, and samples more or less",
                                           .names = {"in the first of full size", "in the one kept"},
                                           .styles = {"data", "kept"},
                                           .unit = US_PERCENT,
                                           .n = (int)n,
                                           .bars = bars});
out:
    free(text);
    free(bars);
    return st;
}

static const char *count_text(const json_t *step, const char *key, char text[US_NUMBER])
{
    double count = number_of(step, key);
    return isnan(count) ? "-" : us_count_text((int64_t)count, text);
}

static void write_row(FILE *out, const json_t *step, bool kept)
{
    char number[40], counts[4][US_NUMBER], accuracy[2][US_NUMBER], balance[2 * US_NUMBER];
    double low, high;
    snprintf(number, sizeof number, "%g%s", number_of(step, "step"), kept ? ", kept" : "");
    double mean = number_of(step, "heldout_accuracy");
    snprintf(accuracy[0], US_NUMBER, isnan(mean) ? "-" : "%.2f %%", 100 * mean);
    range_of(json_object_get(step, "class_accuracy"), &low, &high);
    us_share_text(low, accuracy[1]);
    range_of(json_object_get(step, "class_counts"), &low, &high);
    snprintf(balance, sizeof balance, "%g .. %g", low, high);
    us_html_row(out, "td", 8,
                (const char *[]){number, count_text(step, "size", counts[0]),
                                 count_text(step, "stayed", counts[1]),
                                 count_text(step, "evicted", counts[2]),
                                 count_text(step, "refilled", counts[3]), accuracy[0], accuracy[1], balance});
}

static void write_table(FILE *out, const json_t *steps, int kept)
{
    fputs("<div class=\"card whole\"><h3>Coresets</h3><div class=\"scroll\"><table><thead>\n", out);
    us_html_row(out, "th", 8,
                (const char *[]){"step", "samples", "stayed", "left", "came", "held-out accuracy",
                                 "worst class", "samples a class"});
    fputs("</thead><tbody>\n", out);
    for (size_t i = 0; i < json_array_size(steps); i++)
        write_row(out, json_array_get(steps, i), (int)i + 1 == kept);
    fputs("</tbody></table></div></div>\n", out);
}

static const json_t *first_of_full_size(const json_t *steps)
{
    size_t n = json_array_size(steps);
    double full = number_of(json_array_get(steps, n - 1), "size");
    for (size_t i = 0; i < n; i++) {
        if (number_of(json_array_get(steps, i), "size") == full)
            return json_array_get(steps, i);
    }
    return NULL;
}

enum unseen_status us_write_steps(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    const json_t *steps = steps_of(folder);
    int kept = (int)us_run_number(folder, "step", 0);
    char share[US_NUMBER];
    us_html_element(out, "p", "soft",
                    "Each coreset but the first was chosen by models trained within the one before: members "
                    "that the cut-off barred or that the others covered left, and the rule refilled. Judges "
                    "were trained on each and "
                    "tested on %s of the data that no coreset holds; of those of full size the best is kept.",
                    us_share_text(us_run_number(folder, "hold_out", NAN), share));
    fputs("<div class=\"grid\">\n", out);
    US_TRY(write_accuracy(out, steps));
    US_TRY(write_balance(out, folder, first_of_full_size(steps),
                         json_array_get(steps, kept > 0 ? (size_t)kept - 1 : 0)));
    write_table(out, steps, kept);
    fputs("</div>\n", out);
out:
    return st;
}
