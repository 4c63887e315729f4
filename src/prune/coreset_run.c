#include "config.h"

#include "prune/coreset_run.h"

#include <math.h>
#include <stdlib.h>

#include "base/usable.h"
#include "prune/coreset_update.h"
#include "select/coreset.h"
#include "select/rule.h"

/* ---- before and after ---- */

/* No model sees what is held out: samples with a copy that is not held out go back. */
static enum unseen_status hold_out_contents(struct us_coreset_run *run)
{
    const int64_t *first = us_kept_together(&run->options->scoring, run->in->data);
    int64_t n = 0;
    if (!first)
        return UNSEEN_OK;
    for (int64_t i = 0; i < run->n; i++)
        run->is_held_out[first[i]] &= run->is_held_out[i];
    for (int64_t k = 0; k < run->heldout.n; k++) {
        int64_t i = run->heldout.item[k];
        run->is_held_out[i] = run->is_held_out[first[i]];
        if (run->is_held_out[i])
            run->heldout.item[n++] = i;
    }
    run->heldout.n = n;
    return n > 0 ? UNSEEN_OK
                 : us_fail(UNSEEN_USAGE, "--hold-out", "%g leaves no sample without a copy outside",
                           run->options->step.hold_out);
}

/* Samples that have a copy among those marked are marked too. */
static void mark_copies(const struct us_coreset_run *run, uint8_t *marked)
{
    const int64_t *first = us_kept_together(&run->options->scoring, run->in->data);
    for (int64_t i = 0; first && i < run->n; i++)
        marked[first[i]] |= marked[i];
    for (int64_t i = 0; first && i < run->n; i++)
        marked[i] |= marked[first[i]];
}

static enum unseen_status hold_out(struct us_coreset_run *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_prune_options *o = run->options;
    /* Apart from the draws of the rules, which have the seed itself. */
    struct unseen_select_options by_class = {.keep = o->step.hold_out,
                                             .seed = o->scoring.seed ^ UINT64_C(0x68656c646f757421),
                                             .quota = UNSEEN_QUOTA_PROPORTIONAL,
                                             .leave_out = run->train->skipped};
    US_TRY(unseen_select("random", NULL, run->train->labels, run->n, run->in->data->classes, &by_class,
                         &run->heldout.item, &run->heldout.n));
    for (int64_t i = 0; i < run->heldout.n; i++)
        run->is_held_out[run->heldout.item[i]] = 1;
    US_TRY(hold_out_contents(run));
    for (int64_t i = 0; i < run->n; i++)
        run->is_held_out[i] |= !us_is_usable(run->train, i);
out:
    return st;
}

enum unseen_status us_coreset_run_begin(const struct us_incremental *in, struct us_coreset_run *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_prune_options *o = in->options;
    size_t n = (size_t)in->data->split[UNSEEN_TRAIN].n;
    int64_t m;
    *run = (struct us_coreset_run){.in = in,
                                   .options = o,
                                   .train = &in->data->split[UNSEEN_TRAIN],
                                   .select = o->select,
                                   .noise_rate = NAN};
    run->n = (int64_t)n;
    US_TRY_ALLOC(run->budget = us_calloc((size_t)o->step.steps, sizeof *run->budget));
    US_TRY_ALLOC(run->planned = us_calloc((size_t)o->step.steps, sizeof *run->planned));
    US_TRY_ALLOC(run->is_held_out = us_calloc(n, 1));
    US_TRY_ALLOC(run->previous = us_calloc(n, 1));
    US_TRY_ALLOC(run->current = us_calloc(n, 1));
    US_TRY_ALLOC(run->ever = us_calloc(n, 1));
    US_TRY_ALLOC(run->scores = us_calloc(n, sizeof *run->scores));
    US_TRY_ALLOC(run->key = us_calloc(n, sizeof *run->key));
    US_TRY_ALLOC(run->rank_sum = us_calloc(n, sizeof *run->rank_sum));
    US_TRY_ALLOC(run->rank_count = us_calloc(n, sizeof *run->rank_count));
    US_TRY(us_count_kept(o->select.keep, us_usable(run->train), &m));
    us_step_budgets(m, o->step.steps, o->step.grow ? o->step.grow : 1, run->budget);
    US_TRY(hold_out(run));
out:
    return st;
}

void us_coreset_run_end(struct us_coreset_run *run)
{
    us_step_end(&run->step);
    free(run->budget);
    free(run->planned);
    free(run->is_held_out);
    free(run->previous);
    free(run->current);
    free(run->ever);
    free(run->heldout.item);
    free(run->scores);
    free(run->key);
    free(run->rank_sum);
    free(run->rank_count);
}

/* ---- a step ---- */

struct unseen_scoring_options us_step_scoring_options(const struct unseen_prune_options *options, int t)
{
    const struct unseen_step_options *o = &options->step;
    struct unseen_scoring_options scoring = options->scoring;
    if (t == 0)
        return scoring;
    scoring.folds = o->folds ? o->folds : scoring.folds;
    scoring.repeats = o->repeats;
    scoring.recipe.epochs = o->epochs ? o->epochs : scoring.recipe.epochs;
    scoring.recipe.stop_after = o->epochs ? 0 : scoring.recipe.stop_after;
    return scoring;
}

void us_step_scoring_end(struct us_step_scoring *s)
{
    free(s->role);
    free(s->folder);
    free(s->from);
    free(s->to);
}

static void find_roles(const struct us_coreset_run *run, int t, uint8_t *role)
{
    const bool warm = run->options->step.warm_start;
    for (int64_t i = 0; i < run->n && t > 0; i++)
        role[i] = run->previous[i] || (warm && run->ever[i]);
    mark_copies(run, role);
    for (int64_t i = 0; i < run->n; i++) {
        bool member = t > 0 ? run->previous[i] : !run->is_held_out[i];
        bool known = run->is_held_out[i] || role[i];
        role[i] = member ? US_TRAINED_ON : known ? US_SCORED_BY_ONE_MODEL : US_SCORED_BY_ALL_MODELS;
    }
}

enum unseen_status us_step_scoring_begin(const struct us_coreset_run *run, int t, struct us_step_scoring *s)
{
    enum unseen_status st = UNSEEN_OK;
    const char *out = run->in->out;
    const bool warm = run->options->step.warm_start;
    *s = (struct us_step_scoring){.options = us_step_scoring_options(run->options, t),
                                  .subset = {.first_model = (uint32_t)t << 20}};
    US_TRY_ALLOC(s->role = us_calloc((size_t)run->n, 1));
    find_roles(run, t, s->role);
    s->subset.role = s->role;
    if (t > 0)
        s->options.out = NULL;
    if (t > 0 && out)
        US_TRY_ALLOC(s->options.out = s->folder = us_step_folder(out, t - 1));
    if (warm && t > 1 && out)
        US_TRY_ALLOC(s->subset.from = s->from = us_step_weights(out, t - 2));
    if (warm && t > 0 && out)
        US_TRY_ALLOC(s->subset.to = s->to = us_step_weights(out, t - 1));
out:
    return st;
}

void us_coreset_run_remember(struct us_coreset_run *run, int t)
{
    for (int64_t i = 0; i < run->n && t > 0; i++)
        run->ever[i] |= run->previous[i];
}

struct us_coreset_eval us_step_evaluation(const struct us_coreset_run *run, const struct us_step *step)
{
    return (struct us_coreset_eval){.device = run->in->device,
                                    .data = run->in->data,
                                    .options = &run->options->scoring,
                                    .models = run->options->step.judges,
                                    .coreset = step->coreset,
                                    .heldout = run->heldout,
                                    .folder = step->folder,
                                    .plan = run->in->plan};
}
