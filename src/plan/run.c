#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/output.h"
#include "base/usable.h"
#include "nn/history.h"
#include "nn/run_json.h"
#include "plan/plan.h"

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
                                    const struct unseen_train_options *options, const struct us_plan *plan,
                                    int64_t n, const struct unseen_epoch *history, int epochs)
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
    bad = bad || json_object_set_new(run, "seconds", number(seconds)) || us_plan_put(plan, run);
    enum unseen_status st =
        bad ? us_fail(UNSEEN_FAILED, "memory", "cannot describe the run") : us_json_save(path, run);
    json_decref(run);
    return st;
}

static const char *const files[] = {"state.safetensors", "model.safetensors", "history.csv", "run.json",
                                    NULL};

enum unseen_status unseen_train(struct unseen_device *device, const struct unseen_dataset *data,
                                const struct unseen_train_options *options, struct unseen_epoch **history,
                                int *epochs)
{
    enum unseen_status st = UNSEEN_OK;
    struct places places = {0};
    struct us_run_lock lock = {0};
    struct us_plan plan = {0};
    struct us_session *session = NULL;
    struct unseen_epoch *done = NULL;
    int64_t *samples = NULL, n;
    int n_done = 0;
    US_TRY(us_device_alone(device, "training one model"));
    US_TRY(unseen_recipe_check(&options->recipe));
    US_TRY(unseen_sampler_check(&options->sampler));
    US_TRY(choose_samples(data, options, &samples, &n));
    US_TRY(us_run_lock(options->out, "training", files, &lock));
    US_TRY(name_places(options->out, &places));
    if (us_exists(places.run) && !us_exists(places.state)) {
        st = us_fail(UNSEEN_USAGE, "--out", "%s holds another run", options->out);
        us_hint("choose another folder");
        goto out;
    }
    US_TRY(us_session_new(device, data, &options->recipe, &session));
    struct us_train_job job = {.recipe = &options->recipe,
                               .sampler = &options->sampler,
                               .seed = options->seed,
                               .train = samples,
                               .n_train = n,
                               .test = us_usable(&data->split[UNSEEN_TEST]) > 0,
                               .init = options->init,
                               .state = places.state,
                               .title = "train",
                               .save = places.weights};
    const struct us_work work = us_train_left(data, &job);
    us_plan_add(&plan, &work);
    us_plan_begin(&plan, "train");
    job.whole = plan.progress;
    US_TRY(us_train(session, &job, &done, &n_done));
    US_TRY(us_history_write(places.history, done, n_done));
    US_TRY(write_run(places.run, device, data, options, &plan, n, done, n_done));
    if (history) {
        *history = done;
        *epochs = n_done;
        done = NULL;
    }
out:
    us_plan_end(&plan);
    us_session_free(session);
    us_run_lock_end(&lock);
    free_places(&places);
    free(samples);
    free(done);
    return st;
}
