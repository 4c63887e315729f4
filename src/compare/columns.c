#include "config.h"

#include "compare/columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/text.h"
#include "compare/estimate.h"

/* What a forward pass costs of a training step, which goes back through weights and activations, too. */
#define FORWARD_SHARE (1 / 3.0)

static double accuracy(const struct us_compared *c)
{
    return c->cell->accuracy;
}

static double best(const struct us_compared *c)
{
    return c->cell->best;
}

static double worst(const struct us_compared *c)
{
    const struct us_cell_result *r = c->cell;
    double lowest = NAN;
    for (int k = 0; k < r->classes; k++)
        lowest = fmin(lowest, r->class_accuracy[k]); /* passes by classes without a test image */
    return lowest;
}

static double class_deviation(const struct us_compared *c)
{
    const struct us_cell_result *r = c->cell;
    double sum = 0, square = 0;
    int n = 0;
    for (int k = 0; k < r->classes; k++) {
        if (isnan(r->class_accuracy[k]))
            continue;
        sum += r->class_accuracy[k];
        square += r->class_accuracy[k] * r->class_accuracy[k];
        n++;
    }
    return n ? sqrt(fmax(0, square / n - sum / n * (sum / n))) : NAN;
}

static double wrong_kept(const struct us_compared *c)
{
    return c->wrong_kept;
}

static double images(const struct us_compared *c)
{
    return (double)c->cell->images;
}

static double scoring_images(const struct us_compared *c)
{
    return c->scoring.trained;
}

static double scoring_evaluated(const struct us_compared *c)
{
    return c->scoring.evaluated;
}

static double images_with_scoring(const struct us_compared *c)
{
    return (double)c->cell->images + c->scoring.trained + FORWARD_SHARE * c->scoring.evaluated;
}

static double seconds(const struct us_compared *c)
{
    return c->cell->seconds;
}

static double scoring_seconds(const struct us_compared *c)
{
    return c->scoring.seconds;
}

static double minus(const struct us_compared *c, const struct us_cell_result *other)
{
    return other ? c->cell->accuracy - other->accuracy : NAN;
}

static double minus_seen(const struct us_compared *c)
{
    return minus(c, c->seen);
}

static double minus_fold_seen(const struct us_compared *c)
{
    return minus(c, c->fold_seen);
}

static double minus_random(const struct us_compared *c)
{
    return minus(c, c->random);
}

#define AT(member) .offset = offsetof(struct unseen_comparison, member)
#define ESTIMATE(member, function)                                                                           \
    .kind = US_COLUMN_ESTIMATE, .offset = offsetof(struct unseen_comparison, member), .of = function

static const struct us_column columns[] = {
    {"metric", .title = "score", .kind = US_COLUMN_TEXT, AT(metric)},
    {"protocol", .title = "protocol", .kind = US_COLUMN_TEXT, AT(protocol)},
    {"rule", .title = "rule", .kind = US_COLUMN_TEXT, AT(rule)},
    {"keep", .title = "keep", .kind = US_COLUMN_NUMBER, AT(keep)},
    {"kept", .title = "samples", .kind = US_COLUMN_COUNT, AT(kept), .shown = US_COLUMN_LISTED},
    {"seeds", .title = "seeds", .kind = US_COLUMN_INT, AT(seeds), .shown = US_COLUMN_LISTED},
    {"epochs", .title = "epochs", .kind = US_COLUMN_COUNT, AT(epochs)},
    {"steps", .title = "steps", .kind = US_COLUMN_COUNT, AT(steps), .shown = US_COLUMN_LISTED},
    {"test_accuracy", .title = "test accuracy (%)", .deviation = "deviation", .error = "standard_error",
     .unit = US_COLUMN_SHARE, ESTIMATE(accuracy, accuracy),
     .shown = US_COLUMN_BY_KEEP | US_COLUMN_LISTED | US_COLUMN_PRINTED},
    {"best_test_accuracy", .title = "best (%)", .unit = US_COLUMN_SHARE, ESTIMATE(best, best)},
    {"worst_class_accuracy", .title = "worst class (%)", .error = "worst_class_error",
     .unit = US_COLUMN_SHARE, ESTIMATE(worst, worst), .shown = US_COLUMN_LISTED},
    {"worst_class", .title = "worst class", .kind = US_COLUMN_TEXT, AT(worst_class),
     .shown = US_COLUMN_LISTED},
    {"class_deviation", .title = "deviation over classes (%)", .error = "class_deviation_error",
     .unit = US_COLUMN_SHARE, ESTIMATE(class_deviation, class_deviation), .shown = US_COLUMN_LISTED},
    {"wrong_labels_kept", .title = "wrong labels kept (%)", .error = "wrong_labels_kept_error",
     .unit = US_COLUMN_SHARE, ESTIMATE(wrong_kept, wrong_kept),
     .shown = US_COLUMN_BY_KEEP | US_COLUMN_LISTED | US_COLUMN_PRINTED},
    {"images", .title = "images trained on", .unit = US_COLUMN_IMAGES, ESTIMATE(images, images),
     .shown = US_COLUMN_LISTED | US_COLUMN_PRINTED},
    {"scoring_images", .title = "scoring: trained on", .unit = US_COLUMN_IMAGES,
     ESTIMATE(scoring_images, scoring_images), .shown = US_COLUMN_LISTED},
    {"scoring_evaluated", .title = "scoring: evaluated", .unit = US_COLUMN_IMAGES,
     ESTIMATE(scoring_evaluated, scoring_evaluated), .shown = US_COLUMN_LISTED},
    {"images_with_scoring", .title = "images with scoring", .unit = US_COLUMN_IMAGES,
     ESTIMATE(images_with_scoring, images_with_scoring), .shown = US_COLUMN_LISTED},
    {"seconds", .title = "training", .unit = US_COLUMN_SECONDS, ESTIMATE(seconds, seconds),
     .shown = US_COLUMN_LISTED},
    {"scoring_seconds", .title = "scoring", .unit = US_COLUMN_SECONDS,
     ESTIMATE(scoring_seconds, scoring_seconds), .shown = US_COLUMN_LISTED},
    {"scoring_run", .title = "scoring run", .kind = US_COLUMN_TEXT, AT(scoring_run),
     .shown = US_COLUMN_LISTED},
    {"minus_seen", .title = "minus seen (points)", .error = "minus_seen_error", .unit = US_COLUMN_POINTS,
     ESTIMATE(minus_seen, minus_seen), .shown = US_COLUMN_BY_KEEP | US_COLUMN_PRINTED},
    {"minus_fold_seen", .title = "minus fold-seen (points)", .error = "minus_fold_seen_error",
     .unit = US_COLUMN_POINTS, ESTIMATE(minus_fold_seen, minus_fold_seen), .shown = US_COLUMN_BY_KEEP},
    {"minus_random", .title = "minus random (points)", .error = "minus_random_error",
     .unit = US_COLUMN_POINTS, ESTIMATE(minus_random, minus_random),
     .shown = US_COLUMN_BY_KEEP | US_COLUMN_PRINTED},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

const struct us_column *us_column(int i)
{
    return i >= 0 && i < COLUMNS ? &columns[i] : NULL;
}

enum unseen_status us_columns_estimate(const struct us_compared *models, int n,
                                       struct unseen_comparison *line)
{
    double *value = us_calloc((size_t)n, sizeof *value);
    if (!value)
        return UNSEEN_FAILED;
    for (int c = 0; c < COLUMNS; c++) {
        for (int s = 0; s < n && columns[c].of; s++)
            value[s] = columns[c].of(&models[s]);
        if (columns[c].of)
            *(struct unseen_estimate *)((char *)line + columns[c].offset) = us_estimate(value, n);
    }
    free(value);
    return UNSEEN_OK;
}

/* ---- for people ---- */

static void print_value(enum us_column_unit unit, double value, char text[US_NUMBER])
{
    switch (unit) {
    case US_COLUMN_SHARE:
        us_print_to(text, US_NUMBER, "%.2f", 100 * value);
        break;
    case US_COLUMN_POINTS:
        us_print_to(text, US_NUMBER, "%+.2f", 100 * value);
        break;
    case US_COLUMN_IMAGES:
        us_count_text(llround(value), text);
        break;
    case US_COLUMN_SECONDS:
        us_print_to(text, US_NUMBER, "%.1f s", value);
        break;
    case US_COLUMN_PLAIN:
        us_print_to(text, US_NUMBER, "%g", value);
        break;
    }
}

char *us_column_value(const struct us_column *column, const struct unseen_estimate *value,
                      const char *plus_minus, char text[US_COLUMN_TEXT_SIZE])
{
    char mean[US_NUMBER] = "-", error[US_NUMBER] = "";
    if (isfinite(value->mean))
        print_value(column->unit, value->mean, mean);
    const bool sure = column->error && isfinite(value->mean) && isfinite(value->error);
    if (sure) /* a sign would tell nothing */
        print_value(column->unit == US_COLUMN_POINTS ? US_COLUMN_SHARE : column->unit, value->error, error);
    snprintf(text, US_COLUMN_TEXT_SIZE, "%s%s%s", mean, sure ? plus_minus : "", error);
    return text;
}

/* Of a column that is no text: what it holds, or the estimate's mean. */
static double number(const struct us_column *column, const struct unseen_comparison *line)
{
    const void *at = us_column_member(column, line);
    switch (column->kind) {
    case US_COLUMN_INT:
        return *(const int *)at;
    case US_COLUMN_COUNT:
        return (double)*(const int64_t *)at;
    case US_COLUMN_NUMBER:
        return *(const double *)at;
    case US_COLUMN_ESTIMATE:
        return ((const struct unseen_estimate *)at)->mean;
    case US_COLUMN_TEXT:
        break;
    }
    return NAN;
}

char *us_column_text(const struct us_column *column, const struct unseen_comparison *line,
                     const char *plus_minus, char text[US_COLUMN_TEXT_SIZE])
{
    const void *at = us_column_member(column, line);
    if (column->kind == US_COLUMN_ESTIMATE)
        return us_column_value(column, at, plus_minus, text);
    if (column->kind == US_COLUMN_COUNT)
        us_count_text(*(const int64_t *)at, text);
    else if (column->kind == US_COLUMN_TEXT)
        snprintf(text, US_COLUMN_TEXT_SIZE, "%s", *(const char *)at ? (const char *)at : "-");
    else
        us_print_to(text, US_COLUMN_TEXT_SIZE, "%g", number(column, line));
    return text;
}

bool us_column_is_used(const struct us_column *column, const struct unseen_comparison *table, int n)
{
    for (int i = 0; i < n; i++) {
        const void *at = us_column_member(column, &table[i]);
        if (column->kind == US_COLUMN_TEXT ? *(const char *)at != '\0' : !isnan(number(column, &table[i])))
            return true;
    }
    return false;
}

/* ---- for programs ---- */

/* An estimate in files is as many numbers as it has names. */
static int list_values(const struct us_column *column, const struct unseen_comparison *line,
                       const char *name[3], double value[3])
{
    const struct unseen_estimate *e = us_column_member(column, line);
    int n = 1;
    name[0] = column->name;
    value[0] = number(column, line);
    if (column->deviation) {
        name[n] = column->deviation;
        value[n++] = e->deviation;
    }
    if (column->error) {
        name[n] = column->error;
        value[n++] = e->error;
    }
    return n;
}

static bool is_whole(const struct us_column *column)
{
    return column->kind == US_COLUMN_INT || column->kind == US_COLUMN_COUNT;
}

static json_t *number_json(const struct us_column *column, double value)
{
    if (isnan(value))
        return json_null();
    return is_whole(column) ? json_integer((json_int_t)value) : json_real(value);
}

json_t *us_comparison_json(const struct unseen_comparison *line)
{
    json_t *object = json_object();
    bool bad = !object;
    for (int c = 0; c < COLUMNS && !bad; c++) {
        const char *name[3];
        double value[3];
        if (columns[c].kind == US_COLUMN_TEXT) {
            bad = json_object_set_new(object, columns[c].name,
                                      us_json_text(us_column_member(&columns[c], line)));
            continue;
        }
        const int n = list_values(&columns[c], line, name, value);
        for (int k = 0; k < n; k++)
            bad |= json_object_set_new(object, name[k], number_json(&columns[c], value[k])) != 0;
    }
    if (!bad)
        return object;
    json_decref(object);
    return NULL;
}

void us_columns_csv_heading(FILE *out)
{
    static const struct unseen_comparison none;
    for (int c = 0; c < COLUMNS; c++) {
        const char *name[3] = {columns[c].name};
        double value[3];
        const int n = columns[c].kind == US_COLUMN_TEXT ? 1 : list_values(&columns[c], &none, name, value);
        for (int k = 0; k < n; k++)
            fprintf(out, "%s%s", c + k > 0 ? "," : "", name[k]);
    }
    fputc('\n', out);
}

static void print_csv(FILE *out, const struct us_column *column, double value)
{
    if (isnan(value))
        return;
    if (column->unit == US_COLUMN_SHARE || column->unit == US_COLUMN_POINTS)
        us_print(out, "%.6f", value);
    else if (column->unit == US_COLUMN_SECONDS)
        us_print(out, "%.3f", value);
    else
        us_print(out, is_whole(column) ? "%.0f" : "%.15g", value);
}

void us_columns_csv_line(FILE *out, const struct unseen_comparison *line)
{
    for (int c = 0; c < COLUMNS; c++) {
        const char *name[3];
        double value[3];
        if (c > 0)
            fputc(',', out);
        if (columns[c].kind == US_COLUMN_TEXT) {
            us_csv_field(out, us_column_member(&columns[c], line));
            continue;
        }
        const int n = list_values(&columns[c], line, name, value);
        for (int k = 0; k < n; k++) {
            if (k > 0)
                fputc(',', out);
            print_csv(out, &columns[c], value[k]);
        }
    }
    fputc('\n', out);
}
