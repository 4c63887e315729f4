/* Selection from scores and a trajectory of the same samples. */
#include "config.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/npy.h"
#include "prune/select_inputs.h"
#include "select/rule.h"
#include "unseen/prune.h"

/* What select->table "auto" stands for: by the data that run.json beside the trajectory names, as prune has
 * it; where there is none, by the classes alone. */
static void choose_table(const char *trajectory, int classes, struct unseen_select_options *select)
{
    json_t *run = NULL;
    char *path = us_format("%s/../run.json", trajectory);
    if (path && us_exists(path) && us_json_load(path, &run))
        run = NULL;
    us_select_inputs_table_of(json_string_value(json_object_get(json_object_get(run, "data"), "format")),
                              classes, select);
    json_decref(run);
    free(path);
}

/* Point `select` at what the rule looks at besides the scores in the file. */
static enum unseen_status look_into(const char *trajectory, const char *rule, const char *cut,
                                    const char *scores_path, struct us_select_inputs *inputs,
                                    struct unseen_select_options *select)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_score_options scoring;
    struct us_npy scores = {0};
    unseen_score_defaults(&scoring);
    scoring.seed = select->seed;
    US_TRY(us_npy_open(scores_path, &scores));
    US_TRY(us_select_inputs_read(trajectory, NULL, &scoring, cut,
                                 us_select_inputs_of(rule, select) | US_SELECT_INPUTS_NOISE_RATE, inputs));
    if (scores.ndim != 1 || scores.shape[0] != inputs->n)
        st = us_fail(UNSEEN_BAD_DATA, trajectory, "is of %lld samples, %s of others", (long long)inputs->n,
                     scores_path);
    us_select_inputs_apply(inputs, select);
    choose_table(trajectory, inputs->classes, select);
out:
    us_npy_close(&scores);
    return st;
}

enum unseen_status unseen_select_trajectory(const char *rule, const char *trajectory, const char *cut,
                                            const struct unseen_select_files *files,
                                            const struct unseen_select_options *options,
                                            struct unseen_selection *selection)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_select_options select = *options;
    struct us_select_inputs inputs = {0};
    struct unseen_selection made = {0};
    if (!cut && !files->hardness && us_rule_cuts(rule))
        cut = US_SELECT_INPUTS_CUT;
    US_TRY(look_into(trajectory, rule, cut, files->scores, &inputs, &select));
    US_TRY(unseen_select_files(rule, files, &select, &made.n, &made.m));
    made.cutoff = us_share_cut(rule, &select);
    made.noise_rate = select.noise_rate;
    if (selection)
        *selection = made;
out:
    us_select_inputs_end(&inputs);
    return st;
}
