#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/scoring_options.h"
#include "unseen/compare.h"
#include "unseen/report.h"

/* What the scoring models have of their own; negative or empty: what the compared models have. */
struct scoring_recipe {
    const char *model;
    int width, epochs, stop_after, pad, flip;
};

static enum unseen_status set_scoring(const struct scoring_recipe *own, struct unseen_compare_options *o)
{
    o->scoring.recipe = o->recipe;
    if (own->model && strlen(own->model) >= sizeof o->scoring.recipe.model)
        return us_fail(UNSEEN_USAGE, "--scoring-model", "'%s' is not a known name", own->model);
    if (own->model)
        strcpy(o->scoring.recipe.model, own->model);
    if (own->width >= 0)
        o->scoring.recipe.width = own->width;
    if (own->epochs >= 0)
        o->scoring.recipe.epochs = own->epochs;
    if (own->stop_after >= 0)
        o->scoring.recipe.stop_after = own->stop_after;
    if (own->pad >= 0)
        o->scoring.recipe.pad = own->pad;
    if (!own->flip)
        o->scoring.recipe.flip = 0;
    return UNSEEN_OK;
}

static enum unseen_status print_json(const struct unseen_comparison *rows, int n)
{
    json_t *list = json_array();
    for (int i = 0; list && i < n; i++) {
        const struct unseen_comparison *r = &rows[i];
        json_t *row = json_pack("{s:s, s:s, s:s, s:f, s:I, s:i, s:I, s:f, s:f}", "metric", r->metric,
                                "protocol", r->protocol, "rule", r->rule, "keep", r->keep, "kept",
                                (json_int_t)r->kept, "seeds", r->seeds, "steps", (json_int_t)r->steps,
                                "test_accuracy", r->mean, "best_test_accuracy", r->best_mean);
        if (row && !isnan(r->deviation))
            json_object_set_new(row, "deviation", json_real(r->deviation));
        json_array_append_new(list, row);
    }
    return us_print_json(list);
}

static void print_rows(const struct unseen_comparison *rows, int n, const char *out)
{
    int score = us_wider(0, "score"), rule = us_wider(0, "rule");
    for (int i = 0; i < n; i++) {
        score = us_wider(score, rows[i].metric);
        rule = us_wider(rule, rows[i].rule);
    }
    printf("%-*s %-11s %-*s %6s %9s %8s   %s\n", score, "score", "protocol", rule, "rule", "keep", "kept",
           "steps", "test accuracy");
    for (int i = 0; i < n; i++) {
        const struct unseen_comparison *r = &rows[i];
        printf("%-*s %-11s %-*s %6g %9" PRId64 " %8" PRId64 "   %6.2f %%", score,
               *r->metric ? r->metric : "-", *r->protocol ? r->protocol : "-", rule, r->rule, r->keep,
               r->kept, r->steps, 100 * r->mean);
        if (!isnan(r->deviation))
            printf(" +- %.2f", 100 * r->deviation);
        printf("\n");
    }
    printf("\n%s/table.csv\n%s/table.md\n%s/report.html\n", out, out, out);
}

enum unseen_status us_cmd_compare(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_compare_options o;
    struct scoring_recipe own_recipe = {.width = -1, .epochs = -1, .stop_after = -1, .pad = -1, .flip = 1};
    struct unseen_dataset_options reading = {0};
    struct unseen_comparison *rows = NULL;
    const char *path[1];
    struct unseen_device *device = NULL;
    struct unseen_dataset *data = NULL;
    int n = 0;
    bool help;
    unseen_compare_defaults(&o);
    const struct us_option own[] = {
        {"metrics", US_OPT_STRING, &o.metrics, "M[,M...]", "scores (el2n,dual)"},
        {"protocols", US_OPT_STRING, &o.protocols, "P[,P...]",
         "seen, fold, one-fold, fold-seen: a fold run's seen side, incremental (seen,fold)"},
        {"steps", US_OPT_INT, &o.step.steps, "T", "coresets of protocol incremental (3)"},
        US_STEP_OPTIONS(&o.step),
        {"rules", US_OPT_STRING, &o.rules, "R[,R...]",
         "ccs=X, window=X: another cut-off, or table, auto, search; beta=X: another exponent (ccs)"},
        {"keep", US_OPT_STRING, &o.keep, "R[,R...]", "shares to keep (0.9,0.7,0.5,0.3,0.1)"},
        {"seeds", US_OPT_INT, &o.seeds, "N", "runs of everything, from --seed on (3)"},
        {"score-once", US_OPT_ON, &o.score_once, NULL, "the first seed's scores serve all seeds"},
        {"budget", US_OPT_CHOICE, &o.budget, "epochs|steps", "what all models train for alike (epochs)"},
        {"concurrent", US_OPT_AUTO, &o.concurrent, "auto|N",
         "models trained at once; auto: what is fastest (auto)"},
        {"scoring-model", US_OPT_STRING, &own_recipe.model, "NAME", "of the scoring models (--model)"},
        {"scoring-width", US_OPT_INT, &own_recipe.width, "W", "of the scoring models (--width)"},
        {"scoring-epochs", US_OPT_INT, &own_recipe.epochs, "E", "of the scoring models (--epochs)"},
        {"scoring-stop-after", US_OPT_INT, &own_recipe.stop_after, "T",
         "of the scoring models (--stop-after)"},
        {"scoring-pad", US_OPT_INT, &own_recipe.pad, "P", "of the scoring models (--pad)"},
        {"scoring-no-flip", US_OPT_OFF, &own_recipe.flip, NULL, "no flips for the scoring models"},
        {"folds", US_OPT_INT, &o.scoring.folds, "K", "folds of the split (5)"},
        {"repeats", US_OPT_INT, &o.scoring.repeats, "R", "splits and initialisations (1)"},
        {"duplicates", US_OPT_CHOICE, &o.scoring.duplicates, "together|split",
         "samples of the same content: in one fold or not (together)"},
        {"record", US_OPT_CHOICE, &o.scoring.record, "train|eval",
         "pass that seen quantities come from (train)"},
        US_SCORE_OPTIONS(&o.score),
        US_RULE_OPTIONS(&o.select, &o.cut),
        {"coarse", US_OPT_ON, &reading.coarse_labels, NULL, "CIFAR-100: the 20 superclasses"},
        {NULL, US_OPT_ON, NULL, NULL, NULL},
    };
    const struct us_option recipe[] = {US_RECIPE_OPTIONS(&o.recipe)};
    const struct us_usage usage = {
        "unseen compare DATA --metrics M,... --protocols P,... --rules R,... --keep R,... --out DIR "
        "[options]",
        "Train on every coreset of a sweep, test the models, and write a table and a report. Models on all "
        "data and on\n"
        "random subsets are always among them. The same command goes on after an interruption; longer lists "
        "and more\n"
        "seeds in the same folder train only what is new.",
        own,
        recipe,
        us_list_choices,
        1,
        1,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    US_TRY(set_scoring(&own_recipe, &o));
    o.seed = o.score.seed = common.seed;
    o.out = common.out;
    o.command = us_command_line();
    US_TRY(us_open_inputs(&common, path[0], &reading, &data, &device));
    US_TRY(unseen_compare(device, data, &o, &rows, &n));
    US_TRY(unseen_report(common.out, data));
    if (common.json)
        US_TRY(print_json(rows, n));
    else
        print_rows(rows, n, common.out);
out:
    free(rows);
    unseen_device_close(device);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
