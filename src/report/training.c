/* The section on training: accuracy and loss by epoch, of a trained model and of the scoring models. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/loading.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"

/* More scoring models than there are colours are drawn in one. */
enum { COLOURS = 8 };

/* Below this part of the way from chance to all right a model's scores are said to tell little. */
#define NEAR_CHANCE 0.25

static const char *const colours[COLOURS] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"};

bool us_shows_training(const struct us_run_folder *folder)
{
    return folder->history.rows > 0 || json_array_size(us_run_value(folder, "models")) > 0;
}

/* One plot of history.csv: the columns that end in `suffix`. */
static void write_history_plot(FILE *out, const struct us_history *h, const char *title, const char *y_label,
                               enum us_unit unit, const char *const columns[3])
{
    static const char *const names[3] = {"training", "held out", "test"};
    struct us_line lines[3];
    const double *epoch = us_history_column(h, "epoch");
    int n = 0;
    for (int c = 0; epoch && c < 3; c++) {
        const double *y = us_history_column(h, columns[c]);
        if (y)
            lines[n++] =
                (struct us_line){.name = names[c], .style = colours[c], .x = epoch, .y = y, .n = h->rows};
    }
    if (n > 0)
        us_svg_lines(out, &(struct us_line_plot){.title = title,
                                                 .x_label = "epoch",
                                                 .y_label = y_label,
                                                 .x_unit = US_COUNT,
                                                 .unit = unit,
                                                 .n = n,
                                                 .lines = lines,
                                                 .key = true});
}

/* The scoring models' histories and a mean over them. */
struct models {
    int n;
    struct us_history *history; /* [n] */
    struct us_line *lines;      /* [n + 2] */
    double *mean, *epoch;       /* [epochs] of the longest history */
    int *counted;               /* [epochs] */
    int epochs;
};

static void models_free(struct models *m)
{
    for (int i = 0; m->history && i < m->n; i++)
        us_history_free(&m->history[i]);
    free(m->history);
    free(m->lines);
    free(m->mean);
    free(m->epoch);
    free(m->counted);
}

static enum unseen_status models_read(const struct us_run_folder *f, struct models *m)
{
    enum unseen_status st = UNSEEN_OK;
    const json_t *list = us_run_value(f, "models");
    m->n = (int)json_array_size(list);
    m->history = us_calloc((size_t)m->n, sizeof *m->history);
    US_TRY_ALLOC(m->history);
    m->lines = us_calloc((size_t)m->n + 2, sizeof *m->lines);
    US_TRY_ALLOC(m->lines);
    for (int i = 0; i < m->n; i++) {
        const json_t *model = json_array_get(list, (size_t)i);
        US_TRY(us_history_from_json(json_object_get(model, "epochs"), &m->history[i]));
        if (m->history[i].rows > m->epochs)
            m->epochs = m->history[i].rows;
    }
    m->mean = us_calloc((size_t)m->epochs, sizeof *m->mean);
    US_TRY_ALLOC(m->mean);
    m->epoch = us_calloc((size_t)m->epochs, sizeof *m->epoch);
    US_TRY_ALLOC(m->epoch);
    m->counted = us_calloc((size_t)m->epochs, sizeof *m->counted);
    US_TRY_ALLOC(m->counted);
out:
    return st;
}

/* The mean by row over the models that have a value there. */
static void mean_begin(struct models *m)
{
    for (int e = 0; e < m->epochs; e++) {
        m->mean[e] = 0;
        m->epoch[e] = NAN;
        m->counted[e] = 0;
    }
}

static void mean_add(struct models *m, const double *epoch, const double *y, int rows)
{
    for (int e = 0; e < rows; e++) {
        if (!isfinite(y[e]))
            continue;
        m->mean[e] += y[e];
        m->epoch[e] = epoch[e];
        m->counted[e]++;
    }
}

static void mean_end(struct models *m)
{
    for (int e = 0; e < m->epochs; e++)
        m->mean[e] = m->counted[e] ? m->mean[e] / m->counted[e] : NAN;
}

/* What naming the most frequent class gets right; NaN if the labels are not known. */
static enum unseen_status largest_class(const struct us_run_folder *f, double *share)
{
    *share = NAN;
    if (!f->labels || f->classes < 1 || f->n < 1)
        return UNSEEN_OK;
    int64_t *count = us_calloc((size_t)f->classes, sizeof *count), most = 0;
    if (!count)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < f->n; i++)
        if (++count[f->labels[i]] > most)
            most = count[f->labels[i]];
    free(count);
    *share = (double)most / (double)f->n;
    return UNSEEN_OK;
}

/* Of the scoring models' last epochs; NaN if none tells. */
static double last_heldout_accuracy(const struct models *m)
{
    double sum = 0;
    int n = 0;
    for (int i = 0; i < m->n; i++) {
        const double *y = us_history_column(&m->history[i], "heldout_accuracy");
        int last = m->history[i].rows - 1;
        if (!y || !isfinite(y[last]))
            continue;
        sum += y[last];
        n++;
    }
    return n ? sum / n : NAN;
}

static void write_worth(FILE *out, const struct models *m, double chance)
{
    char count[US_NUMBER], right[US_NUMBER], share[US_NUMBER];
    double accuracy = last_heldout_accuracy(m);
    fputs("<p class=\"soft\">", out);
    us_html_textf(out,
                  "%s scoring model%s. Accuracy on held-out samples tells how much a score by that model is "
                  "worth.",
                  us_count_text(m->n, count), m->n == 1 ? "" : "s");
    if (!isnan(accuracy) && !isnan(chance)) {
        us_html_textf(out,
                      " After the last epoch they get %s of the held-out samples right; who always names the "
                      "largest class gets %s.",
                      us_share_text(accuracy, right), us_share_text(chance, share));
        if (accuracy - chance < NEAR_CHANCE * (1 - chance))
            us_html_element(out, "b", NULL, "%s",
                            " Models this near to chance tell little of a sample: train them for longer.");
    }
    fputs("</p>\n", out);
}

/* `chance`: drawn as a level line, NaN: not. */
static void write_models_plot(FILE *out, const struct us_run_folder *f, struct models *m, const char *title,
                              const char *column, double chance)
{
    const double level[2] = {chance, chance}, ends[2] = {0, m->epochs - 1};
    const json_t *list = us_run_value(f, "models");
    int n = 0;
    bool many = m->n > COLOURS;
    mean_begin(m);
    for (int i = 0; i < m->n; i++) {
        const double *epoch = us_history_column(&m->history[i], "epoch");
        const double *y = us_history_column(&m->history[i], column);
        if (!epoch || !y)
            continue;
        const char *name = json_string_value(json_object_get(json_array_get(list, (size_t)i), "name"));
        mean_add(m, epoch, y, m->history[i].rows);
        m->lines[n++] = (struct us_line){.name = name ? name : "model",
                                         .style = many ? "data" : colours[i],
                                         .thin = many,
                                         .x = epoch,
                                         .y = y,
                                         .n = m->history[i].rows};
    }
    if (n == 0)
        return;
    mean_end(m);
    if (many)
        m->lines[n++] =
            (struct us_line){.name = "mean", .style = "unseen", .x = m->epoch, .y = m->mean, .n = m->epochs};
    if (!isnan(chance) && m->epochs > 1)
        m->lines[n++] = (struct us_line){
            .name = "largest class", .style = "random", .thin = true, .x = ends, .y = level, .n = 2};
    us_svg_lines(out, &(struct us_line_plot){.title = title,
                                             .x_label = "epoch",
                                             .y_label = many ? "accuracy; bold: mean" : "accuracy",
                                             .x_unit = US_COUNT,
                                             .unit = US_PERCENT,
                                             .n = n,
                                             .lines = m->lines,
                                             .key = !many});
}

/* Whether training waited for images, where they were decoded meanwhile. */
static void write_loading(FILE *out, const struct us_run_folder *f)
{
    const json_t *loading = us_run_value(f, "loading");
    const double waited = json_number_value(json_object_get(loading, "waited_share"));
    const double busy = json_number_value(json_object_get(loading, "decode_busy_share"));
    const char *bottleneck = json_string_value(json_object_get(loading, "bottleneck"));
    char share[US_NUMBER], count[US_NUMBER], rate[US_NUMBER], threads[US_NUMBER], part[US_NUMBER];
    if (!bottleneck)
        return;
    us_html_element(out, "p", "soft",
                    "Training waited for data %s of the time: %s. %s images were decoded, "
                    "%s a second went to "
                    "the models, and the %s threads that decode were busy for %s of the time.",
                    us_share_text(waited, share), us_bottleneck_text(bottleneck),
                    us_count_text(json_integer_value(json_object_get(loading, "decoded")), count),
                    us_value_text(json_number_value(json_object_get(loading, "images_per_second")), rate),
                    us_count_text(json_integer_value(json_object_get(loading, "decode_threads")), threads),
                    us_share_text(busy, part));
}

enum unseen_status us_write_training(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_history *h = &folder->history;
    struct models models = {0};
    double chance;
    US_TRY(models_read(folder, &models));
    US_TRY(largest_class(folder, &chance));
    if (models.n > 0)
        write_worth(out, &models, chance);
    write_loading(out, folder);
    fputs("<div class=\"grid\">\n", out);
    write_history_plot(out, h, "Accuracy of the trained model", "accuracy", US_PERCENT,
                       (const char *const[]){"train_accuracy", "heldout_accuracy", "test_accuracy"});
    write_history_plot(out, h, "Loss of the trained model", "cross-entropy in nats", US_PLAIN,
                       (const char *const[]){"train_loss", "heldout_loss", "test_loss"});
    write_models_plot(out, folder, &models, "Scoring models on held-out samples", "heldout_accuracy", chance);
    write_models_plot(out, folder, &models, "Scoring models on their training samples", "train_accuracy",
                      NAN);
    fputs("</div>\n", out);
out:
    models_free(&models);
    return st;
}
