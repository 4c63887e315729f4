/* The scoring runs: which models train on what, and where each record lands in the trajectory. */
#include "config.h"

#include "unseen/prune.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/npy.h"
#include "base/progress.h"
#include "nn/crew.h"
#include "prune/folds.h"
#include "prune/settings.h"
#include "prune/trajectory.h"

void unseen_scoring_defaults(struct unseen_scoring_options *options)
{
    *options = (struct unseen_scoring_options){.protocol = UNSEEN_FOLD, .folds = 5, .repeats = 1};
    unseen_recipe_defaults(&options->recipe);
}

/* One call's state. */
struct run {
    const struct unseen_scoring_options *options;
    const struct unseen_dataset *data;
    int64_t n;
    int models_per_repeat;
    uint8_t *fold; /* [repeats][n]; NULL when seen */
    struct unseen_device *device;
    json_t *models;    /* histories, for scoring.json */
    struct past *past; /* [repeats * models_per_repeat] */
    struct us_progress *progress;
};

/* What has become of a model. */
struct past {
    struct unseen_epoch *history;
    int epochs;
    int64_t n_train;
};

/* One scoring model and the samples it is recorded on. */
struct model {
    struct run *run;
    int repeat, fold;
    int64_t *train, *heldout, *seen;
    int64_t n_train, n_heldout, n_seen;
    bool evaluates; /* the seen side comes from an evaluation pass */
    char *folder;
};

enum side { UNSEEN_SIDE, SEEN_SIDE };

static int epochs_recorded(const struct unseen_recipe *recipe)
{
    return recipe->stop_after > 0 ? recipe->stop_after : recipe->epochs;
}

static char *record_path(const struct model *m, enum side side, int epoch)
{
    return us_format("%s/%s-%04d.npy", m->folder, side == SEEN_SIDE ? "seen" : "heldout", epoch);
}

/* Write the columns of `record` that belong to `samples`; both are in ascending order. */
static enum unseen_status write_record(const struct model *m, enum side side, int epoch,
                                       const struct us_record *record, const int64_t *samples, int64_t n)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = record_path(m, side, epoch);
    float *values = us_calloc((size_t)n * UNSEEN_QUANTITIES, sizeof *values);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(values);
    int64_t column = 0;
    for (int64_t i = 0; i < n; i++) {
        while (record->samples[column] != samples[i])
            column++;
        for (int q = 0; q < UNSEEN_QUANTITIES; q++)
            values[q * n + i] = record->value[q * record->n + column];
    }
    US_TRY(us_npy_write(path, US_F32, 2, (int64_t[]){UNSEEN_QUANTITIES, n}, values));
out:
    free(values);
    free(path);
    return st;
}

static enum unseen_status keep_epoch(void *context, const struct unseen_epoch *epoch,
                                     const struct us_record *trained, const struct us_record *heldout,
                                     const struct us_record *probe)
{
    const struct model *m = context;
    enum unseen_status st = UNSEEN_OK;
    if (m->n_heldout)
        US_TRY(write_record(m, UNSEEN_SIDE, epoch->epoch, heldout, m->heldout, m->n_heldout));
    if (m->n_seen)
        US_TRY(write_record(m, SEEN_SIDE, epoch->epoch, m->evaluates ? probe : trained, m->seen, m->n_seen));
out:
    return st;
}

/* Which samples a model trains on, is held out from, and stands for on the seen side. */
static void assign(const struct run *run, struct model *m)
{
    const struct unseen_scoring_options *o = run->options;
    const uint8_t *fold = run->fold ? run->fold + (size_t)m->repeat * run->n : NULL;
    for (int64_t i = 0; i < run->n; i++) {
        bool trains = !fold || (o->protocol == UNSEEN_FOLD ? fold[i] != m->fold : fold[i] == m->fold);
        if (trains)
            m->train[m->n_train++] = i;
        else
            m->heldout[m->n_heldout++] = i;
        bool stands = o->protocol == UNSEEN_ONE_FOLD || !fold || (fold[i] + 1) % o->folds == m->fold;
        if (trains && stands)
            m->seen[m->n_seen++] = i;
    }
}

static void model_end(struct model *m)
{
    free(m->train);
    free(m->heldout);
    free(m->seen);
    free(m->folder);
    memset(m, 0, sizeof *m);
}

static enum unseen_status model_begin(struct run *run, int repeat, int fold, struct model *m)
{
    enum unseen_status st = UNSEEN_OK;
    *m = (struct model){.run = run, .repeat = repeat, .fold = fold};
    m->evaluates = run->options->record == UNSEEN_RECORD_EVAL;
    m->folder = us_format("%s/work/r%d-f%d", run->options->out, repeat, fold);
    m->train = us_calloc((size_t)run->n, sizeof *m->train);
    m->heldout = us_calloc((size_t)run->n, sizeof *m->heldout);
    m->seen = us_calloc((size_t)run->n, sizeof *m->seen);
    US_TRY_ALLOC(m->folder);
    US_TRY_ALLOC(m->train);
    US_TRY_ALLOC(m->heldout);
    US_TRY_ALLOC(m->seen);
    assign(run, m);
    US_TRY(us_make_folder(m->folder));
out:
    if (st)
        model_end(m);
    return st;
}

static int count_models(const struct run *run)
{
    return run->options->repeats * run->models_per_repeat;
}

/* Called by several threads at once, for different models. */
static enum unseen_status train_model(void *context, int number, struct us_trainer *trainer)
{
    enum unseen_status st = UNSEEN_OK;
    struct run *run = context;
    const struct unseen_scoring_options *o = run->options;
    struct past *past = &run->past[number];
    struct model model, *m = &model;
    char *state = NULL, *title = NULL;
    US_TRY(model_begin(run, number / run->models_per_repeat, number % run->models_per_repeat, m));
    state = us_format("%s/state.safetensors", m->folder);
    title = us_format("model %d/%d", number + 1, count_models(run));
    US_TRY_ALLOC(state);
    US_TRY_ALLOC(title);
    struct us_train_job job = {
        .recipe = &o->recipe,
        .seed = o->seed,
        .model = (uint32_t)number,
        .train = m->train,
        .n_train = m->n_train,
        .heldout = m->heldout,
        .n_heldout = m->n_heldout,
        .probe = m->seen,
        .n_probe = m->evaluates ? m->n_seen : 0,
        .state = state,
        .title = title,
        .whole = run->progress,
        .on_epoch = keep_epoch,
        .context = m,
    };
    past->n_train = m->n_train;
    US_TRY(us_train(trainer, &job, &past->history, &past->epochs));
out:
    model_end(m);
    free(title);
    free(state);
    return st;
}

/* The repeat of the trajectory that a model's record of sample i belongs to. */
static int destination(const struct run *run, const struct model *m, enum side side, int64_t i)
{
    const struct unseen_scoring_options *o = run->options;
    if (o->protocol != UNSEEN_ONE_FOLD || side == SEEN_SIDE)
        return m->repeat;
    int own = run->fold[(size_t)m->repeat * run->n + i];
    return m->repeat * (o->folds - 1) + (m->fold - own - 1 + o->folds) % o->folds;
}

static enum unseen_status gather_epoch(const struct run *run, const struct model *m, enum side side,
                                       int epoch, struct us_trajectory_build *build)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_npy array = {0};
    const int64_t *samples = side == SEEN_SIDE ? m->seen : m->heldout;
    int64_t n = side == SEEN_SIDE ? m->n_seen : m->n_heldout;
    char *path = record_path(m, side, epoch);
    US_TRY_ALLOC(path);
    US_TRY(us_npy_open_as(path, US_F32, 2, &array));
    if (array.shape[0] != UNSEEN_QUANTITIES || array.shape[1] != n) {
        st = us_fail(UNSEEN_BAD_DATA, path, "not a record of this run");
        us_hint("remove the folder of this file and run the same command again");
        goto out;
    }
    const float *values = array.data;
    for (int64_t i = 0; i < n; i++) {
        int repeat = destination(run, m, side, samples[i]);
        size_t at = ((size_t)repeat * build->view.epochs + epoch) * run->n + samples[i];
        for (int q = 0; q < UNSEEN_CORRECT; q++)
            build->value[q][at] = values[q * n + i];
        build->correct[at] = values[UNSEEN_CORRECT * n + i] > 0.5f;
        if (build->fold)
            build->fold[(size_t)repeat * run->n + samples[i]] = (uint8_t)m->fold;
    }
out:
    us_npy_close(&array);
    free(path);
    return st;
}

/* Put the records of all models together and write one trajectory. */
static enum unseen_status gather(struct run *run, enum side side, const char *name)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_scoring_options *o = run->options;
    struct us_trajectory_build *build = NULL;
    struct model m = {0};
    bool unseen = side == UNSEEN_SIDE;
    int repeats = unseen && o->protocol == UNSEEN_ONE_FOLD ? o->repeats * (o->folds - 1) : o->repeats;
    int epochs = epochs_recorded(&o->recipe);
    char *folder = us_format("%s/%s", o->out, name);
    US_TRY_ALLOC(folder);
    US_TRY(us_trajectory_new(unseen ? o->protocol : UNSEEN_SEEN, run->n, repeats, epochs, run->data->classes,
                             unseen ? o->folds : 0, &build));
    build->evaluated = side == UNSEEN_SIDE || o->record == UNSEEN_RECORD_EVAL;
    for (int64_t i = 0; i < run->n; i++)
        build->labels[i] = run->data->split[UNSEEN_TRAIN].labels[i];
    for (int r = 0; r < o->repeats; r++) {
        for (int f = 0; f < run->models_per_repeat; f++) {
            US_TRY(model_begin(run, r, f, &m));
            for (int e = 0; e < epochs; e++)
                US_TRY(gather_epoch(run, &m, side, e, build));
            model_end(&m);
        }
    }
    US_TRY(us_trajectory_write(build, folder));
out:
    model_end(&m);
    us_trajectory_free(build);
    free(folder);
    return st;
}

/* The finished models' states and records are in the trajectory now. */
static enum unseen_status remove_work(const char *out)
{
    char *work = us_format("%s/work", out);
    enum unseen_status st = work ? us_remove_folder(work) : UNSEEN_FAILED;
    free(work);
    return st;
}

static enum unseen_status split(struct run *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_scoring_options *o = run->options;
    if (o->protocol == UNSEEN_SEEN)
        return UNSEEN_OK;
    run->models_per_repeat = o->folds;
    run->fold = us_calloc((size_t)run->n * o->repeats, 1);
    US_TRY_ALLOC(run->fold);
    for (int r = 0; r < o->repeats; r++)
        US_TRY(us_folds(run->data->split[UNSEEN_TRAIN].labels, run->n, run->data->classes, o->folds, o->seed,
                        r, run->fold + (size_t)r * run->n));
out:
    return st;
}

static enum unseen_status check(const struct unseen_scoring_options *o, const struct unseen_dataset *data)
{
    if (o->repeats < 1 || o->repeats > 1000)
        return us_fail(UNSEEN_USAGE, "--repeats", "%d is not in 1..1000", o->repeats);
    if (o->protocol != UNSEEN_SEEN && (o->folds < 2 || o->folds > 255))
        return us_fail(UNSEEN_USAGE, "--folds", "%d is not in 2..255", o->folds);
    if (data->split[UNSEEN_TRAIN].n == 0)
        return us_fail(UNSEEN_BAD_DATA, data->location, "has no training samples");
    return unseen_recipe_check(&o->recipe);
}

/* Images that go through the models' passes: training, held-out fold and, if it is evaluated, the seen side.
 */
static uint64_t count_images(const struct run *run)
{
    const struct unseen_scoring_options *o = run->options;
    uint64_t passes = (uint64_t)run->models_per_repeat + (o->record == UNSEEN_RECORD_EVAL);
    return passes * (uint64_t)run->n * (uint64_t)o->repeats * (uint64_t)epochs_recorded(&o->recipe);
}

static enum unseen_status run_models(struct run *run)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_crew *crew = NULL;
    const struct unseen_scoring_options *o = run->options;
    int models = count_models(run);
    int64_t steps = run->n / o->recipe.batch * epochs_recorded(&o->recipe);
    US_TRY_ALLOC(run->past = us_calloc((size_t)models, sizeof *run->past));
    US_TRY(us_crew_new(run->device, run->data, &o->recipe, o->concurrent, models, steps, &crew));
    run->progress = us_progress_begin("scoring", "images", count_images(run));
    US_TRY(us_crew_run(crew, models, train_model, run));
    for (int i = 0; i < models; i++)
        US_TRY(us_settings_add_model(run->models, i / run->models_per_repeat, i % run->models_per_repeat,
                                     run->past[i].n_train, run->past[i].history, run->past[i].epochs));
out:
    us_progress_end(run->progress);
    us_crew_free(crew);
    for (int i = 0; run->past && i < models; i++)
        free(run->past[i].history);
    free(run->past);
    return st;
}

static enum unseen_status write_trajectories(struct run *run)
{
    enum unseen_status st = UNSEEN_OK;
    bool seen_only = run->options->protocol == UNSEEN_SEEN;
    US_TRY(gather(run, seen_only ? SEEN_SIDE : UNSEEN_SIDE, "trajectory"));
    if (!seen_only)
        US_TRY(gather(run, SEEN_SIDE, "seen/trajectory"));
out:
    return st;
}

enum unseen_status unseen_record_trajectory(struct unseen_device *device, const struct unseen_dataset *data,
                                            const struct unseen_scoring_options *options)
{
    enum unseen_status st = UNSEEN_OK;
    struct run run = {.options = options,
                      .data = data,
                      .n = data->split[UNSEEN_TRAIN].n,
                      .models_per_repeat = 1,
                      .device = device};
    struct us_settings settings = {0};
    US_TRY(check(options, data));
    US_TRY(us_settings_open(device, data, options, &settings));
    if (settings.complete) {
        us_log(UNSEEN_LOG_INFO, "%s: the trajectory is there already", options->out);
    } else {
        run.models = settings.models;
        US_TRY(split(&run));
        US_TRY(run_models(&run));
        US_TRY(write_trajectories(&run));
        US_TRY(us_settings_complete(&settings));
    }
    US_TRY(remove_work(options->out));
out:
    us_settings_close(&settings);
    free(run.fold);
    return st;
}
