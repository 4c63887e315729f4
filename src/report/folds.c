/* The section on folds: whether the models that scored the folds agree on how hard their samples are. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "report/html.h"
#include "report/sections.h"

struct fold {
    int64_t n, kept;
    double sum, squares; /* of the scores, and of their distances from the mean */
};

bool us_shows_folds(const struct us_run_folder *folder)
{
    return folder->fold && folder->scores && us_run_number(folder, "repeats", 1) == 1 &&
           !us_shows_steps(folder);
}

static double mean_of(const struct fold *fold)
{
    return fold->n ? fold->sum / (double)fold->n : NAN;
}

/* folds [256], by the number that fold.npy has. */
static void measure(const struct us_run_folder *f, struct fold *folds)
{
    for (int64_t i = 0; i < f->n; i++) {
        struct fold *of = &folds[f->fold[i]];
        of->n++;
        of->kept += f->kept && f->kept[i];
        of->sum += f->scores[i];
    }
    for (int64_t i = 0; i < f->n; i++) {
        struct fold *of = &folds[f->fold[i]];
        double distance = f->scores[i] - mean_of(of);
        of->squares += distance * distance;
    }
}

static void write_fold(FILE *out, const struct us_run_folder *f, int number, const struct fold *fold,
                       double step)
{
    char text[5][US_NUMBER];
    snprintf(text[0], US_NUMBER, "%d", number + 1);
    us_html_row(out, "td", f->kept ? 5 : 4,
                (const char *[]){text[0], us_count_text(fold->n, text[1]),
                                 us_step_text(mean_of(fold), step, text[2]),
                                 us_step_text(sqrt(fold->squares / (double)fold->n), step, text[3]),
                                 us_share_text((double)fold->kept / (double)fold->n, text[4])});
}

enum unseen_status us_write_folds(FILE *out, const struct us_run_folder *folder)
{
    struct fold *folds = us_calloc(256, sizeof *folds);
    if (!folds)
        return UNSEEN_FAILED;
    double step =
        (folder->scores[folder->ascending[folder->n - 1]] - folder->scores[folder->ascending[0]]) / 100;
    measure(folder, folds);
    fputs(
        "<p class=\"soft\">Each fold was scored by a model of its own. The folds were drawn at random: where "
        "their scores differ much, it is the models that differ, and more repeats make the scores "
        "steadier.</p>\n"
        "<div class=\"card\"><div class=\"scroll\"><table><thead>\n",
        out);
    us_html_row(out, "th", folder->kept ? 5 : 4,
                (const char *[]){"fold", "samples", "mean score", "standard deviation", "kept"});
    fputs("</thead><tbody>\n", out);
    for (int k = 0; k < 256; k++)
        if (folds[k].n)
            write_fold(out, folder, k, &folds[k], step);
    fputs("</tbody></table></div></div>\n", out);
    free(folds);
    return UNSEEN_OK;
}
