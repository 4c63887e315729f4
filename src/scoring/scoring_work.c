/* What a scoring run has to do, and what of it is left. */
#include "config.h"

#include <stdlib.h>

#include "base/fs.h"
#include "nn/work.h"
#include "scoring/room.h"
#include "scoring/scoring_json.h"
#include "scoring/scoring_model.h"

struct us_train_job us_scoring_job(const struct us_scoring_model *m, const struct us_observer *observer)
{
    const struct unseen_scoring_options *o = m->run->options;
    return (struct us_train_job){.recipe = &o->recipe,
                                 .seed = o->seed,
                                 .train = m->train,
                                 .n_train = m->n_train,
                                 .heldout = m->heldout,
                                 .n_heldout = m->n_heldout,
                                 .probe = m->seen,
                                 .n_probe = m->evaluates ? m->n_seen : 0,
                                 .state = m->state,
                                 .observer = observer};
}

int64_t us_gradients_left(const struct us_scoring_model *m, enum us_side side)
{
    int64_t n;
    us_side_samples(m, side, &n);
    if (!us_scoring_records(m->run, UNSEEN_GRADIENT_NORM))
        return 0;
    char *path = m->folder ? us_record_path(m, side, "gradient", us_scoring_epochs(m->run) - 1) : NULL;
    n = path && us_exists(path) ? 0 : n;
    free(path);
    return n;
}

/* Samples that models train on. */
static int64_t count_members(const struct us_scoring *run)
{
    int64_t members = 0;
    if (!run->subset)
        return run->n;
    for (int64_t i = 0; i < run->n; i++)
        members += run->subset->role[i] == US_TRAINED_ON;
    return members;
}

/* Samples that a model trains on at least; folds that keep duplicates together may be half as large as
 * others. */
static int64_t least_trained(const struct us_scoring *run)
{
    const int64_t members = count_members(run);
    switch (run->options->protocol) {
    case UNSEEN_SEEN:
        return members;
    case UNSEEN_FOLD:
        return members / 2;
    default:
        return members / (2 * run->options->folds);
    }
}

struct us_workers_task us_scoring_task(const struct us_scoring *run)
{
    const struct unseen_scoring_options *o = run->options;
    return (struct us_workers_task){.recipe = &o->recipe,
                                    .wanted = o->concurrent,
                                    .models = us_scoring_own(run),
                                    .steps = count_members(run) / o->recipe.batch * us_scoring_epochs(run),
                                    .least = least_trained(run),
                                    .see = us_recorder_sees(run),
                                    .gradients = us_scoring_records(run, UNSEEN_GRADIENT_NORM)};
}

/* Of one model. */
static enum unseen_status left_of_model(const struct us_scoring *run, int number, struct us_work *work)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_scoring_model m;
    US_TRY(
        us_scoring_model_assign(run, number / run->models_per_repeat, number % run->models_per_repeat, &m));
    const struct us_observer observer = us_recorder_observer(&m);
    const struct us_train_job job = us_scoring_job(&m, &observer);
    *work = us_train_left(run->data, &job);
    work->gradients = us_gradients_left(&m, US_UNSEEN_SIDE) + us_gradients_left(&m, US_SEEN_SIDE);
out:
    us_scoring_model_end(&m);
    return st;
}

enum unseen_status us_scoring_left(const struct unseen_device *device, const struct us_scoring *run,
                                   struct us_work *work)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_scoring_options options = *run->options;
    struct us_scoring now = *run;
    struct us_found found;
    struct us_work model;
    *work = (struct us_work){0};
    now.fold = NULL;
    US_TRY(us_settings_look(device, run->data, run->options, run->subset, &found));
    if (found.complete)
        goto out;
    options.record_also = found.record_also;
    options.out = found.begun ? options.out : NULL;
    now.options = &options;
    US_TRY(us_scoring_split(&now));
    for (int i = 0; i < us_scoring_own(&now); i++) {
        US_TRY(left_of_model(&now, us_scoring_own_number(&now, i), &model));
        us_work_add(work, &model);
    }
out:
    free(now.fold);
    return st;
}

enum unseen_status us_scoring_plan(const struct us_scoring *run, struct us_work_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_work work;
    struct us_room room = {0};
    const struct us_workers_task task = us_scoring_task(run);
    US_TRY(us_scoring_left(plan->device, run, &work));
    US_TRY(us_work_plan_add(plan, &task, &work));
    US_TRY(us_room_add(run, &room));
    us_work_plan_add_disk(plan, room.kept, room.work);
out:
    return st;
}
