/* The section of contact sheets: the ends of the ranking, a cross-section of what was kept and of what was
 * dropped, and the samples that may be mislabelled. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/contact_sheet.h"
#include "report/html.h"
#include "report/sections.h"

enum { SHEET = 24 };

bool us_shows_samples(const struct us_run_folder *folder)
{
    return (folder->dataset || folder->dataset_problem) && (folder->scores || folder->p_true);
}

static void write_key(FILE *out, const struct us_run_folder *f)
{
    if (!f->kept)
        return;
    us_html_key_begin(out);
    us_html_key_item(out, "kept", "kept");
    us_html_key_item(out, "dropped", "dropped");
    us_html_key_end(out);
}

static enum unseen_status write_sheet(FILE *out, const struct us_run_folder *f, const char *title,
                                      const char *about, const struct us_contact_sheet *sheet)
{
    if (sheet->n == 0)
        return UNSEEN_OK;
    fputs("<div class=\"card\" style=\"margin-top:18px\">", out);
    us_html_element(out, "h3", NULL, "%s", title);
    us_html_element(out, "p", "note", "%s", about);
    write_key(out, f);
    enum unseen_status st = us_contact_sheet_write(out, sheet);
    fputs("</div>\n", out);
    return st;
}

static enum unseen_status write_extremes(FILE *out, const struct us_run_folder *f, bool lowest)
{
    int64_t samples[SHEET];
    char title[64];
    const struct us_contact_sheet sheet = {
        .dataset = f->dataset,
        .n = us_extreme_samples(f->scores, f->skipped, f->n, lowest, SHEET, samples),
        .samples = samples,
        .value = f->scores,
        .value_name = "score",
        .kept = f->kept};
    snprintf(title, sizeof title, "The %d %s samples", sheet.n, lowest ? "easiest" : "hardest");
    return write_sheet(out, f, title,
                       lowest ? "The lowest scores, lowest first." : "The highest scores, highest first.",
                       &sheet);
}

/* At even steps through the ranking of what was kept, or dropped. */
static enum unseen_status write_cross_section(FILE *out, const struct us_run_folder *f, bool kept)
{
    int64_t samples[SHEET], group = kept ? f->m : f->n - f->n_skipped - f->m, rank = 0;
    char title[64];
    const int n = group < SHEET ? (int)group : SHEET;
    int found = 0;
    for (int64_t i = 0; i < f->n && found < n; i++) {
        if ((f->kept[f->ascending[i]] != 0) != kept || (f->skipped && f->skipped[f->ascending[i]]))
            continue;
        int64_t wanted = n > 1 ? (int64_t)((double)found * (double)(group - 1) / (n - 1)) : 0;
        if (rank++ == wanted)
            samples[found++] = f->ascending[i];
    }
    const struct us_contact_sheet sheet = {.dataset = f->dataset,
                                           .n = found,
                                           .samples = samples,
                                           .value = f->scores,
                                           .value_name = "score",
                                           .kept = f->kept};
    snprintf(title, sizeof title, "%d of the samples that were %s", found, kept ? "kept" : "dropped");
    return write_sheet(out, f, title, "At even steps from the lowest score to the highest.", &sheet);
}

/* ---- labels that may be wrong ---- */

static char *doubt_about(const struct us_run_folder *f)
{
    const char *protocol = us_run_text(f, "protocol");
    const bool seen = protocol && strcmp(protocol, "seen") == 0;
    const double noise_rate = us_run_number(f, "wrong_share", NAN);
    char count[US_NUMBER], share[US_NUMBER];
    char *estimate = isnan(noise_rate) ? us_format("%s", "")
                                       : us_format(" About %s of all labels (%s) are estimated to be wrong.",
                                                   us_count_text(llround(noise_rate * (double)f->n), count),
                                                   us_share_text(noise_rate, share));
    char *about =
        estimate
            ? us_format("Possibly mislabelled: %s give the label that the data has for them the lowest mean "
                        "probability over the epochs%s.%s%s",
                        seen ? "models that were trained on them" : "models that never saw them",
                        seen ? "" : ", where epochs of a lower loss on unseen samples weigh more",
                        f->suggested ? " Behind the arrow stands the class that the models prefer." : "",
                        estimate)
            : NULL;
    free(estimate);
    return about;
}

static enum unseen_status write_suspects(FILE *out, const struct us_run_folder *f)
{
    int64_t samples[SHEET];
    char title[64];
    char *about = doubt_about(f);
    if (!about)
        return UNSEEN_FAILED;
    const struct us_contact_sheet sheet = {
        .dataset = f->dataset,
        .n = us_extreme_samples(f->p_true, f->skipped, f->n, true, SHEET, samples),
        .samples = samples,
        .value = f->p_true,
        .value_name = "p",
        .suggested = f->suggested,
        .kept = f->kept};
    snprintf(title, sizeof title, "The %d most suspicious samples", sheet.n);
    enum unseen_status st = write_sheet(out, f, title, about, &sheet);
    free(about);
    return st;
}

enum unseen_status us_write_samples(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    if (!folder->dataset) {
        us_html_element(out, "p", "soft", "The pictures are left out: %s", folder->dataset_problem);
        goto out;
    }
    fputs("<p class=\"soft\">Training samples with the label that the data has for them.</p>\n", out);
    if (folder->scores) {
        US_TRY(write_extremes(out, folder, false));
        US_TRY(write_extremes(out, folder, true));
    }
    if (folder->kept) {
        US_TRY(write_cross_section(out, folder, true));
        US_TRY(write_cross_section(out, folder, false));
    }
    if (folder->p_true)
        US_TRY(write_suspects(out, folder));
out:
    return st;
}
