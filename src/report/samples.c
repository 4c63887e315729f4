/* The section of contact sheets: the hardest, the easiest and the possibly mislabelled samples. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "report/contact_sheet.h"
#include "report/html.h"
#include "report/sections.h"

enum { SHEET = 24 };

bool us_shows_samples(const struct us_run_folder *folder)
{
    return (folder->dataset || folder->dataset_problem) && (folder->scores || folder->p_given);
}

static enum unseen_status write_sheet(FILE *out, const struct us_run_folder *f, const char *which,
                                      const char *about, const float *values, const char *value_name,
                                      bool lowest)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *samples = NULL;
    int n = 0;
    US_TRY(us_extreme_samples(values, f->n, lowest, SHEET, &samples, &n));
    fputs("<div class=\"card\" style=\"margin-top:18px\">", out);
    us_html_element(out, "h3", NULL, "The %d %s samples", n, which);
    us_html_element(out, "p", "note", "%s", about);
    const struct us_contact_sheet sheet = {.dataset = f->dataset,
                                           .n = n,
                                           .samples = samples,
                                           .value = values,
                                           .value_name = value_name,
                                           .kept = f->kept};
    US_TRY(us_contact_sheet_write(out, &sheet));
    fputs("</div>\n", out);
out:
    free(samples);
    return st;
}

static const char *doubt_about(const struct us_run_folder *f)
{
    const char *protocol = us_run_text(f, "protocol");
    if (protocol && strcmp(protocol, "seen") == 0)
        return "Possibly mislabelled: the models give the label that the data has for them the lowest mean "
               "probability over the epochs, though they trained on it.";
    return "Possibly mislabelled: models that never saw them give the label that the data has for them the "
           "lowest mean probability over the epochs, of which those that tell more of unseen samples weigh "
           "more.";
}

enum unseen_status us_write_samples(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    if (!folder->dataset) {
        us_html_element(out, "p", "soft",
                        "The pictures are left out, for the dataset could not be opened: %s",
                        folder->dataset_problem);
        goto out;
    }
    fputs("<p class=\"soft\">Training samples with the label that the data has for them.</p>\n", out);
    if (folder->scores && folder->kept) {
        us_html_key_begin(out);
        us_html_key_item(out, "kept", "kept");
        us_html_key_item(out, "dropped", "dropped");
        us_html_key_end(out);
    }
    if (folder->scores) {
        US_TRY(write_sheet(out, folder, "hardest", "The highest scores, highest first.", folder->scores,
                           "score", false));
        US_TRY(write_sheet(out, folder, "easiest", "The lowest scores, lowest first.", folder->scores,
                           "score", true));
    }
    if (folder->p_given)
        US_TRY(write_sheet(out, folder, "most suspicious", doubt_about(folder), folder->p_given, "p", true));
out:
    return st;
}
