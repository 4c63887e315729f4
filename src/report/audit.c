#include "config.h"

#include "report/audit.h"

#include <stdlib.h>

#include "base/atomic.h"
#include "base/text.h"
#include "report/contact_sheet.h"
#include "report/html.h"
#include "report/sections.h"

/* Of more classes than this those with most suspects are shown. */
enum { PICTURES = 96, MOST_CLASSES = 200 };

static bool is_unseen(const struct unseen_audit *a)
{
    return a->protocol != UNSEEN_SEEN;
}

/* What the audit is worth, where that is known. */
static void write_truth(FILE *out, const struct unseen_audit *a, const int32_t *true_labels)
{
    struct unseen_audit_truth t;
    char wrong[US_NUMBER], found[US_NUMBER], text[4][US_NUMBER];
    if (!true_labels)
        return;
    unseen_audit_judge(a, true_labels, &t);
    us_html_element(
        out, "p", "soft",
        "By the true labels that were given %s labels are wrong, and %s of the suspects among them: "
        "precision %s, recall %s, average precision of the whole order %s. Of the wrong labels found the "
        "true one is suggested for %s.",
        us_count_text(t.wrong, wrong), us_count_text(t.found, found), us_share_text(t.precision, text[0]),
        us_share_text(t.recall, text[1]), us_share_text(t.average_precision, text[2]),
        us_count_text(t.corrected, text[3]));
}

static void write_header(FILE *out, const struct unseen_audit *a, const struct unseen_dataset *data)
{
    char count[US_NUMBER], n[US_NUMBER], share[US_NUMBER], noise_rate[US_NUMBER];
    fputs("<header><div class=\"wide\">\n", out);
    us_html_element(out, "h1", NULL, "Labels of %s", data->location);
    us_html_element(
        out, "p", "lead",
        "Of the %s training samples %s (%s) are named: their labels look most wrong to models that "
        "%s. Judging by what the models reject where they are surest of a class, about %s of all "
        "labels are wrong.",
        us_count_text(a->n, n), us_count_text(a->count, count),
        us_share_text((double)a->count / (double)a->n, share),
        is_unseen(a) ? "never saw them" : "were trained on them", us_share_text(a->noise_rate, noise_rate));
    write_truth(out, a, data->split[UNSEEN_TRAIN].true_labels);
    fputs("</div></header>\n", out);
}

static enum unseen_status write_suspects(FILE *out, const struct unseen_audit *a,
                                         const struct unseen_dataset *data)
{
    int n = a->count < PICTURES ? (int)a->count : PICTURES;
    us_html_section_begin(out, "suspects", "Suspects");
    fputs("<p class=\"soft\">", out);
    if (n == 0)
        us_html_text(out, "No label is named: --count N names the N most suspicious ones all the same. ");
    else if (n < a->count)
        us_html_textf(out, "The first %d suspects, most suspicious first; all of them are in suspects.csv. ",
                      n);
    else
        us_html_textf(out, "%s, most suspicious first, as in suspects.csv. ",
                      n == 1 ? "The one suspect" : "All suspects");
    us_html_text(out,
                 "Behind the arrow stands the class that the models prefer. The score is one minus the mean "
                 "probability of the label over all repeats and epochs");
    us_html_text(out, is_unseen(a) ? ", where epochs of a lower loss on unseen samples weigh more." : ".");
    fputs("</p>\n", out);
    const struct us_contact_sheet sheet = {.dataset = data,
                                           .n = n,
                                           .samples = a->suspects,
                                           .value = a->score,
                                           .value_name = "score",
                                           .suggested = a->suggested};
    enum unseen_status st = us_contact_sheet_write(out, &sheet);
    us_html_section_end(out);
    return st;
}

/* ---- classes ---- */

struct tally {
    int64_t samples, suspects;
    int32_t rival; /* suggested most often; -1: there is no suspect */
    int64_t rivals;
};

/* A suspect's label and what is suggested in its place. */
struct pair {
    int32_t label, suggested;
};

static int by_pair(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return (x->suggested > y->suggested) - (x->suggested < y->suggested);
}

/* The pairs [n] come sorted: equal ones beside each other, the lower suggestion first. */
static void count_rivals(const struct pair *pairs, int64_t n, struct tally *tally)
{
    int64_t run = 0;
    for (int64_t k = 0; k < n; k++) {
        struct tally *of = &tally[pairs[k].label];
        run = k > 0 && by_pair(&pairs[k - 1], &pairs[k]) == 0 ? run + 1 : 1;
        of->suspects++;
        if (run > of->rivals) {
            of->rivals = run;
            of->rival = pairs[k].suggested;
        }
    }
}

static enum unseen_status count_classes(const struct unseen_audit *a, struct tally *tally)
{
    struct pair *pairs = us_calloc((size_t)a->count, sizeof *pairs);
    if (!pairs)
        return UNSEEN_FAILED;
    for (int c = 0; c < a->classes; c++)
        tally[c].rival = -1;
    for (int64_t i = 0; i < a->n; i++)
        tally[a->labels[i]].samples++;
    for (int64_t k = 0; k < a->count; k++) {
        int64_t i = a->suspects[k];
        pairs[k] = (struct pair){(int32_t)a->labels[i], a->suggested[i]};
    }
    qsort(pairs, (size_t)a->count, sizeof *pairs, by_pair);
    count_rivals(pairs, a->count, tally);
    free(pairs);
    return UNSEEN_OK;
}

static enum unseen_status write_class(FILE *out, const struct unseen_dataset *data, int class,
                                      const struct tally *t)
{
    char text[4][US_NUMBER];
    char *rival = t->rival >= 0
                      ? us_format("%s (%s)", data->class_names[t->rival], us_count_text(t->rivals, text[0]))
                      : us_format("%s", "");
    if (!rival)
        return UNSEEN_FAILED;
    us_html_row(
        out, "td", 5,
        (const char *[]){
            data->class_names[class], us_count_text(t->samples, text[1]), us_count_text(t->suspects, text[2]),
            us_share_text(t->samples ? (double)t->suspects / (double)t->samples : 0, text[3]), rival});
    free(rival);
    return UNSEEN_OK;
}

/* The classes that are shown, and how many: all, in their order, or those with most suspects. */
static enum unseen_status choose_classes(const struct unseen_audit *a, const struct tally *tally,
                                         int64_t chosen[MOST_CLASSES], int *n)
{
    float *suspects = us_calloc((size_t)a->classes, sizeof *suspects);
    if (!suspects)
        return UNSEEN_FAILED;
    for (int c = 0; c < a->classes; c++)
        suspects[c] = a->classes > MOST_CLASSES ? (float)tally[c].suspects : 0;
    *n = us_extreme_samples(suspects, NULL, a->classes, false, MOST_CLASSES, chosen);
    free(suspects);
    return UNSEEN_OK;
}

static enum unseen_status write_classes(FILE *out, const struct unseen_audit *a,
                                        const struct unseen_dataset *data)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t chosen[MOST_CLASSES];
    int n = 0;
    struct tally *tally = us_calloc((size_t)a->classes, sizeof *tally);
    US_TRY_ALLOC(tally);
    US_TRY(count_classes(a, tally));
    US_TRY(choose_classes(a, tally, chosen, &n));
    us_html_section_begin(out, "classes", "Classes");
    if (n < a->classes)
        us_html_element(out, "p", "soft", "The %d classes with most suspects, of %d.", n, a->classes);
    fputs("<div class=\"card\"><div class=\"scroll\"><table class=\"ends\"><thead>\n", out);
    us_html_row(out, "th", 5,
                (const char *[]){"label", "samples", "suspects", "share", "suggested most often"});
    fputs("</thead><tbody>\n", out);
    for (int k = 0; k < n; k++)
        US_TRY(write_class(out, data, (int)chosen[k], &tally[chosen[k]]));
    fputs("</tbody></table></div></div>\n", out);
    us_html_section_end(out);
out:
    free(tally);
    return st;
}

/* ---- the page ---- */

/* The sections that the report has too, of the folder that the audit was written to. */
static enum unseen_status write_sections(FILE *out, const struct us_run_folder *f)
{
    enum unseen_status st = UNSEEN_OK;
    if (us_shows_training(f)) {
        us_html_section_begin(out, "training", "Training");
        US_TRY(us_write_training(out, f));
        us_html_section_end(out);
    }
    us_html_section_begin(out, "parameters", "Parameters");
    US_TRY(us_write_parameters(out, f));
    us_html_section_end(out);
    us_html_section_begin(out, "files", "Files");
    US_TRY(us_write_files(out, f));
    us_html_section_end(out);
out:
    return st;
}

static void write_navigation(FILE *out, const struct us_run_folder *f)
{
    us_html_navigation_begin(out);
    us_html_navigation_item(out, "suspects", "Suspects");
    us_html_navigation_item(out, "classes", "Classes");
    if (us_shows_training(f))
        us_html_navigation_item(out, "training", "Training");
    us_html_navigation_item(out, "parameters", "Parameters");
    us_html_navigation_item(out, "files", "Files");
    us_html_navigation_end(out);
}

enum unseen_status us_audit_page(const char *folder, const struct unseen_audit *audit,
                                 const struct unseen_dataset *data, json_t *json)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_atomic file = {0};
    void *locale = us_c_locale_begin(); /* as in unseen_report */
    const struct us_run_folder f = {.path = folder,
                                    .run = json,
                                    .n = audit->n,
                                    .labels = (int64_t *)audit->labels,
                                    .classes = audit->classes,
                                    .dataset = data};
    char *title = us_format("unseen: labels of %s", data->location);
    char *path = us_format("%s/audit.html", folder);
    US_TRY_ALLOC(title);
    US_TRY_ALLOC(path);
    US_TRY(us_atomic_begin(path, &file));
    us_html_begin(file.stream, title);
    write_navigation(file.stream, &f);
    write_header(file.stream, audit, data);
    fputs("<main>\n", file.stream);
    US_TRY(write_suspects(file.stream, audit, data));
    US_TRY(write_classes(file.stream, audit, data));
    US_TRY(write_sections(file.stream, &f));
    fputs("</main>\n", file.stream);
    us_html_element(file.stream, "footer", NULL, "Written by unseen %s.", unseen_version());
    us_html_end(file.stream);
    st = us_atomic_commit(&file);
out:
    us_atomic_abandon(&file);
    free(path);
    free(title);
    us_c_locale_end(locale);
    return st;
}
