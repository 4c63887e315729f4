#include "config.h"

#include "prune/incremental.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/usable.h"
#include "nn/train.h"
#include "prune/coreset_eval.h"
#include "prune/coreset_run.h"
#include "prune/coreset_update.h"
#include "prune/noise_rate.h"
#include "prune/prune_options.h"
#include "score/score_function.h"
#include "scoring/scoring_model.h"
#include "select/rule.h"
#include "trajectory/trajectory.h"

/* ---- before and after ---- */

/* The models of every step, and those that evaluate a coreset: what they train by and have to serve. */
static enum unseen_status check_models(const struct unseen_dataset *data,
                                       const struct unseen_prune_options *options)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_recipe evaluation = us_coreset_eval_recipe(&options->scoring.recipe);
    for (int t = 0; t < 2; t++) {
        const struct unseen_scoring_options scoring = us_step_scoring_options(options, t);
        if ((st = us_scoring_check(&scoring, data)) && t == 1)
            us_hint("from the second step on models train for --step-epochs %d", scoring.recipe.epochs);
        US_TRY(st);
        US_TRY(us_select_inputs_check(options->metric, &options->score, options->cut,
                                      us_recipe_epochs(&scoring.recipe), true));
    }
    if ((st = us_recipe_check_on(&evaluation, data)))
        us_hint("the models that judge a coreset have a schedule of --stop-after %d epochs",
                evaluation.epochs);
out:
    return st;
}

static enum unseen_status check_choice(const struct unseen_dataset *data,
                                       const struct unseen_prune_options *options)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_select_check(options->rule, &options->select, us_usable(&data->split[UNSEEN_TRAIN]),
                           data->classes));
    if (unseen_rule_needs_features(options->rule)) {
        us_fail(UNSEEN_USAGE, "--rule",
                "%s compares features, which models of several steps have not in common", options->rule);
        us_hint("the rules that choose by scores work with --steps");
        return UNSEEN_USAGE;
    }
    US_TRY(check_models(data, options));
out:
    return st;
}

enum unseen_status us_incremental_check(const struct unseen_dataset *data,
                                        const struct unseen_prune_options *options)
{
    const struct unseen_step_options *o = &options->step;
    int64_t n = us_usable(&data->split[UNSEEN_TRAIN]);
    enum unseen_status st = us_options_check(us_step_options, o);
    if (st || o->steps == 1)
        return st;
    if (o->grow > o->steps)
        return us_fail(UNSEEN_USAGE, "--grow", "%d is not in 1..%d, the steps", o->grow, o->steps);
    if (llround(o->hold_out * (double)n) < 1)
        return us_fail(UNSEEN_USAGE, "--hold-out", "%g of %" PRId64 " samples is nothing", o->hold_out, n);
    if (llround(options->select.keep * (double)n) > n - llround(o->hold_out * (double)n)) {
        us_fail(UNSEEN_USAGE, "--keep", "%g is more than --hold-out %g leaves", options->select.keep,
                o->hold_out);
        us_hint("no coreset holds a sample of the part held out");
        return UNSEEN_USAGE;
    }
    if (options->scoring.protocol != UNSEEN_FOLD)
        return us_fail(UNSEEN_USAGE, "--protocol", "steps score by fold, not %s",
                       unseen_protocol_name(options->scoring.protocol));
    return check_choice(data, options);
}

static enum unseen_status write_heldout(const struct us_coreset_run *run)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = us_format("%s/heldout.npy", run->in->out);
    US_TRY_ALLOC(path);
    US_TRY(us_npy_write(path, US_I64, 1, &run->heldout.n, run->heldout.item));
out:
    free(path);
    return st;
}

void us_incremental_end(struct us_incremental_result *result)
{
    free(result->keep);
    free(result->scores);
    json_decref(result->steps);
    *result = (struct us_incremental_result){0};
}

/* ---- a step ---- */

static enum unseen_status score(struct us_coreset_run *run, int t)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_step_scoring s;
    US_TRY(us_step_scoring_begin(run, t, &s));
    if (s.to)
        US_TRY(us_make_folder(s.to));
    US_TRY(us_record_subset(run->in->device, run->in->data, &s.options, &s.subset, run->in->plan));
out:
    us_step_scoring_end(&s);
    return st;
}

/* The first scoring run tells how many labels are wrong: coresets are no sample of all. */
static enum unseen_status estimate_noise_rate(struct us_coreset_run *run)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *first = NULL;
    if (!isnan(run->noise_rate))
        return UNSEEN_OK;
    char *path = us_format("%s/trajectory", run->options->scoring.out);
    US_TRY_ALLOC(path);
    US_TRY(us_trajectory_open(path, US_WRONG_SHARE_READS, &first));
    US_TRY(us_noise_rate(first, us_score_epochs(&run->options->score, first->epochs), &run->noise_rate));
out:
    unseen_trajectory_close(first);
    free(path);
    return st;
}

static enum unseen_status choose_key(struct us_coreset_run *run)
{
    memcpy(run->key, run->scores, (size_t)run->n * sizeof *run->key);
    if (!run->options->step.average)
        return UNSEEN_OK;
    return us_average_ranks(run->rank_sum, run->rank_count, run->n, run->key);
}

/* Choose; the files that say so come before the evaluation. `scored`: the folder of the scoring run. */
static enum unseen_status choose(struct us_coreset_run *run, int t, const char *scored)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_prune_options *o = run->options;
    struct us_select_inputs inputs = {0};
    struct unseen_select_options select = run->select;
    char *trajectory = us_format("%s/trajectory", scored);
    US_TRY_ALLOC(trajectory);
    US_TRY(us_select_inputs_read(trajectory, o->metric, &o->score, o->cut,
                                 us_select_inputs_of(o->rule, &select) & ~US_SELECT_INPUTS_NOISE_RATE,
                                 &inputs));
    memcpy(run->scores, inputs.scores, (size_t)run->n * sizeof *run->scores);
    US_TRY(choose_key(run));
    us_select_inputs_apply(&inputs, &select);
    select.leave_out = NULL; /* they count as held out */
    US_TRY(estimate_noise_rate(run));
    select.noise_rate = run->noise_rate;
    /* The cut-off is that of the final ratio, select.keep, also where this step refills less. It leaves at
     * least keep * n of the samples that are not held out, so that each one cut can be replaced. */
    const int64_t usable = us_usable(run->train);
    double most = 1 - select.keep * (double)usable / (double)(usable - run->heldout.n);
    select.cutoff = fmax(0, fmin(us_cutoff(&select), most));
    select.seed = run->select.seed + ((uint64_t)t << 32);
    const struct us_coreset_update update = {.n = run->n,
                                             .classes = run->in->data->classes,
                                             .labels = run->train->labels,
                                             .scores = run->key,
                                             .held_out = run->is_held_out,
                                             .previous = run->previous,
                                             .m = run->budget[t],
                                             .evict = o->step.evict,
                                             .rule = o->rule,
                                             .select = &select};
    US_TRY(us_coreset_update(&update, run->current));
    US_TRY(us_step_set(&run->step, run->previous, run->current, run->n));
    run->step.cutoff = select.cutoff;
    US_TRY(us_step_write(&run->step, run->scores, run->n));
out:
    us_select_inputs_end(&inputs);
    free(trajectory);
    return st;
}

static enum unseen_status evaluate(struct us_coreset_run *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_coreset_eval eval = us_step_evaluation(run, &run->step);
    US_TRY(us_coreset_eval(&eval, &run->step.result));
    US_TRY(us_step_finish(&run->step, run->in->data));
    us_coreset_eval_clear(&eval);
out:
    return st;
}

static enum unseen_status run_step(struct us_coreset_run *run, int t)
{
    enum unseen_status st = UNSEEN_OK;
    char *scored = t > 0 ? us_step_folder(run->in->out, t - 1) : us_format("%s", run->options->scoring.out);
    const bool done = us_step_is_done(run->in->out, t);
    US_TRY_ALLOC(scored);
    US_TRY(us_step_begin(run->in->out, t, &run->step));
    if (done) {
        US_TRY(us_step_read(&run->step, run->n, run->scores, run->current));
        US_TRY(choose_key(run));
    } else {
        US_TRY(us_coreset_run_replan(run, t));
        US_TRY(score(run, t));
        US_TRY(choose(run, t, scored));
        US_TRY(evaluate(run));
    }
    us_coreset_run_remember(run, t);
    US_TRY(us_add_ranks(run->scores, run->previous, run->n, run->rank_sum, run->rank_count));
    /* What the step chose by is in its scores now. */
    if (t > 0)
        US_TRY(us_step_forget_scoring(scored));
    us_log(UNSEEN_LOG_INFO,
           "step %d/%d: %" PRId64 " samples, %" PRId64 " of them new; %.2f %% on the part "
           "held out",
           t + 1, run->options->step.steps, run->step.coreset.n, run->step.refilled,
           100 * us_eval_accuracy(&run->step.result));
out:
    free(scored);
    return st;
}

/* The best so far of those of full size, of equals the first. */
static enum unseen_status take(struct us_coreset_run *run, int t, struct us_incremental_result *result)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_step *step = &run->step;
    bool full = step->coreset.n == run->budget[run->options->step.steps - 1];
    if (json_array_append(result->steps, step->quality))
        return us_fail(UNSEEN_FAILED, "memory", "cannot describe the steps");
    double accuracy = us_eval_accuracy(&step->result);
    if (!full || (result->keep && accuracy <= result->accuracy))
        return UNSEEN_OK;
    if (!result->scores)
        US_TRY_ALLOC(result->scores = us_calloc((size_t)run->n, sizeof *result->scores));
    memcpy(result->scores, run->key, (size_t)run->n * sizeof *result->scores);
    free(result->keep);
    result->keep = step->coreset.item;
    result->m = step->coreset.n;
    result->step = t + 1;
    result->accuracy = accuracy;
    step->coreset.item = NULL;
out:
    return st;
}

static enum unseen_status check_room(const struct us_coreset_run *run)
{
    struct us_room room;
    const enum unseen_status st = us_coreset_run_room(run, &room);
    return st ? st : us_room_check(run->options->scoring.out, &room);
}

enum unseen_status us_incremental_run(const struct us_incremental *in, struct us_incremental_result *result)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_coreset_run run;
    struct us_run_lock lock = {0};
    *result = (struct us_incremental_result){.steps = json_array()};
    US_TRY(us_coreset_run_begin(in, &run));
    US_TRY_ALLOC(result->steps);
    if (!us_step_is_done(in->out, in->options->step.steps - 1))
        US_TRY(check_room(&run));
    US_TRY(us_steps_lock(in, &lock));
    US_TRY(write_heldout(&run));
    US_TRY(us_coreset_run_plan(&run));
    for (int t = 0; t < in->options->step.steps; t++) {
        US_TRY(run_step(&run, t));
        US_TRY(take(&run, t, result));
        memcpy(run.previous, run.current, (size_t)run.n);
        us_step_end(&run.step);
    }
out:
    us_run_lock_end(&lock);
    us_coreset_run_end(&run);
    return st;
}
