/* The scoring runs: which models train on what, and where each record lands in the trajectory. */
#include "config.h"

#include "unseen/scoring.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/npy.h"
#include "base/output.h"
#include "base/usable.h"
#include "nn/fingerprint.h"
#include "nn/gradient.h"
#include "nn/session.h"
#include "nn/workers.h"
#include "scoring/room.h"
#include "scoring/scoring_json.h"
#include "scoring/scoring_model.h"
#include "trajectory/trajectory.h"

/* One call's state. */
struct run {
    struct us_scoring scoring;
    struct unseen_device *device;
    json_t *models;               /* histories, for scoring.json */
    struct us_past *past;         /* [us_scoring_own] */
    struct us_work_plan *plan;    /* may be NULL, as may .. */
    struct us_progress *progress; /* .. its display, .. */
    const struct us_price *price; /* .. and what images cost there */
};

static int count_models(const struct run *run)
{
    return run->scoring.options->repeats * run->scoring.models_per_repeat;
}

/* Called by several threads at once, for different models. */
static enum unseen_status train_model(void *context, int own, struct us_session *session)
{
    enum unseen_status st = UNSEEN_OK;
    struct run *run = context;
    const struct unseen_scoring_options *o = run->scoring.options;
    struct us_past *past = &run->past[own];
    int number = us_scoring_own_number(&run->scoring, own);
    struct us_scoring_model model, *m = &model;
    int per_repeat = run->scoring.models_per_repeat;
    bool gradients = us_scoring_records(&run->scoring, UNSEEN_GRADIENT_NORM);
    const struct us_subset_run *subset = run->scoring.subset;
    char *title = NULL, *init = NULL, *weights = NULL;
    US_TRY(us_scoring_model_begin(&run->scoring, number / per_repeat, number % per_repeat, m));
    US_TRY(us_recorder_new(m));
    US_TRY_ALLOC(title = us_format("model %d/%d", number + 1, count_models(run)));
    if (subset && subset->from)
        US_TRY_ALLOC(init = us_subset_weights(subset->from, number));
    if (subset && subset->to)
        US_TRY_ALLOC(weights = us_subset_weights(subset->to, number));
    else if (gradients)
        US_TRY_ALLOC(weights = us_format("%s/weights.safetensors", m->folder));
    const struct us_observer observer = us_recorder_observer(m);
    struct us_train_job job = us_scoring_job(m, &observer);
    job.model = (uint32_t)number + (subset ? subset->first_model : 0);
    job.init = init ? init : o->init;
    job.save = weights;
    job.title = title;
    job.whole = run->progress;
    job.price = run->price;
    job.on_epoch = us_record_epoch;
    job.context = m;
    past->n_train = m->n_train;
    US_TRY(us_train(session, &job, &past->history, &past->epochs));
    US_TRY_ALLOC(past->made_by = us_made_by(session->device, session->algorithms));
    if (gradients)
        US_TRY(us_record_gradients(m, session, weights, run->progress, run->price, title));
out:
    us_recorder_free(m->recorder);
    us_scoring_model_end(m);
    free(weights);
    free(init);
    free(title);
    return st;
}

/* What is needed beside the records to gather them without the dataset. */
static enum unseen_status keep_labels(const struct us_scoring *run)
{
    enum unseen_status st = UNSEEN_OK;
    char *work = us_format("%s/work", run->options->out);
    char *path = us_labels_path(run->options->out);
    char *duplicates = us_duplicates_path(run->options->out);
    char *skipped = us_skipped_path(run->options->out);
    const struct unseen_images *train = &run->data->split[UNSEEN_TRAIN];
    const int64_t *together = us_kept_together(run->options, run->data);
    US_TRY_ALLOC(work);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(duplicates);
    US_TRY_ALLOC(skipped);
    US_TRY(us_make_folder(work));
    US_TRY(us_npy_write(path, US_I32, 1, &run->n, train->labels));
    if (train->skipped)
        US_TRY(us_npy_write(skipped, US_U8, 1, &run->n, train->skipped));
    if (together)
        US_TRY(us_npy_write(duplicates, US_I64, 1, &run->n, together));
out:
    free(skipped);
    free(duplicates);
    free(path);
    free(work);
    return st;
}

/* The finished models' states and records are in the trajectory now. */
static enum unseen_status remove_work(const char *out)
{
    char *work = us_format("%s/work", out);
    enum unseen_status st = work ? us_remove_written(work) : UNSEEN_FAILED;
    free(work);
    return st;
}

/* Skipped samples have folds too, so us_folds does not see how few are left. */
static enum unseen_status check_folds(const struct unseen_scoring_options *o,
                                      const struct unseen_images *train)
{
    if (o->protocol == UNSEEN_SEEN || train->n_skipped == 0 || o->folds <= us_usable(train))
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, "--folds", "%d is more than the training images that are not skipped: %lld",
            o->folds, (long long)us_usable(train));
    us_hint("bad images that --on-bad skip leaves out: %lld of %lld; unseen dataset verify lists them",
            (long long)train->n_skipped, (long long)train->n);
    return UNSEEN_USAGE;
}

enum unseen_status us_scoring_check(const struct unseen_scoring_options *o, const struct unseen_dataset *data)
{
    struct unseen_scoring_options checked = *o;
    if (o->protocol == UNSEEN_SEEN)
        checked.folds = 2; /* there are none */
    enum unseen_status st = us_options_check(us_scoring_options, &checked);
    if (st)
        return st;
    if (o->jobs < 0 || o->job < 0 || (o->job > 0 && o->job >= o->jobs))
        return us_fail(UNSEEN_USAGE, "--job", "there is no job %d of %d", o->job + 1, o->jobs);
    if ((o->record_also | o->record_wanted) & ~US_RECORD_DEMAND)
        return us_fail(UNSEEN_USAGE, "--record-also", "%#x has bits of what is not recorded on demand",
                       o->record_also | o->record_wanted);
    if (data->split[UNSEEN_TRAIN].n == 0)
        return us_fail(UNSEEN_BAD_DATA, data->location, "has no training samples");
    US_TRY(check_folds(o, &data->split[UNSEEN_TRAIN]));
    US_TRY(us_recipe_check_on(&o->recipe, data));
    if (o->record_also >> UNSEEN_GRADIENT_NORM & 1)
        st = us_gradient_check(data, &o->recipe);
out:
    return st;
}

static enum unseen_status run_models(struct run *run)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_workers *workers = NULL;
    const struct us_scoring *s = &run->scoring;
    const int models = us_scoring_own(s);
    const struct us_workers_task task = us_scoring_task(s);
    run->price = us_work_plan_price_of(run->plan, &task);
    US_TRY_ALLOC(run->past = us_calloc((size_t)models, sizeof *run->past));
    US_TRY(us_workers_new(run->device, s->data, &task, &workers));
    US_TRY(us_workers_run(workers, models, train_model, run));
    for (int i = 0; i < models; i++) {
        int number = us_scoring_own_number(s, i);
        US_TRY(us_settings_add_model(run->models, number / s->models_per_repeat,
                                     number % s->models_per_repeat, &run->past[i]));
    }
out:
    us_workers_free(workers);
    for (int i = 0; run->past && i < models; i++) {
        free(run->past[i].history);
        free(run->past[i].made_by);
    }
    free(run->past);
    return st;
}

enum unseen_status us_scoring_gather(const struct us_scoring *run)
{
    enum unseen_status st = UNSEEN_OK;
    bool seen_only = run->options->protocol == UNSEEN_SEEN;
    US_TRY(us_gather(run, seen_only ? US_SEEN_SIDE : US_UNSEEN_SIDE, "trajectory"));
    if (!seen_only && !run->subset)
        US_TRY(us_gather(run, US_SEEN_SIDE, "seen/trajectory"));
out:
    return st;
}

static enum unseen_status check_room(const struct us_scoring *run)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_room room = {0};
    US_TRY(us_room_add(run, &room));
    US_TRY(us_room_check(run->options->out, &room));
out:
    return st;
}

/* What was planned and what came of it, in scoring.json. */
static enum unseen_status note(const struct us_work_plan *plan, const char *out)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *root = NULL;
    char *path = us_format("%s/scoring.json", out);
    US_TRY_ALLOC(path);
    US_TRY(us_json_load(path, &root));
    if (us_work_plan_put(plan, root))
        st = us_fail(UNSEEN_FAILED, "memory", "cannot describe the run");
    else
        US_TRY(us_json_save(path, root));
out:
    json_decref(root);
    free(path);
    return st;
}

enum unseen_status unseen_record_trajectory(struct unseen_device *device, const struct unseen_dataset *data,
                                            const struct unseen_scoring_options *options)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_run_lock lock = {0};
    struct us_work_plan plan = us_work_plan_of(device, data);
    const struct us_scoring run = us_scoring_of(options, data, NULL);
    US_TRY(us_scoring_check(options, data));
    US_TRY(check_room(&run));
    US_TRY(us_run_lock(options->out, US_SCORING_KIND, us_scoring_files, &lock));
    US_TRY(us_scoring_plan(&run, &plan));
    US_TRY(us_work_plan_begin(&plan, &options->on_plan, "scoring"));
    US_TRY(us_record_subset(device, data, options, NULL, &plan));
    if (plan.told.epochs > 0)
        US_TRY(note(&plan, options->out));
out:
    us_work_plan_end(&plan);
    us_run_lock_end(&lock);
    return st;
}

enum unseen_status unseen_trajectory_plan(struct unseen_device *device, const struct unseen_dataset *data,
                                          const struct unseen_scoring_options *options,
                                          enum unseen_plan_by by, struct unseen_plan *told)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_work_plan plan = us_work_plan_of(device, data);
    const struct us_scoring run = us_scoring_of(options, data, NULL);
    US_TRY(us_scoring_check(options, data));
    US_TRY(us_scoring_plan(&run, &plan));
    US_TRY(us_work_plan_price(&plan, by));
    *told = plan.told;
out:
    us_work_plan_end(&plan);
    return st;
}

enum unseen_status us_record_subset(struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct unseen_scoring_options *options,
                                    const struct us_subset_run *subset, struct us_work_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_scoring_options o = *options;
    struct run run = {.scoring = us_scoring_of(&o, data, subset),
                      .device = device,
                      .plan = plan,
                      .progress = plan ? plan->progress : NULL};
    struct us_settings settings = {0};
    bool part = options->jobs > 1;
    US_TRY(us_scoring_check(options, data));
    US_TRY(check_room(&run.scoring));
    US_TRY(us_settings_open(device, data, options, subset, &settings));
    o.record_also = settings.record_also;
    if (settings.complete) {
        us_log(UNSEEN_LOG_INFO, "%s: the %s is there already", options->out, part ? "job" : "trajectory");
    } else {
        run.models = settings.models;
        US_TRY(us_scoring_split(&run.scoring));
        US_TRY(run_models(&run));
        US_TRY(part ? keep_labels(&run.scoring) : us_scoring_gather(&run.scoring));
        US_TRY(us_settings_complete(&settings));
    }
    if (!part)
        US_TRY(remove_work(options->out));
out:
    us_settings_close(&settings);
    free(run.scoring.fold);
    return st;
}
