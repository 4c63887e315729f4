#include "config.h"

#include <string.h>

#include "prune/coreset_run.h"

enum unseen_status us_step_left(const struct us_coreset_run *run, int t, struct us_work *work)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_step_scoring s;
    struct us_step step = {.coreset.n = run->budget[t]};
    *work = (struct us_work){0};
    US_TRY(us_step_scoring_begin(run, t, &s));
    if (run->in->out)
        US_TRY_ALLOC(step.folder = us_step_folder(run->in->out, t));
    const struct us_scoring scoring = us_scoring_of(&s.options, run->in->data, &s.subset);
    if (t > 0 || !run->in->scored)
        US_TRY(us_scoring_left(run->in->device, &scoring, work));
    const struct us_coreset_eval eval = us_step_evaluation(run, &step);
    const struct us_work judges = us_coreset_eval_left(&eval);
    us_work_add(work, &judges);
out:
    us_step_end(&step);
    us_step_scoring_end(&s);
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

enum unseen_status us_incremental_left(const struct us_incremental *in, struct us_work *work)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_coreset_run run;
    *work = (struct us_work){0};
    US_TRY(us_coreset_run_begin(in, &run));
    if (in->out)
        US_TRY(us_steps_match(in));
    US_TRY(us_coreset_run_plan(&run));
    for (int t = 0; t < in->options->step.steps; t++)
        us_work_add(work, &run.planned[t]);
out:
    us_coreset_run_end(&run);
    return st;
}
