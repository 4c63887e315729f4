#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "prune/coreset_run.h"

enum unseen_status us_step_left(const struct us_coreset_run *run, int t, struct us_step_work *work)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_step_scoring s;
    struct us_step step = {.coreset.n = run->budget[t]};
    *work = (struct us_step_work){0};
    US_TRY(us_step_scoring_begin(run, t, &s));
    if (run->in->out)
        US_TRY_ALLOC(step.folder = us_step_folder(run->in->out, t));
    const struct us_scoring scoring = us_scoring_of(&s.options, run->in->data, &s.subset);
    if (t > 0 || !run->in->scored)
        US_TRY(us_scoring_left(run->in->device, &scoring, &work->scoring));
    const struct us_coreset_eval eval = us_step_evaluation(run, &step);
    work->judges = us_coreset_eval_left(&eval);
out:
    us_step_end(&step);
    us_step_scoring_end(&s);
    return st;
}

/* What the workers of a step are for, of its scoring run and of its judges; the first has the recipe of the
 * scoring options, which it lives as long as, and the second `recipe`. */
struct tasks {
    struct us_workers_task scoring, judges;
    struct us_step_scoring of;
    struct unseen_recipe recipe;
};

static enum unseen_status find_tasks(const struct us_coreset_run *run, int t, struct tasks *tasks)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_step step = {.coreset.n = run->budget[t]};
    const struct us_coreset_eval eval = us_step_evaluation(run, &step);
    US_TRY(us_step_scoring_begin(run, t, &tasks->of));
    const struct us_scoring scoring = us_scoring_of(&tasks->of.options, run->in->data, &tasks->of.subset);
    tasks->recipe = us_coreset_eval_recipe(&run->options->scoring.recipe);
    tasks->scoring = us_scoring_task(&scoring);
    tasks->judges = us_coreset_eval_task(&eval, &tasks->recipe);
out:
    return st;
}

/* The coreset of step t: that on disk, or any of its size. */
static enum unseen_status foresee(struct us_coreset_run *run, int t, bool done)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_step step = {0};
    int64_t members = 0;
    if (done) {
        US_TRY(us_step_begin(run->in->out, t, &step));
        US_TRY(us_step_read(&step, run->n, run->scores, run->previous));
        goto out;
    }
    for (int64_t i = 0; i < run->n; i++) {
        run->previous[i] = !run->is_held_out[i] && members < run->budget[t];
        members += run->previous[i];
    }
out:
    us_step_end(&step);
    return st;
}

enum unseen_status us_coreset_run_plan(struct us_coreset_run *run)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_incremental nowhere = *run->in;
    struct us_coreset_run ahead = *run;
    bool known = true;
    nowhere.out = NULL;
    for (int t = 0; t < run->options->step.steps; t++) {
        const bool done = known && run->in->out && us_step_is_done(run->in->out, t);
        if (!done)
            US_TRY(us_step_left(&ahead, t, &run->planned[t]));
        us_coreset_run_remember(&ahead, t);
        US_TRY(foresee(&ahead, t, done));
        if (!done)
            ahead.in = &nowhere; /* what lies there is of other coresets than these */
        known = done;
    }
out:
    memset(run->previous, 0, (size_t)run->n);
    memset(run->ever, 0, (size_t)run->n);
    return st;
}

enum unseen_status us_coreset_run_replan(const struct us_coreset_run *run, int t)
{
    enum unseen_status st = UNSEEN_OK;
    struct tasks tasks = {0};
    struct us_step_work now;
    if (!run->in->plan)
        return UNSEEN_OK;
    US_TRY(find_tasks(run, t, &tasks));
    US_TRY(us_step_left(run, t, &now));
    us_work_plan_change(run->in->plan, &tasks.scoring, &run->planned[t].scoring, &now.scoring);
    us_work_plan_change(run->in->plan, &tasks.judges, &run->planned[t].judges, &now.judges);
out:
    us_step_scoring_end(&tasks.of);
    return st;
}

/* What a step adds to the plan of all. */
static enum unseen_status add_step(const struct us_coreset_run *run, int t)
{
    enum unseen_status st = UNSEEN_OK;
    struct tasks tasks = {0};
    US_TRY(find_tasks(run, t, &tasks));
    US_TRY(us_work_plan_add(run->in->plan, &tasks.scoring, &run->planned[t].scoring));
    US_TRY(us_work_plan_add(run->in->plan, &tasks.judges, &run->planned[t].judges));
out:
    us_step_scoring_end(&tasks.of);
    return st;
}

enum unseen_status us_incremental_plan(const struct us_incremental *in)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_coreset_run run;
    struct us_room room;
    US_TRY(us_coreset_run_begin(in, &run));
    if (in->out)
        US_TRY(us_steps_match(in));
    US_TRY(us_coreset_run_plan(&run));
    for (int t = 0; t < in->options->step.steps; t++)
        US_TRY(add_step(&run, t));
    US_TRY(us_coreset_run_room(&run, &room));
    us_work_plan_add_disk(in->plan, in->scored ? 0 : room.kept, room.work);
out:
    us_coreset_run_end(&run);
    return st;
}

/* Of the first scoring run, and of the run of a step, which models of all folds score more samples of the
 * smaller its coreset is. */
enum unseen_status us_coreset_run_room(const struct us_coreset_run *run, struct us_room *room)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_scoring_options step = run->options->scoring;
    int64_t members = 0;
    char *folder = run->in->out ? us_step_folder(run->in->out, 0) : NULL;
    uint8_t *role = us_calloc((size_t)run->n, 1);
    const struct us_subset_run subset = {.role = role};
    *room = (struct us_room){0};
    US_TRY_ALLOC(role);
    for (int64_t i = 0; i < run->n; i++)
        role[i] = run->is_held_out[i] ? US_SCORED_BY_ONE_MODEL : US_TRAINED_ON;
    const struct us_scoring first = us_scoring_of(&run->options->scoring, run->in->data, &subset);
    US_TRY(us_room_add(&first, room));
    for (int64_t i = 0; i < run->n; i++) {
        members += role[i] == US_TRAINED_ON;
        if (role[i] == US_TRAINED_ON && members > run->budget[0])
            role[i] = US_SCORED_BY_ALL_MODELS;
    }
    step.out = folder;
    const struct us_scoring later = us_scoring_of(&step, run->in->data, &subset);
    US_TRY(us_room_add(&later, room));
out:
    free(role);
    free(folder);
    return st;
}
