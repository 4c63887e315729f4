#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "cmd/cmd.h"
#include "cmd/scoring_options.h"
#include "unseen/score.h"

/* "dir/scores.npy" for one metric; "dir/scores-el2n.npy" and so on for several. */
static char *output_path(const char *out, const char *metric, bool several)
{
    const char *dot = strrchr(out, '.');
    int stem = dot && !strchr(dot, '/') ? (int)(dot - out) : (int)strlen(out);
    return several ? us_format("%.*s-%s%s", stem, out, metric, out + stem) : us_format("%s", out);
}

/* `rows` (NULL without --json) collects what is printed in the end. */
static enum unseen_status score_one(const struct unseen_trajectory *trajectory, const char *metric,
                                    const struct unseen_score_options *options, const char *path,
                                    json_t *rows, float *scores)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_spread spread;
    US_TRY(unseen_score(trajectory, metric, options, scores));
    US_TRY(unseen_spread(scores, trajectory->n, &spread));
    US_TRY(us_npy_write(path, US_F32, 1, &trajectory->n, scores));
    if (!rows)
        printf("%-12s interquartile range %.3f, histogram entropy %.3f  %s\n", metric, spread.iqr,
               spread.entropy, path);
    else if (json_array_append_new(rows, json_pack("{s:s, s:I, s:f, s:f, s:s}", "metric", metric, "n",
                                                   (json_int_t)trajectory->n, "iqr", spread.iqr, "entropy",
                                                   spread.entropy, "file", path)))
        st = us_fail(UNSEEN_FAILED, "--json", "cannot print");
out:
    return st;
}

enum unseen_status us_cmd_score(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_score_options options = {.epoch = -1};
    const char *metrics = "el2n", *folder = NULL;
    struct unseen_trajectory *trajectory = NULL;
    float *scores = NULL;
    char *names = NULL, *path = NULL;
    json_t *rows = NULL;
    bool help;
    const struct us_option own[] = {
        {"metric", US_OPT_STRING, &metrics, "M[,M...]", "scores to compute (el2n)"},
        {"trajectory", US_OPT_STRING, &folder, "DIR", "a recorded or imported trajectory"},
        US_SCORE_OPTIONS(&options),
        {NULL, US_OPT_ON, NULL, NULL, NULL},
    };
    const struct us_usage usage = {
        .synopsis = "unseen score --metric M --trajectory DIR --out scores.npy",
        .about = "Score every sample from a trajectory, ours or another framework's; trains nothing. Higher "
                 "scores\n"
                 "are harder samples. With several metrics the name of each is put into the file name.",
        .own = own,
        .lists = us_list_scores,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, NULL, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    if (!folder) {
        st = us_fail(UNSEEN_USAGE, "--trajectory", "is needed: the folder to read");
        goto out;
    }
    options.seed = common.seed;
    US_TRY(unseen_trajectory_open(folder, &trajectory));
    scores = us_calloc((size_t)trajectory->n, sizeof *scores);
    names = us_format("%s", metrics);
    US_TRY_ALLOC(scores);
    US_TRY_ALLOC(names);
    if (common.json)
        rows = json_array();
    bool several = strchr(metrics, ',');
    char *state;
    for (char *metric = strtok_r(names, ",", &state); metric; metric = strtok_r(NULL, ",", &state)) {
        path = output_path(common.out, metric, several);
        US_TRY_ALLOC(path);
        US_TRY(score_one(trajectory, metric, &options, path, rows, scores));
        free(path);
        path = NULL;
    }
    if (rows)
        US_TRY(us_print_json(json_incref(rows)));
out:
    json_decref(rows);
    free(path);
    free(names);
    free(scores);
    unseen_trajectory_close(trajectory);
    us_common_end(&common);
    return st;
}
