#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/output.h"
#include "base/usable.h"
#include "nn/history.h"
#include "nn/outlook.h"
#include "nn/run_json.h"
#include "nn/sampler.h"
#include "nn/session.h"
#include "plan/work_plan.h"

/* The files of a run's folder. */
struct places {
    char *state, *weights, *history, *run;
};

static enum unseen_status name_places(const char *folder, struct places *places)
{
    const struct {
        const char *name;
        char **path;
    } all[] = {{"state.safetensors", &places->state},
               {"model.safetensors", &places->weights},
               {"history.csv", &places->history},
               {"run.json", &places->run}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        *all[i].path = us_format("%s/%s", folder, all[i].name);
        if (!*all[i].path)
            return UNSEEN_FAILED;
    }
    return UNSEEN_OK;
}

static void free_places(struct places *places)
{
    free(places->state);
    free(places->weights);
    free(places->history);
    free(places->run);
}

/* The samples to train on: the subset, or all. Fresh memory. */
static enum unseen_status choose_samples(const struct unseen_dataset *data,
                                         const struct unseen_train_options *options, int64_t **samples,
                                         int64_t *n)
{
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    *n = options->subset ? options->n_subset : us_usable(train);
    if (*n < 1)
        return us_fail(UNSEEN_USAGE, "--subset", "there are no samples to train on");
    for (int64_t k = 0; k < options->n_subset; k++) {
        const int64_t i = options->subset[k];
        if (i >= 0 && i < train->n && !us_is_usable(train, i))
            return us_fail(UNSEEN_USAGE, "--subset",
                           "sample %lld, %s, is a bad image, which --on-bad skip leaves out", (long long)i,
                           train->paths[i]);
    }
    *samples = us_calloc((size_t)*n, sizeof **samples);
    if (!*samples)
        return UNSEEN_FAILED;
    if (options->subset)
        memcpy(*samples, options->subset, (size_t)*n * sizeof **samples);
    else
        us_list_usable(train, *n, *samples);
    return UNSEEN_OK;
}

/* null for what was not measured: JSON has no NaN. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static enum unseen_status write_run(const char *path, struct unseen_device *device,
                                    const struct unseen_dataset *data,
                                    const struct unseen_train_options *options,
                                    const struct us_work_plan *plan, int64_t n,
                                    const struct unseen_epoch *history, int epochs)
{
    const struct unseen_epoch *last = &history[epochs - 1];
    double seconds = 0, images = 0;
    for (int e = 0; e < epochs; e++) {
        seconds += history[e].seconds;
        images += history[e].images;
    }
    json_t *run = us_run_json(options->command, options->seed, device, data, us_train_options, options);
    if (!run)
        return UNSEEN_FAILED;
    bool bad = json_object_set_new(run, "n", json_integer(n)) ||
               json_object_set_new(run, "images", json_integer((json_int_t)images)) ||
               json_object_set_new(run, "train_loss", number(last->train_loss)) ||
               json_object_set_new(run, "train_accuracy", number(last->train_accuracy));
    if (us_usable(&data->split[UNSEEN_TEST]) > 0)
        bad = bad || json_object_set_new(run, "test_loss", number(last->test_loss)) ||
              json_object_set_new(run, "test_accuracy", number(last->test_accuracy));
    if (options->views != UNSEEN_VIEWS_NONE)
        bad = bad || json_object_set_new(run, "views_loss", number(last->views_loss)) ||
              json_object_set_new(run, "views_accuracy", number(last->views_accuracy));
    bad = bad || json_object_set_new(run, "seconds", number(seconds)) || us_work_plan_put(plan, run);
    enum unseen_status st =
        bad ? us_fail(UNSEEN_FAILED, "memory", "cannot describe the run") : us_json_save(path, run);
    json_decref(run);
    return st;
}

static const char *const files[] = {"state.safetensors", "model.safetensors", "history.csv", "run.json",
                                    NULL};

static struct us_train_job job_of(const struct unseen_dataset *data,
                                  const struct unseen_train_options *options, const int64_t *samples,
                                  int64_t n, const char *state)
{
    return (struct us_train_job){.recipe = &options->recipe,
                                 .sampler = &options->sampler,
                                 .seed = options->seed,
                                 .train = samples,
                                 .n_train = n,
                                 .test = us_usable(&data->split[UNSEEN_TEST]) > 0,
                                 .views = options->views,
                                 .state = state,
                                 .title = "train"};
}

static struct us_workers_task task_of(const struct us_train_job *job)
{
    return (struct us_workers_task){.recipe = job->recipe, .wanted = 1, .models = 1, .least = job->n_train};
}

static enum unseen_status plan_job(struct us_work_plan *plan, const struct us_train_job *job)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_shape_outlook shape;
    const struct us_workers_task task = task_of(job);
    const struct us_work work = us_train_left(plan->data, job);
    const int size = us_input_size(job->recipe, plan->data, US_EVALUATION);
    const struct us_model_spec spec = us_spec_of(job->recipe, plan->data, size);
    US_TRY(us_recipe_check_on(job->recipe, plan->data));
    US_TRY(us_sampler_check_on(job->sampler, job->n_train));
    US_TRY(us_work_plan_add(plan, &task, &work));
    US_TRY(us_shape_outlook(&spec, &shape));
    us_work_plan_add_disk(plan, (shape.state + shape.parameters) * (int64_t)sizeof(float), 0);
out:
    return st;
}

static enum unseen_status check(const struct unseen_device *device, const struct unseen_dataset *data,
                                const struct unseen_train_options *options)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_device_alone(device, "training one model"));
    US_TRY(unseen_recipe_check(&options->recipe));
    US_TRY(unseen_sampler_check(&options->sampler));
    US_TRY(us_options_check(us_train_options, options));
    if (options->views != UNSEEN_VIEWS_NONE && us_usable(&data->split[UNSEEN_TEST]) == 0) {
        st = us_fail(UNSEEN_USAGE, "--views", "the dataset has no test split, whose images they would be of");
        us_hint("--test-share sets a share of the images aside");
    }
out:
    return st;
}

enum unseen_status unseen_train(struct unseen_device *device, const struct unseen_dataset *data,
                                const struct unseen_train_options *options, struct unseen_epoch **history,
                                int *epochs)
{
    enum unseen_status st = UNSEEN_OK;
    struct places places = {0};
    struct us_run_lock lock = {0};
    struct us_work_plan plan = us_work_plan_of(device, data);
    struct us_train_job job;
    struct us_session *session = NULL;
    struct unseen_epoch *done = NULL;
    int64_t *samples = NULL, n;
    int n_done = 0;
    US_TRY(check(device, data, options));
    US_TRY(choose_samples(data, options, &samples, &n));
    US_TRY(us_run_lock(options->out, "training", files, &lock));
    US_TRY(name_places(options->out, &places));
    if (us_exists(places.run) && !us_exists(places.state)) {
        st = us_fail(UNSEEN_USAGE, "--out", "%s holds another run", options->out);
        us_hint("choose another folder");
        goto out;
    }
    job = job_of(data, options, samples, n, places.state);
    US_TRY(plan_job(&plan, &job));
    US_TRY(us_work_plan_begin(&plan, &options->on_plan, "train"));
    job.init = options->init;
    job.save = places.weights;
    job.whole = plan.progress;
    const struct us_workers_task task = task_of(&job);
    job.price = us_work_plan_price_of(&plan, &task);
    US_TRY(us_session_new(device, data, &options->recipe, &session));
    US_TRY(us_train(session, &job, &done, &n_done));
    US_TRY(us_history_write(places.history, done, n_done));
    US_TRY(write_run(places.run, device, data, options, &plan, n, done, n_done));
    if (history) {
        *history = done;
        *epochs = n_done;
        done = NULL;
    }
out:
    us_work_plan_end(&plan);
    us_session_free(session);
    us_run_lock_end(&lock);
    free_places(&places);
    free(samples);
    free(done);
    return st;
}

enum unseen_status unseen_train_plan(struct unseen_device *device, const struct unseen_dataset *data,
                                     const struct unseen_train_options *options, enum unseen_plan_by by,
                                     struct unseen_plan *told)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_work_plan plan = us_work_plan_of(device, data);
    int64_t *samples = NULL, n;
    char *state = NULL;
    US_TRY(check(device, data, options));
    US_TRY(choose_samples(data, options, &samples, &n));
    if (options->out)
        US_TRY_ALLOC(state = us_format("%s/state.safetensors", options->out));
    const struct us_train_job job = job_of(data, options, samples, n, state);
    US_TRY(plan_job(&plan, &job));
    US_TRY(us_work_plan_price(&plan, by));
    *told = plan.told;
out:
    us_work_plan_end(&plan);
    free(state);
    free(samples);
    return st;
}
