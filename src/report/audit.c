#include "config.h"

#include "report/audit.h"

#include <stdlib.h>

#include "base/fs.h"
#include "base/text.h"
#include "report/contact_sheet.h"
#include "report/html.h"

enum { PICTURES = 96 };

static bool is_unseen(const struct unseen_audit *a)
{
    return a->protocol != UNSEEN_SEEN;
}

static void write_header(FILE *out, const struct unseen_audit *a, const struct unseen_dataset *data)
{
    char count[US_NUMBER], n[US_NUMBER], share[US_NUMBER];
    fputs("<header><div class=\"wide\">\n", out);
    us_html_element(out, "h1", NULL, "Labels of %s", data->location);
    us_html_element(out, "p", "lead",
                    "Of the %s training samples %s (%s) have a label that looks wrong to models that %s.",
                    us_count_text(a->n, n), us_count_text(a->count, count),
                    us_share_text((double)a->count / (double)a->n, share),
                    is_unseen(a) ? "never saw them" : "were trained on them");
    fputs("</div></header>\n", out);
}

static enum unseen_status write_suspects(FILE *out, const struct unseen_audit *a,
                                         const struct unseen_dataset *data)
{
    int n = a->count < PICTURES ? (int)a->count : PICTURES;
    us_html_section_begin(out, "suspects", "Suspects");
    us_html_element(
        out, "p", "soft",
        "The %d most suspicious samples, with their label in the data and the class that the models "
        "prefer; all are in suspects.csv. The score is one minus the mean probability of the label, over all "
        "repeats and epochs; epochs that tell less of samples that the models never saw weigh less.",
        n);
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
    int rival; /* suggested most often; -1: there is no suspect */
    int64_t rivals;
};

/* `suggested` [classes * classes] counts what is suggested (columns) for each label (rows). */
static void count_rivals(const int64_t *suggested, int classes, struct tally *tally)
{
    for (int c = 0; c < classes; c++) {
        tally[c].rival = -1;
        for (int j = 0; j < classes; j++) {
            int64_t times = suggested[(int64_t)c * classes + j];
            tally[c].suspects += times;
            if (times > tally[c].rivals) {
                tally[c].rival = j;
                tally[c].rivals = times;
            }
        }
    }
}

static enum unseen_status count_classes(const struct unseen_audit *a, struct tally *tally)
{
    size_t classes = (size_t)a->classes;
    int64_t *suggested = us_calloc(classes * classes, sizeof *suggested);
    if (!suggested)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < a->n; i++)
        tally[a->labels[i]].samples++;
    for (int64_t k = 0; k < a->count; k++) {
        int64_t i = a->suspects[k];
        suggested[a->labels[i] * a->classes + a->suggested[i]]++;
    }
    count_rivals(suggested, a->classes, tally);
    free(suggested);
    return UNSEEN_OK;
}

static void write_class(FILE *out, const struct unseen_dataset *data, int class, const struct tally *t)
{
    char text[4][US_NUMBER], rival[160] = "";
    if (t->rival >= 0)
        snprintf(rival, sizeof rival, "%.100s (%s)", data->class_names[t->rival],
                 us_count_text(t->rivals, text[0]));
    us_html_row(
        out, "td", 5,
        (const char *[]){
            data->class_names[class], us_count_text(t->samples, text[1]), us_count_text(t->suspects, text[2]),
            us_share_text(t->samples ? (double)t->suspects / (double)t->samples : 0, text[3]), rival});
}

static enum unseen_status write_classes(FILE *out, const struct unseen_audit *a,
                                        const struct unseen_dataset *data)
{
    struct tally *tally = us_calloc((size_t)a->classes, sizeof *tally);
    if (!tally)
        return UNSEEN_FAILED;
    enum unseen_status st = count_classes(a, tally);
    us_html_section_begin(out, "classes", "Classes");
    fputs("<div class=\"card\"><div class=\"scroll\"><table><thead>\n", out);
    us_html_row(out, "th", 5,
                (const char *[]){"label", "samples", "suspects", "share", "suggested most often"});
    fputs("</thead><tbody>\n", out);
    for (int c = 0; st == UNSEEN_OK && c < a->classes; c++)
        write_class(out, data, c, &tally[c]);
    fputs("</tbody></table></div></div>\n", out);
    us_html_section_end(out);
    free(tally);
    return st;
}

enum unseen_status us_audit_page(const char *path, const struct unseen_audit *audit,
                                 const struct unseen_dataset *data)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_atomic file = {0};
    void *locale = us_c_locale_begin(); /* as in unseen_report */
    char *title = us_format("unseen: labels of %s", data->location);
    US_TRY_ALLOC(title);
    US_TRY(us_atomic_begin(path, &file));
    us_html_begin(file.stream, title);
    write_header(file.stream, audit, data);
    fputs("<main>\n", file.stream);
    US_TRY(write_suspects(file.stream, audit, data));
    US_TRY(write_classes(file.stream, audit, data));
    fputs("</main>\n", file.stream);
    us_html_element(file.stream, "footer", NULL, "Written by unseen %s.", unseen_version());
    us_html_end(file.stream);
    st = us_atomic_commit(&file);
out:
    us_atomic_abandon(&file);
    free(title);
    us_c_locale_end(locale);
    return st;
}
