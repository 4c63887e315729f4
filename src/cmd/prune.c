#include "config.h"

#include <math.h>
#include <stdio.h>

#include "base/dataset_options.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/plan.h"
#include "prune/prune_options.h"
#include "unseen/prune.h"
#include "unseen/report.h"

static json_t *spread_json(const struct unseen_spread *spread)
{
    return json_pack("{s:f, s:f}", "iqr", spread->iqr, "entropy", spread->entropy);
}

static enum unseen_status print_json(const struct unseen_prune_options *o,
                                     const struct unseen_prune_result *r)
{
    json_t *result = json_pack("{s:I, s:I, s:s, s:o, s:f, s:o}", "n", (json_int_t)r->n, "kept",
                               (json_int_t)r->m, "metric", o->metric, "spread", spread_json(&r->spread),
                               "scoring_seconds", r->scoring_seconds, "out", us_json_text(o->scoring.out));
    if (result && r->has_seen)
        json_object_set_new(result, "seen_spread", spread_json(&r->seen_spread));
    if (result && !isnan(r->cutoff)) {
        json_object_set_new(result, "cutoff", json_real(r->cutoff));
        json_object_set_new(result, "wrong_share", json_real(r->noise_rate));
    }
    if (result && !isnan(r->wrong_kept)) {
        json_object_set_new(result, "wrong_labels", json_real(r->wrong));
        json_object_set_new(result, "wrong_labels_kept", json_real(r->wrong_kept));
    }
    if (result && r->step) {
        json_object_set_new(result, "step", json_integer(r->step));
        json_object_set_new(result, "heldout_accuracy", json_real(r->heldout_accuracy));
    }
    return us_print_json(result);
}

static void print_result(const struct unseen_prune_options *o, const struct unseen_prune_result *r)
{
    char text[32];
    printf("kept %lld of %lld samples by %s (%s, %s), scored in %s\n", (long long)r->m, (long long)r->n,
           o->metric, unseen_protocol_name(o->scoring.protocol), o->rule,
           us_duration(r->scoring_seconds, text));
    us_print_cutoff(r->cutoff, r->noise_rate);
    if (!isnan(r->wrong_kept))
        printf("wrong labels, by the true ones: %.2f %% of all, %.2f %% of the coreset\n", 100 * r->wrong,
               100 * r->wrong_kept);
    us_print_loading();
    putchar('\n');
    printf("spread of %s scaled to [0,1]   interquartile range   histogram entropy\n", o->metric);
    bool seen = o->scoring.protocol == UNSEEN_SEEN;
    printf("  %-28s %16.3f %19.3f\n", seen ? "seen" : "unseen", r->spread.iqr, r->spread.entropy);
    if (r->has_seen)
        printf("  %-28s %16.3f %19.3f\n", "seen, by the same models", r->seen_spread.iqr,
               r->seen_spread.entropy);
    if (r->step)
        printf("\ncoreset of step %d of %d: %.2f %% on the part held out\n", r->step, o->step.steps,
               100 * r->heldout_accuracy);
    printf("\n%s/keep.npy\n%s/report.html\n", o->scoring.out, o->scoring.out);
}

enum unseen_status us_cmd_prune(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_prune_options options;
    struct unseen_prune_result result;
    struct unseen_dataset_options reading = {0};
    const char *path[1];
    struct unseen_device *device = NULL;
    struct unseen_run_lock *lock = NULL;
    struct unseen_dataset *data = NULL;
    struct us_planned planned = {.kind = &us_plan_prune, .options = &options, .common = &common};
    bool help;
    unseen_prune_defaults(&options);
    const struct us_usage usage = {
        .synopsis = "unseen prune DATA --metric M --rule R --keep 0.7 --out DIR [options]",
        .about =
            "Train scoring models, score every sample by models that never saw it, select a coreset and "
            "write a report. The same command goes on after an interruption; another --metric, --rule or "
            "--keep reuses the trajectory. With --steps, models trained within the coreset score all "
            "data anew: members that the cut-off now bars or that the others cover leave, and the rule "
            "refills; a part held out tells which coreset is kept.",
        .groups = {{us_prune_options, &options, NULL},
                   {us_dataset_options, &reading, "Data"},
                   {us_label_options, &reading, "Data"},
                   {us_truth_options, &reading, "Data"}},
        .common = "device seed out json dry-run",
        .lists = us_list_choices,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    US_TRY(unseen_recipe_check(&options.scoring.recipe));
    options.scoring.seed = options.score.seed = options.select.seed = common.seed;
    options.scoring.out = common.out;
    options.scoring.command = us_command_line();
    options.scoring.on_plan = us_plan_listener(&planned);
    US_TRY(us_open_inputs(&common, path[0], &reading, &data, &device));
    planned.device = device;
    planned.data = data;
    us_note_test_split(data);
    if (common.dry_run) {
        US_TRY(us_plan_print(&planned));
        goto out;
    }
    US_TRY(unseen_run_lock(common.out, (const char *[]){"report.html", NULL}, &lock));
    US_TRY(unseen_prune(device, data, &options, &result));
    US_TRY(unseen_report(common.out, data, 0));
    if (common.json)
        US_TRY(print_json(&options, &result));
    else
        print_result(&options, &result);
out:
    unseen_run_lock_end(lock);
    unseen_device_close(device);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
