#include "config.h"

#include "compare/cell.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/output.h"
#include "base/usable.h"
#include "compare/search.h"
#include "nn/history.h"
#include "nn/sampler.h"
#include "nn/session.h"
#include "nn/steps.h"
#include "prune/incremental.h"
#include "scoring/scoring_model.h"
#include "select/rule.h"

static int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* epochs * all / each, rounded up; what no recipe may hold stays too large. */
static int scale_epochs(int epochs, int64_t all, int64_t each)
{
    const double scaled = ceil((double)epochs * (double)all / (double)each);
    return scaled < INT_MAX ? (int)divide_up(epochs * all, each) : INT_MAX;
}

static int shorten(int epochs, double share)
{
    const int shorter = (int)lround(share * epochs);
    return epochs > 0 && shorter < 1 ? 1 : shorter;
}

void us_cell_recipe(const struct unseen_compare_options *o, const struct us_row *row, int64_t n, int64_t m,
                    struct unseen_recipe *recipe, int *test_every)
{
    *recipe = o->recipe;
    if (row->kind == US_ROW_SHORT) {
        recipe->epochs = shorten(recipe->epochs, row->keep);
        recipe->stop_after = shorten(recipe->stop_after, row->keep);
        recipe->warmup *= (float)recipe->epochs / (float)o->recipe.epochs;
    } else if (o->budget == UNSEEN_BUDGET_STEPS) {
        int64_t all = n, each = m;
        if (recipe->last_batch == UNSEEN_BATCH_KEEP) {
            all = divide_up(n, recipe->batch);
            each = divide_up(m, recipe->batch);
        }
        recipe->epochs = scale_epochs(recipe->epochs, all, each);
        recipe->stop_after = scale_epochs(recipe->stop_after, all, each);
        recipe->warmup *= (float)all / (float)each;
    }
    if (o->test_every)
        *test_every = o->test_every > 0 ? o->test_every : INT_MAX;
    else
        *test_every = (int)((n + m / 2) / m);
}

int64_t us_cell_kept(const struct us_row *row, int64_t n)
{
    return row->kind == US_ROW_SHORT ? n : llround(row->keep * (double)n);
}

/* Whether its model trains on all samples, if not in every epoch. */
static bool is_whole(const struct us_row *row)
{
    return row->kind == US_ROW_FULL || row->kind == US_ROW_SHORT || row->kind == US_ROW_SAMPLER;
}

/* The rule's options of a row and seed, without arrays. */
static void set_select(const struct unseen_compare_options *o, const struct us_row *row, int seed,
                       struct unseen_select_options *select)
{
    *select = o->select;
    select->keep = row->keep;
    select->seed = o->seed + (uint64_t)seed;
    if (!isnan(row->value) && strcmp(row->rule_name, "beta") == 0)
        select->beta = row->value;
    else if (!isnan(row->value))
        select->cutoff = row->value;
}

/* What prune would be asked for. */
static struct unseen_prune_options prune_options(const struct unseen_compare_options *o,
                                                 const struct us_row *row, int seed,
                                                 const struct unseen_scoring_options *scoring)
{
    struct unseen_prune_options prune = {.scoring = *scoring,
                                         .step = o->step,
                                         .metric = row->metric,
                                         .score = o->score,
                                         .rule = row->rule_name,
                                         .cut = o->cut};
    prune.scoring.protocol = row->trajectory;
    set_select(o, row, seed, &prune.select);
    return prune;
}

static enum unseen_status check_steps(const struct unseen_dataset *data,
                                      const struct unseen_compare_options *o, const struct us_row *row,
                                      const struct unseen_scoring_options *scoring)
{
    if (o->step.steps < 2)
        return us_fail(UNSEEN_USAGE, "--steps", "%d is not in 2..1000, as protocol %s has it", o->step.steps,
                       row->protocol);
    const struct unseen_prune_options prune = prune_options(o, row, 0, scoring);
    return us_incremental_check(data, &prune);
}

static enum unseen_status check_scored(const struct unseen_dataset *data,
                                       const struct unseen_compare_options *o, const struct us_row *row,
                                       unsigned record_also)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_scoring_options scoring;
    char *folder = NULL;
    US_TRY(us_sweep_scoring(o, row->protocol, 0, &scoring, &folder));
    scoring.record_also = record_also;
    US_TRY(us_scoring_check(&scoring, data));
    if (row->incremental)
        US_TRY(check_steps(data, o, row, &scoring));
    else
        US_TRY(
            us_select_inputs_check(row->metric, &o->score, o->cut, us_recipe_epochs(&scoring.recipe), false));
out:
    free(folder);
    return st;
}

enum unseen_status us_cell_check(const struct unseen_dataset *data, const struct unseen_compare_options *o,
                                 const struct us_row *row, unsigned record_also)
{
    enum unseen_status st = UNSEEN_OK;
    const int64_t n = us_usable(&data->split[UNSEEN_TRAIN]);
    struct unseen_select_options select;
    struct unseen_recipe recipe;
    int test_every;
    set_select(o, row, 0, &select);
    if (row->kind != US_ROW_FULL) /* an epoch of a sampler is a random subset, too */
        US_TRY(us_select_check(row->kind == US_ROW_SCORED ? row->rule_name : "random", &select, n,
                               data->classes));
    if (row->search) /* which selects from what a tenth, rounded up, leaves */
        US_TRY(us_select_check(row->rule_name, &select, n - divide_up(n, 10), data->classes));
    us_cell_recipe(o, row, n, us_cell_kept(row, n), &recipe, &test_every);
    if ((st = us_recipe_check_on(&recipe, data)) && o->budget == UNSEEN_BUDGET_STEPS)
        us_hint("with --budget steps the models of --keep %g train for %d epochs", row->keep, recipe.epochs);
    if (st == UNSEEN_OK && row->kind == US_ROW_SCORED)
        st = check_scored(data, o, row, record_also);
out:
    return st;
}

void us_cell_warn(const struct unseen_compare_options *o, const struct us_row *row)
{
    struct unseen_select_options select;
    set_select(o, row, 0, &select);
    if (!row->search)
        us_select_warn(row->rule_name, &select);
}

enum unseen_status us_cell_choose_in_steps(struct unseen_device *device, const struct unseen_dataset *data,
                                           const struct unseen_compare_options *o, const struct us_row *row,
                                           int seed, const struct unseen_scoring_options *scoring,
                                           struct us_work_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_incremental_result result = {0};
    const struct unseen_prune_options prune = prune_options(o, row, seed, scoring);
    char *folder = us_cell_folder(o, row, seed);
    char *steps = folder ? us_format("%s/steps", folder) : NULL;
    char *keep = folder ? us_format("%s/keep.npy", folder) : NULL;
    US_TRY_ALLOC(steps);
    US_TRY_ALLOC(keep);
    const struct us_incremental in = {
        .device = device, .data = data, .options = &prune, .out = steps, .plan = plan};
    US_TRY(us_incremental_run(&in, &result));
    US_TRY(us_npy_write(keep, US_I64, 1, &result.m, result.keep));
out:
    us_incremental_end(&result);
    free(keep);
    free(steps);
    free(folder);
    return st;
}

enum unseen_status us_cell_plan_steps(const struct unseen_compare_options *o, const struct us_row *row,
                                      int seed, const struct unseen_scoring_options *scoring, bool scored,
                                      struct us_work_plan *plan)
{
    const struct unseen_prune_options prune = prune_options(o, row, seed, scoring);
    char *folder = o->out ? us_cell_folder(o, row, seed) : NULL;
    char *steps = folder ? us_format("%s/steps", folder) : NULL;
    const struct us_incremental in = {.device = plan->device,
                                      .data = plan->data,
                                      .options = &prune,
                                      .out = steps,
                                      .scored = scored,
                                      .plan = plan};
    const enum unseen_status st = us_incremental_plan(&in);
    free(steps);
    free(folder);
    return st;
}

/* A cell on its way. */
struct cell {
    const struct unseen_compare_options *options;
    const struct us_row *row;
    int seed;
    const char *folder;
    struct us_session *session;
    struct us_progress *whole;
    struct unseen_recipe recipe;
    const struct us_price *price;
    struct us_cell_result result;
};

static struct us_search search_of(const struct unseen_compare_options *o, const struct unseen_dataset *data,
                                  const struct us_row *row, const struct unseen_select_options *select,
                                  const char *folder)
{
    struct us_search search = {.seed = select->seed,
                               .duplicate_of = us_kept_together(&o->scoring, data),
                               .rule = row->rule_name,
                               .select = select,
                               .folder = folder};
    int test_every;
    const int64_t n = us_usable(&data->split[UNSEEN_TRAIN]);
    us_cell_recipe(o, row, n, us_cell_kept(row, n), &search.recipe, &test_every);
    return search;
}

static enum unseen_status search_cutoff(struct cell *c, const struct us_select_inputs *e,
                                        struct unseen_select_options *select)
{
    struct us_search search = search_of(c->options, c->session->data, c->row, select, c->folder);
    search.inputs = e;
    search.whole = c->whole;
    search.price = c->price;
    enum unseen_status st = us_search_cutoff(c->session, &search, &c->result.cutoff);
    select->cutoff = c->result.cutoff;
    return st;
}

static enum unseen_status choose_scored(struct cell *c, int64_t **keep, int64_t *m)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_dataset *data = c->session->data;
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    struct us_select_inputs inputs = {0};
    struct unseen_select_options select;
    char *trajectory = us_cell_trajectory(c->options, c->row, c->seed);
    US_TRY_ALLOC(trajectory);
    set_select(c->options, c->row, c->seed, &select);
    US_TRY(us_select_inputs_read(trajectory, c->row->metric, &c->options->score, c->options->cut,
                                 us_select_inputs_of(c->row->rule_name, &select), &inputs));
    us_select_inputs_apply(&inputs, &select);
    if (c->row->search)
        US_TRY(search_cutoff(c, &inputs, &select));
    else
        c->result.cutoff = us_share_cut(c->row->rule_name, &select);
    US_TRY(unseen_select(c->row->rule_name, inputs.scores, train->labels, train->n, data->classes, &select,
                         keep, m));
out:
    us_select_inputs_end(&inputs);
    free(trajectory);
    return st;
}

static enum unseen_status choose(struct cell *c, const char *path, int64_t **keep, int64_t *m)
{
    const struct unseen_images *train = &c->session->data->split[UNSEEN_TRAIN];
    struct unseen_select_options select;
    if (c->row->incremental)
        return us_npy_read_i64(path, 1, m, keep);
    if (c->row->kind == US_ROW_SCORED)
        return choose_scored(c, keep, m);
    /* All of the data is a random subset with nothing left out. */
    set_select(c->options, c->row, c->seed, &select);
    select.keep = is_whole(c->row) ? 1 : select.keep;
    select.quota = UNSEEN_QUOTA_NONE;
    select.class_focus = 0;
    select.leave_out = train->skipped;
    return unseen_select("random", NULL, train->labels, train->n, c->session->data->classes, &select, keep,
                         m);
}

/* The last epoch's go to disk before its checkpoint does: a model that is finished is not tested again. */
static enum unseen_status keep_tested(void *context, const struct unseen_epoch *epoch,
                                      const struct us_sample_stats *tested)
{
    const struct cell *c = context;
    const struct unseen_dataset *data = c->session->data;
    if (epoch->epoch + 1 < us_recipe_epochs(&c->recipe))
        return UNSEEN_OK;
    return us_cell_tested_write(c->folder, data->split[UNSEEN_TEST].labels, data->classes, tested);
}

static void summarise(const struct us_train_job *job, const struct unseen_epoch *history, int epochs,
                      struct us_cell_result *r)
{
    const int64_t most = us_sampler_most(job->sampler, job->n_train);
    const struct us_steps steps = us_steps_of(job->recipe, most, job->seed);
    r->epochs = epochs;
    r->accuracy = history[epochs - 1].test_accuracy;
    for (int e = 0; e < epochs; e++) {
        const int64_t planned = us_steps_before(&steps, e + 1) - us_steps_before(&steps, e);
        r->steps += us_steps_own(job->recipe, planned, llround(history[e].images), most);
        r->images += llround(history[e].images);
        r->seconds += history[e].seconds;
        r->best = fmax(r->best, history[e].test_accuracy); /* passes by epochs that were not tested */
    }
}

/* The model that is trained on the row's n_train samples; `recipe` receives what it trains by. */
static struct us_train_job job_of(const struct unseen_compare_options *o, const struct unseen_dataset *data,
                                  const struct us_row *row, int seed, int64_t n_train, const char *state,
                                  struct unseen_recipe *recipe)
{
    struct us_train_job job = {.recipe = recipe,
                               .sampler = row->kind == US_ROW_SAMPLER ? &row->sampler : NULL,
                               .seed = o->seed + (uint64_t)seed,
                               .n_train = n_train,
                               .test = true,
                               .state = state};
    us_cell_recipe(o, row, us_usable(&data->split[UNSEEN_TRAIN]), us_sampler_most(job.sampler, n_train),
                   recipe, &job.test_every);
    return job;
}

enum unseen_status us_cell_left(const struct unseen_compare_options *o, const struct unseen_dataset *data,
                                const struct us_row *row, int seed, struct us_work *work)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_recipe recipe;
    struct unseen_select_options select;
    struct us_work search = {0};
    char *folder = o->out ? us_cell_folder(o, row, seed) : NULL;
    char *state = folder ? us_format("%s/state.safetensors", folder) : NULL;
    const int64_t n = us_usable(&data->split[UNSEEN_TRAIN]);
    const struct us_train_job job =
        job_of(o, data, row, seed, is_whole(row) ? n : us_cell_kept(row, n), state, &recipe);
    set_select(o, row, seed, &select);
    const struct us_search searched = search_of(o, data, row, &select, folder);
    if (row->search)
        US_TRY(us_search_left(data, &searched, &search));
    *work = us_train_left(data, &job);
    us_work_add(work, &search);
out:
    free(state);
    free(folder);
    return st;
}

static enum unseen_status train(struct cell *c, const int64_t *keep)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_compare_options *o = c->options;
    struct unseen_epoch *history = NULL;
    int epochs = 0;
    char *state = us_format("%s/state.safetensors", c->folder);
    char *path = us_format("%s/history.csv", c->folder);
    US_TRY_ALLOC(state);
    US_TRY_ALLOC(path);
    struct us_train_job job = job_of(o, c->session->data, c->row, c->seed, c->result.kept, state, &c->recipe);
    job.train = keep;
    job.whole = c->whole;
    job.price = c->price;
    job.title = strrchr(c->folder, '/') + 1;
    job.on_test = keep_tested;
    job.context = c;
    US_TRY(us_train(c->session, &job, &history, &epochs));
    summarise(&job, history, epochs, &c->result);
    US_TRY(us_history_write(path, history, epochs));
    US_TRY(us_cell_result_write(c->folder, &c->result));
    /* A state that stays is only a waste: the result is there. */
    (void)us_remove_file(state);
out:
    free(history);
    free(path);
    free(state);
    return st;
}

enum unseen_status us_cell_run(const struct unseen_compare_options *options, const struct us_row *row,
                               int seed, struct us_session *session, struct us_progress *whole,
                               const struct us_price *price)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *keep = NULL;
    char *folder = us_cell_folder(options, row, seed);
    char *path = folder ? us_format("%s/keep.npy", folder) : NULL;
    struct cell c = {.options = options,
                     .row = row,
                     .seed = seed,
                     .folder = folder,
                     .session = session,
                     .whole = whole,
                     .price = price,
                     .result = {.cutoff = NAN}};
    US_TRY_ALLOC(path);
    US_TRY(us_make_folder(folder));
    US_TRY(choose(&c, path, &keep, &c.result.kept));
    US_TRY(us_npy_write(path, US_I64, 1, &c.result.kept, keep));
    US_TRY(train(&c, keep));
out:
    us_cell_result_end(&c.result);
    free(path);
    free(folder);
    free(keep);
    return st;
}
