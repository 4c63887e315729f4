/* The main job: trajectory, score, select. */
#include "config.h"

#include "unseen/prune.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/npy.h"
#include "base/true_labels.h"
#include "base/usable.h"
#include "nn/run_json.h"
#include "nn/train.h"
#include "prune/incremental.h"
#include "prune/prune_options.h"
#include "prune/select_inputs.h"
#include "scoring/run_lock.h"
#include "scoring/scoring_json.h"
#include "scoring/scoring_model.h"
#include "select/coreset.h"
#include "select/rule.h"

/* Score out/<trajectory> into out/<file>; `parts` by us_select_inputs_read. */
static enum unseen_status score_folder(const struct unseen_prune_options *o, const char *trajectory,
                                       const char *file, const char *cut, unsigned parts,
                                       struct us_select_inputs *inputs, struct unseen_spread *spread)
{
    enum unseen_status st = UNSEEN_OK;
    char *folder = us_format("%s/%s", o->scoring.out, trajectory);
    char *path = us_format("%s/%s", o->scoring.out, file);
    US_TRY_ALLOC(folder);
    US_TRY_ALLOC(path);
    US_TRY(us_select_inputs_read(folder, o->metric, &o->score, cut, parts, inputs));
    US_TRY(us_npy_write(path, US_F32, 1, &inputs->n, inputs->scores));
    US_TRY(unseen_spread(inputs->scores, inputs->n, spread));
out:
    free(path);
    free(folder);
    return st;
}

static enum unseen_status write_selection(const struct unseen_prune_options *o,
                                          const struct unseen_dataset *data,
                                          const struct us_select_inputs *inputs, const int64_t *keep,
                                          int64_t m)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    char *npy = us_format("%s/keep.npy", o->scoring.out);
    char *csv = us_format("%s/coreset.csv", o->scoring.out);
    US_TRY_ALLOC(npy);
    US_TRY_ALLOC(csv);
    US_TRY(us_npy_write(npy, US_I64, 1, &m, keep));
    US_TRY(us_coreset_csv_write(csv, train, inputs->scores, inputs->fold, keep, m));
out:
    free(csv);
    free(npy);
    return st;
}

static json_t *spread_json(const struct unseen_spread *spread)
{
    return json_pack("{s:f, s:f, s:f, s:f}", "iqr", spread->iqr, "entropy", spread->entropy, "min",
                     spread->min, "max", spread->max);
}

static int add_steps(json_t *run, const struct unseen_prune_result *r, json_t *steps)
{
    return json_object_set(run, "steps", steps) || json_object_set_new(run, "step", json_integer(r->step));
}

static int add_truth(json_t *run, const struct unseen_prune_result *r)
{
    return json_object_set_new(run, "wrong_labels", us_json_float((float)r->wrong)) ||
           json_object_set_new(run, "wrong_labels_kept", us_json_float((float)r->wrong_kept));
}

/* How many labels are wrong, and of those kept. */
static void judge(const struct unseen_dataset *data, const int64_t *keep, struct unseen_prune_result *r)
{
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    r->wrong = us_share_wrong(train, NULL, train->n);
    r->wrong_kept = us_share_wrong(train, keep, r->m);
}

/* Seconds that earlier calls scored for in this folder, as its run.json says; 0 without one. */
static double earlier_seconds(const char *path)
{
    json_t *run = NULL;
    if (!us_exists(path) || us_json_load(path, &run))
        return 0;
    double seconds = json_number_value(json_object_get(json_object_get(run, "seconds"), "scoring"));
    json_decref(run);
    return seconds > 0 ? seconds : 0;
}

/* `steps`: NULL without. */
static enum unseen_status write_run(const struct unseen_prune_options *o, struct unseen_device *device,
                                    const struct unseen_dataset *data, const struct us_work_plan *plan,
                                    const struct unseen_prune_result *r, json_t *steps)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *scoring = NULL, *sums = NULL;
    json_t *run = us_run_json(o->scoring.command, o->scoring.seed, device, data, us_prune_options, o);
    char *path = us_format("%s/run.json", o->scoring.out);
    char *scoring_path = us_format("%s/scoring.json", o->scoring.out);
    US_TRY_ALLOC(run);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(scoring_path);
    US_TRY(us_json_load(scoring_path, &scoring));
    json_t *spread = json_pack("{s:o}", "unseen", spread_json(&r->spread));
    int bad = !spread || (r->has_seen && json_object_set_new(spread, "seen", spread_json(&r->seen_spread)));
    json_t *choice =
        json_pack("{s:I, s:I, s:o, s:{s:f}}", "n", (json_int_t)r->n, "kept", (json_int_t)r->m, "spread",
                  spread, "seconds", "scoring", r->scoring_seconds + earlier_seconds(path));
    bad |= !choice || json_object_update(run, choice) ||
           json_object_set_new(run, "cutoff", us_json_float((float)r->cutoff)) ||
           json_object_set_new(run, "wrong_share", us_json_float((float)r->noise_rate)) ||
           (!isnan(r->wrong_kept) && add_truth(run, r)) ||
           json_object_set(run, "models", json_object_get(scoring, "models")) ||
           (steps && add_steps(run, r, steps)) || us_work_plan_put(plan, run);
    json_decref(choice);
    sums = us_checksums_json(
        o->scoring.out, (const char *[]){"scores.npy", "keep.npy", "coreset.csv", "seen/scores.npy", NULL});
    US_TRY_ALLOC(sums);
    if (bad || json_object_set(run, "checksums", sums))
        st = us_fail(UNSEEN_FAILED, "memory", "cannot describe the run");
    else
        US_TRY(us_json_save(path, run));
out:
    json_decref(sums);
    json_decref(scoring);
    json_decref(run);
    free(scoring_path);
    free(path);
    return st;
}

/* What can be refused before anything is trained; `record_also` receives what has to be recorded. */
static enum unseen_status check(const struct unseen_dataset *data, const struct unseen_prune_options *o,
                                unsigned *record_also)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_select_check(o->rule, &o->select, us_usable(&data->split[UNSEEN_TRAIN]), data->classes));
    US_TRY(us_select_inputs_needs(o->metric, o->cut, o->rule, o->scoring.protocol, record_also));
    US_TRY(us_select_inputs_check(o->metric, &o->score, o->cut, us_recipe_epochs(&o->scoring.recipe), false));
    US_TRY(us_scoring_check(&o->scoring, data));
    US_TRY(us_incremental_check(data, o));
    us_select_warn(o->rule, &o->select);
out:
    return st;
}

/* Whether the metric can be had of samples that the models trained on too. */
static bool has_seen_side(const struct unseen_prune_options *o)
{
    unsigned bits = 0;
    return o->scoring.protocol != UNSEEN_SEEN &&
           us_select_inputs_needs(o->metric, o->cut, o->rule, UNSEEN_SEEN, &bits) == UNSEEN_OK;
}

static enum unseen_status prune_in_steps(struct unseen_device *device, const struct unseen_dataset *data,
                                         const struct unseen_prune_options *o, struct us_work_plan *plan,
                                         struct unseen_prune_result *r)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_incremental_result result = {0};
    struct us_select_inputs inputs = {.n = r->n};
    char *steps = us_format("%s/steps", o->scoring.out);
    char *scores = us_format("%s/scores.npy", o->scoring.out);
    const struct us_incremental in = {
        .device = device, .data = data, .options = o, .out = steps, .plan = plan};
    US_TRY_ALLOC(steps);
    US_TRY_ALLOC(scores);
    double start = us_seconds();
    US_TRY(us_incremental_run(&in, &result));
    r->scoring_seconds = us_seconds() - start;
    r->m = result.m;
    r->step = result.step;
    r->heldout_accuracy = result.accuracy;
    inputs.scores = result.scores;
    US_TRY(us_npy_write(scores, US_F32, 1, &r->n, result.scores));
    US_TRY(unseen_spread(result.scores, r->n, &r->spread));
    judge(data, result.keep, r);
    US_TRY(write_selection(o, data, &inputs, result.keep, r->m));
    US_TRY(write_run(o, device, data, plan, r, result.steps));
out:
    us_incremental_end(&result);
    free(scores);
    free(steps);
    return st;
}

/* Scoring, with steps or without, and what selection writes: scores, the coreset, a table of both. */
static enum unseen_status plan_scoring(const struct unseen_prune_options *o, struct us_work_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const int64_t row = sizeof(float) + sizeof(int64_t) + 24 /* of the table, without a path */;
    char *steps = o->scoring.out ? us_format("%s/steps", o->scoring.out) : NULL;
    const struct us_scoring scoring = us_scoring_of(&o->scoring, plan->data, NULL);
    const struct us_incremental in = {
        .device = plan->device, .data = plan->data, .options = o, .out = steps, .plan = plan};
    US_TRY(o->step.steps > 1 ? us_incremental_plan(&in) : us_scoring_plan(&scoring, plan));
    us_work_plan_add_disk(plan, row * scoring.n, 0);
out:
    free(steps);
    return st;
}

enum unseen_status unseen_prune_plan(struct unseen_device *device, const struct unseen_dataset *data,
                                     const struct unseen_prune_options *asked, enum unseen_plan_by by,
                                     struct unseen_plan *told)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_work_plan plan = us_work_plan_of(device, data);
    struct unseen_prune_options options = *asked;
    us_select_inputs_table(data, &options.select);
    US_TRY(check(data, &options, &options.scoring.record_also));
    options.scoring.record_wanted = us_select_inputs_wants(options.rule);
    US_TRY(plan_scoring(&options, &plan));
    US_TRY(us_work_plan_price(&plan, by));
    *told = plan.told;
out:
    us_work_plan_end(&plan);
    return st;
}

static const char *const files[] = {"scores.npy",  "keep.npy", "coreset.csv",     "run.json",
                                    "report.html", "seen/",    "seen/scores.npy", NULL};

enum unseen_status unseen_prune(struct unseen_device *device, const struct unseen_dataset *data,
                                const struct unseen_prune_options *asked, struct unseen_prune_result *result)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_prune_result r = {.n = data->split[UNSEEN_TRAIN].n, .cutoff = NAN, .noise_rate = NAN};
    struct us_select_inputs inputs = {0}, seen = {0};
    struct unseen_prune_options resolved = *asked;
    const struct unseen_prune_options *options = &resolved;
    struct unseen_select_options select;
    struct us_run_lock lock = {0};
    struct us_work_plan plan = us_work_plan_of(device, data);
    int64_t *keep = NULL;
    us_select_inputs_table(data, &resolved.select);
    US_TRY(check(data, options, &resolved.scoring.record_also));
    resolved.scoring.record_wanted = us_select_inputs_wants(options->rule);
    US_TRY(us_run_lock(options->scoring.out, US_SCORING_KIND, files, &lock));
    US_TRY(plan_scoring(options, &plan));
    US_TRY(us_work_plan_begin(&plan, &options->scoring.on_plan, "prune"));
    if (options->step.steps > 1) {
        US_TRY(prune_in_steps(device, data, options, &plan, &r));
        goto done;
    }
    select = options->select;
    double start = us_seconds();
    US_TRY(us_record_subset(device, data, &options->scoring, NULL, &plan));
    r.scoring_seconds = us_seconds() - start;
    US_TRY(score_folder(options, "trajectory", "scores.npy", options->cut,
                        us_select_inputs_of(options->rule, &select) | US_SELECT_INPUTS_NOISE_RATE, &inputs,
                        &r.spread));
    if (has_seen_side(options)) { /* for its spread alone */
        US_TRY(score_folder(options, "seen/trajectory", "seen/scores.npy", NULL, 0, &seen, &r.seen_spread));
        r.has_seen = 1;
    }
    us_select_inputs_apply(&inputs, &select);
    r.noise_rate = inputs.noise_rate;
    r.cutoff = us_share_cut(options->rule, &select);
    US_TRY(unseen_select(options->rule, inputs.scores, data->split[UNSEEN_TRAIN].labels, r.n, data->classes,
                         &select, &keep, &r.m));
    judge(data, keep, &r);
    US_TRY(write_selection(options, data, &inputs, keep, r.m));
    US_TRY(write_run(options, device, data, &plan, &r, NULL));
done:
    if (result)
        *result = r;
out:
    us_work_plan_end(&plan);
    us_run_lock_end(&lock);
    free(keep);
    us_select_inputs_end(&seen);
    us_select_inputs_end(&inputs);
    return st;
}
