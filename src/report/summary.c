#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/shell.h"
#include "report/html.h"
#include "report/sections.h"

const char *us_summary_dataset(const struct us_run_folder *folder)
{
    const char *name = us_run_text(folder, "data.name");
    return name ? name : "a dataset";
}

static int64_t sample_count(const struct us_run_folder *f)
{
    return f->n ? f->n : (int64_t)us_run_number(f, "n", us_run_number(f, "data.n_train", 0));
}

static int64_t kept_count(const struct us_run_folder *f)
{
    return f->kept ? f->m : (int64_t)us_run_number(f, "kept", 0);
}

/* Seconds of the whole run: "total" where it is told, else the sum of its parts. NaN if nothing is told. */
static double run_seconds(const struct us_run_folder *f)
{
    const json_t *seconds = us_run_value(f, "seconds");
    if (json_is_number(seconds))
        return json_number_value(seconds);
    double total = us_run_number(f, "seconds.total", NAN);
    if (!isnan(total) || !json_is_object(seconds))
        return total;
    const char *key;
    json_t *value;
    double sum = 0;
    json_object_foreach((json_t *)seconds, key, value) sum +=
        json_is_number(value) ? json_number_value(value) : 0;
    return sum;
}

static void tile(FILE *out, const char *style, const char *name, const char *value, const char *note)
{
    if (!value)
        return;
    fprintf(out, "<div class=\"%s\">", style);
    us_html_element(out, "dt", NULL, "%s", name);
    fputs("<dd>", out);
    us_html_text(out, value);
    if (note)
        us_html_element(out, "small", NULL, "%s", note);
    fputs("</dd></div>\n", out);
}

static void write_protocol(FILE *out, const struct us_run_folder *f)
{
    const char *protocol = us_run_text(f, "protocol");
    int folds = (int)us_run_number(f, "folds", 0);
    char share[US_NUMBER];
    if (!protocol)
        return;
    if (us_shows_steps(f)) {
        us_html_textf(
            out,
            " by models that never saw it: %s of the data was held out of all training; the first of "
            "%zu coresets was chosen by models of %d folds, each later one by models trained within "
            "the coreset before it.",
            us_share_text(us_run_number(f, "hold_out", NAN), share),
            json_array_size(us_run_value(f, "steps")), folds);
        return;
    }
    if (strcmp(protocol, "fold") == 0)
        us_html_textf(
            out,
            " by models that never saw it: the data was split into %d folds, and each fold was scored by "
            "a model trained on the others.",
            folds);
    else if (strcmp(protocol, "one-fold") == 0)
        us_html_textf(
            out,
            " by models that never saw it: the data was split into %d folds, and each model was trained "
            "on one fold and scored the others.",
            folds);
    else
        us_html_text(out, " by models that were trained on it.");
}

static void write_pruning_sentence(FILE *out, const struct us_run_folder *f, int64_t n, int64_t m)
{
    char count[US_NUMBER], share[US_NUMBER], kept_share[US_NUMBER];
    const char *metric = us_run_text(f, "metric");
    const char *rule = us_run_text(f, "rule");
    double cutoff = us_run_number(f, "cutoff", 0), noise_rate = us_run_number(f, "wrong_share", 0);
    fputs("<p class=\"lead\">", out);
    us_html_textf(out, "Each of the %s training samples got the score ", us_count_text(n, count));
    us_html_element(out, "b", NULL, "%s", metric ? metric : "in scores.npy");
    write_protocol(out, f);
    us_html_text(out, " A higher score means a harder sample.");
    if (m > 0) {
        us_html_text(out, " The rule ");
        us_html_element(out, "b", NULL, "%s", rule ? rule : "of the run");
        if (cutoff > 0)
            us_html_textf(out, " cut off the hardest %s, and", us_share_text(cutoff, share));
        us_html_textf(out, " then kept %s of them", us_count_text(m, count));
        us_html_textf(out, " (%s).", us_share_text((double)m / (double)n, share));
    }
    if (noise_rate > 0)
        us_html_textf(out,
                      " Judging by what the models reject where they are surest of a class, about %s of the "
                      "labels are wrong.",
                      us_share_text(noise_rate, share));
    if (us_run_value(f, "wrong_labels_kept"))
        us_html_textf(out,
                      " By the true labels that were given %s of all labels are wrong, and %s of those kept.",
                      us_share_text(us_run_number(f, "wrong_labels", NAN), share),
                      us_share_text(us_run_number(f, "wrong_labels_kept", NAN), kept_share));
    fputs("</p>\n", out);
}

/* What to run to learn what the coreset is worth. */
static enum unseen_status write_next(FILE *out, const struct us_run_folder *f)
{
    const char *name = us_run_text(f, "data.name"), *metric = us_run_text(f, "metric");
    const char *protocol = us_run_text(f, "protocol"), *rule = us_run_text(f, "rule");
    const double keep = us_run_number(f, "keep", NAN);
    char share[US_NUMBER];
    if (!name || !metric || !protocol || !rule || isnan(keep))
        return UNSEEN_OK;
    snprintf(share, sizeof share, "%g", keep);
    const char *labels = us_run_text(f, "labels");
    char *line = us_shell_line(labels ? 15 : 13,
                               (char *[]){"unseen", "compare", (char *)name, "--metrics", (char *)metric,
                                          "--protocols", us_shows_steps(f) ? "incremental" : (char *)protocol,
                                          "--rules", (char *)rule, "--keep", share, "--out", "comparison",
                                          "--labels", (char *)labels});
    if (!line)
        return UNSEEN_FAILED;
    us_html_element(
        out, "p", "soft",
        "Scores do not say whether the coreset is worth more than a random one of its size. Models "
        "trained on both do:");
    fputs("\n<pre>", out);
    us_html_text(out, line);
    fputs("</pre>\n", out);
    free(line);
    return UNSEEN_OK;
}

/* Copies that the dataset's opening found. */
static void write_duplicates(FILE *out, const struct us_run_folder *f)
{
    double same = us_run_number(f, "data.duplicates.same_label", 0);
    double other = us_run_number(f, "data.duplicates.other_label", 0);
    double test = us_run_number(f, "data.duplicates.test", 0);
    char count[3][US_NUMBER];
    if (!(same > 0 || other > 0 || test > 0))
        return;
    us_html_element(
        out, "p", "soft",
        "The same content is there more than once: %s of the training samples are copies of an "
        "earlier one with the same label, %s of one with another label, and %s of the test samples "
        "are in the training split too.",
        us_count_text((int64_t)same, count[0]), us_count_text((int64_t)other, count[1]),
        us_count_text((int64_t)test, count[2]));
}

static void write_training_sentence(FILE *out, const struct us_run_folder *f)
{
    char share[US_NUMBER];
    const char *model = us_run_text(f, "model");
    const double *accuracy = us_history_column(&f->history, "test_accuracy");
    fputs("<p class=\"lead\">", out);
    us_html_textf(out, "One %s model was trained.", model ? model : "");
    if (accuracy && f->history.rows > 0)
        us_html_textf(out, " After the last epoch it gets %s of the test samples right.",
                      us_share_text(accuracy[f->history.rows - 1], share));
    fputs("</p>\n", out);
}

static void write_tiles(FILE *out, const struct us_run_folder *f, int64_t n, int64_t m)
{
    char count[US_NUMBER], part[US_NUMBER], time[US_NUMBER], note[160];
    const char *driver = us_run_text(f, "device.driver");
    const char *platform = us_run_text(f, "device.platform");
    int classes = (int)us_run_number(f, "data.classes", f->classes);
    double folds = us_run_number(f, "folds", 0), repeats = us_run_number(f, "repeats", 0);
    fputs("<dl class=\"tiles\">\n", out);
    snprintf(note, sizeof note, "%s classes", us_count_text(classes, count));
    tile(out, "short", "training samples", n > 0 ? us_count_text(n, count) : NULL, classes > 0 ? note : NULL);
    if (m > 0 && n > 0)
        tile(out, "short", "kept", us_count_text(m, count), us_share_text((double)m / (double)n, part));
    tile(out, "short", "score", us_run_text(f, "metric"), NULL);
    snprintf(note, sizeof note, "%g folds, %g repeat%s", folds, repeats, repeats == 1 ? "" : "s");
    tile(out, "short", "protocol", us_run_text(f, "protocol"), folds > 0 ? note : NULL);
    tile(out, "short", "rule", us_run_text(f, "rule"), NULL);
    snprintf(note, sizeof note, "width %g", us_run_number(f, "width", 0));
    tile(out, "short", "model", us_run_text(f, "model"), us_run_number(f, "width", 0) > 0 ? note : NULL);
    snprintf(part, sizeof part, "%g", us_run_number(f, "epochs", 0));
    snprintf(note, sizeof note, "batches of %g", us_run_number(f, "batch", 0));
    tile(out, "short", "epochs", us_run_number(f, "epochs", 0) > 0 ? part : NULL,
         us_run_number(f, "batch", 0) > 0 ? note : NULL);
    double seconds = run_seconds(f);
    tile(out, "short", "time", isnan(seconds) ? NULL : us_duration_text(seconds, time), NULL);
    snprintf(note, sizeof note, "%s%s%s", platform ? platform : "", platform && driver ? ", " : "",
             driver ? driver : "");
    tile(out, "long", "device", us_run_text(f, "device.name"), *note ? note : NULL);
    fputs("</dl>\n", out);
}

enum unseen_status us_write_summary(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t n = sample_count(folder), m = kept_count(folder);
    bool scored = folder->scores || us_run_text(folder, "metric");
    fputs("<header><div class=\"wide\">\n<h1>", out);
    bool compares = us_shows_comparison(folder);
    us_html_text(out, compares          ? "Coresets of "
                      : scored && m > 0 ? "Coreset of "
                      : scored          ? "Scores of "
                                        : "Training on ");
    us_html_text(out, us_summary_dataset(folder));
    fputs("</h1>\n", out);
    if (scored && n > 0)
        write_pruning_sentence(out, folder, n, m);
    else if (compares)
        us_html_element(
            out, "p", "lead",
            "Models were trained on coresets of several kinds, on random subsets and on all of the "
            "data, and tested.");
    else if (!scored)
        write_training_sentence(out, folder);
    write_duplicates(out, folder);
    if (m > 0 && n > 0)
        fprintf(out, "<div class=\"meter\"><i style=\"width:%.2f%%\"></i></div>\n",
                fmin(100, 100 * (double)m / (double)n));
    write_tiles(out, folder, n, m);
    if (m > 0 && n > 0)
        st = write_next(out, folder);
    fputs("</div></header>\n", out);
    return st;
}
