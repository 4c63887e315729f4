/* The comparison: scoring runs, cells, and putting them together. */
#include "config.h"

#include "unseen/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/usable.h"
#include "compare/cell.h"
#include "compare/compare_options.h"
#include "compare/comparison.h"
#include "nn/outlook.h"
#include "nn/session.h"
#include "prune/select_inputs.h"
#include "scoring/room.h"
#include "scoring/scoring_json.h"

/* What must be the same for a comparison to go on: the lists and the number of seeds may grow. */
static json_t *describe(const struct unseen_device *device, const struct unseen_dataset *data,
                        const struct unseen_compare_options *o)
{
    json_t *settings = json_pack("{s:I, s:s, s:s}", "seed", (json_int_t)o->seed, "data", data->hash, "device",
                                 unseen_device_info(device)->name);
    return us_settings_made(settings,
                            us_options_put(settings, us_compare_options, o, US_NO_IDENTITY | US_GROWS));
}

static enum unseen_status lock_folder(const struct unseen_device *device, const struct unseen_dataset *data,
                                      const struct unseen_compare_options *o, struct us_run_lock *lock)
{
    static const char *const files[] = {"compare.json",
                                        "table.csv",
                                        "table.md",
                                        "run.json",
                                        "report.html",
                                        "cells/*/",
                                        "cells/*/keep.npy",
                                        "cells/*/result.json",
                                        "cells/*/tested.json",
                                        "cells/*/history.csv",
                                        "cells/*/state.safetensors",
                                        US_SCORING_FILES("scoring/*/"),
                                        NULL};
    json_t *asked = describe(device, data, o);
    const enum unseen_status st = us_run_lock_for(o->out, "comparison", files, asked, lock);
    json_decref(asked);
    return st;
}

/* Whether the folder, if there is one, is of the same comparison. */
static enum unseen_status match_folder(const struct unseen_device *device, const struct unseen_dataset *data,
                                       const struct unseen_compare_options *o)
{
    bool there;
    json_t *asked = o->out ? describe(device, data, o) : NULL;
    const enum unseen_status st =
        o->out ? us_settings_match_file(o->out, "compare.json", asked, &there) : UNSEEN_OK;
    json_decref(asked);
    return st;
}

/* One cell of the sweep. */
struct task {
    const struct us_row *row;
    int seed;
};

struct comparison {
    const struct unseen_compare_options *options;
    struct unseen_device *device;
    const struct unseen_dataset *data;
    struct us_sweep sweep;
    struct task *open; /* cells that are not done */
    int n_open;
    struct us_work cells;                /* what is left of them, but for coresets that are chosen in steps */
    int64_t least;                       /* samples of the smallest coreset */
    unsigned record_also, record_wanted; /* by the scoring runs, whichever need it */
    struct us_room room;
    struct us_work_plan plan;
    const struct us_price *price; /* of the cells there */
};

/* The cells that are not done: by seed, so that the first seed's table is whole before the next begins. */
static enum unseen_status find_open(struct comparison *c)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_compare_options *o = c->options;
    struct us_cell_result result;
    struct us_work work;
    char *folder = NULL;
    bool done = false;
    c->open = us_calloc((size_t)c->sweep.n * (size_t)o->seeds, sizeof *c->open);
    US_TRY_ALLOC(c->open);
    for (int s = 0; s < o->seeds; s++) {
        for (int r = 0; r < c->sweep.n; r++) {
            if (o->out) {
                US_TRY_ALLOC(folder = us_cell_folder(o, &c->sweep.rows[r], s));
                st = us_cell_result_read(folder, &result, &done);
                us_cell_result_end(&result);
                US_TRY(st);
                free(folder);
                folder = NULL;
            }
            if (done)
                continue;
            c->open[c->n_open++] = (struct task){&c->sweep.rows[r], s};
            US_TRY(us_cell_left(o, c->data, &c->sweep.rows[r], s, &work));
            us_work_add(&c->cells, &work);
            const int64_t kept = us_cell_kept(&c->sweep.rows[r], us_usable(&c->data->split[UNSEEN_TRAIN]));
            c->least = c->n_open == 1 || kept < c->least ? kept : c->least;
        }
    }
out:
    free(folder);
    return st;
}

/* Once for each rule and ratio: they stand together for every metric and protocol. */
static void warn_of_cutoffs(const struct comparison *c)
{
    const struct us_row *rows = c->sweep.rows;
    int first = 0;
    while (first < c->sweep.n && rows[first].kind != US_ROW_SCORED)
        first++;
    for (int i = first; i < c->sweep.n && strcmp(rows[i].metric, rows[first].metric) == 0 &&
                        strcmp(rows[i].protocol, rows[first].protocol) == 0;
         i++)
        us_cell_warn(c->options, &rows[i]);
}

/* What the scoring runs have to record; and what can be refused before hours of training are spent. */
static enum unseen_status check_rows(struct comparison *c)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_compare_options *o = c->options;
    for (int i = 0; i < c->sweep.n; i++) {
        const struct us_row *row = &c->sweep.rows[i];
        if (row->kind != US_ROW_SCORED)
            continue;
        US_TRY(us_select_inputs_needs(row->metric, o->cut, row->rule_name, row->trajectory, &c->record_also));
        c->record_wanted |= us_select_inputs_wants(row->rule_name);
    }
    for (int i = 0; i < c->sweep.n; i++)
        US_TRY(us_cell_check(c->data, o, &c->sweep.rows[i], c->record_also));
    warn_of_cutoffs(c);
out:
    return st;
}

/* ---- scoring ---- */

/* What is done for each open cell that has scores. `first`: no cell before it needs the same scoring run. */
typedef enum unseen_status visitor(struct comparison *c, const struct task *task,
                                   const struct unseen_scoring_options *scoring, bool first);

static enum unseen_status visit_scored(struct comparison *c, visitor *visit)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_scoring_options scoring;
    char *folder = NULL;
    json_t *visited = json_object();
    US_TRY_ALLOC(visited);
    for (int i = 0; i < c->n_open; i++) {
        const struct task *task = &c->open[i];
        if (task->row->kind != US_ROW_SCORED)
            continue;
        US_TRY(us_sweep_scoring(c->options, task->row->protocol, task->seed, &scoring, &folder));
        scoring.record_also = c->record_also;
        scoring.record_wanted = c->record_wanted;
        scoring.record_again = 1; /* longer lists may need more */
        US_TRY(visit(c, task, &scoring, !json_object_get(visited, folder)));
        json_object_set_new(visited, folder, json_true());
        free(folder);
        folder = NULL;
    }
out:
    json_decref(visited);
    free(folder);
    return st;
}

/* Those that choose in steps see to it themselves. */
static enum unseen_status add_room(struct comparison *c, const struct task *task,
                                   const struct unseen_scoring_options *scoring, bool first)
{
    const struct us_scoring run = us_scoring_of(scoring, c->data, NULL);
    return first && !task->row->incremental ? us_room_add(&run, &c->room) : UNSEEN_OK;
}

static enum unseen_status check_room(struct comparison *c)
{
    const enum unseen_status st = visit_scored(c, add_room);
    return st ? st : us_room_check(c->options->out, &c->room);
}

static enum unseen_status plan_scoring(struct comparison *c, const struct task *task,
                                       const struct unseen_scoring_options *scoring, bool first)
{
    const struct us_scoring run = us_scoring_of(scoring, c->data, NULL);
    if (task->row->incremental)
        return us_cell_plan_steps(c->options, task->row, task->seed, scoring, !first, &c->plan);
    return first ? us_scoring_plan(&run, &c->plan) : UNSEEN_OK;
}

/* Each scoring run, once, and the coresets that are chosen in steps. */
static enum unseen_status record(struct comparison *c, const struct task *task,
                                 const struct unseen_scoring_options *scoring, bool first)
{
    if (task->row->incremental)
        return us_cell_choose_in_steps(c->device, c->data, c->options, task->row, task->seed, scoring,
                                       &c->plan);
    return first ? us_record_subset(c->device, c->data, scoring, NULL, &c->plan) : UNSEEN_OK;
}

/* ---- cells ---- */

static struct us_workers_task cells_task(const struct comparison *c)
{
    return (struct us_workers_task){
        .recipe = &c->options->recipe,
        .wanted = c->options->concurrent,
        .models = c->n_open,
        .steps = c->n_open ? c->cells.trained / c->n_open / c->options->recipe.batch : 0,
        .least = c->least / 2}; /* searches for a cut-off train on parts of coresets */
}

/* Called by several threads at once. */
static enum unseen_status run_cell(void *context, int i, struct us_session *session)
{
    struct comparison *c = context;
    return us_cell_run(c->options, c->open[i].row, c->open[i].seed, session, c->plan.progress, c->price);
}

static enum unseen_status run_cells(struct comparison *c)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_workers *workers = NULL;
    if (!c->n_open)
        return UNSEEN_OK;
    const struct us_workers_task task = cells_task(c);
    c->price = us_work_plan_price_of(&c->plan, &task);
    US_TRY(us_workers_new(c->device, c->data, &task, &workers));
    st = us_workers_run(workers, c->n_open, run_cell, c);
out:
    us_workers_free(workers);
    return st;
}

/* The cells leave their coresets and histories, and hold a state while they train. */
static enum unseen_status plan_cells(struct comparison *c)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_recipe *recipe = &c->options->recipe;
    const struct us_workers_task task = cells_task(c);
    struct us_shape_outlook shape;
    const int64_t n = us_usable(&c->data->split[UNSEEN_TRAIN]), epoch = 100 /* a line of a history */;
    const struct us_model_spec spec =
        us_spec_of(recipe, c->data, us_input_size(recipe, c->data, US_EVALUATION));
    int64_t kept = 0;
    if (!c->n_open)
        return UNSEEN_OK;
    for (int i = 0; i < c->n_open; i++)
        kept += us_cell_kept(c->open[i].row, n);
    US_TRY(us_shape_outlook(&spec, &shape));
    US_TRY(us_work_plan_add(&c->plan, &task, &c->cells));
    us_work_plan_add_disk(&c->plan, kept * (int64_t)sizeof(int64_t) + c->cells.epochs * epoch,
                          shape.state * (int64_t)sizeof(float));
out:
    return st;
}

static enum unseen_status plan(struct comparison *c)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(visit_scored(c, plan_scoring));
    US_TRY(plan_cells(c));
out:
    return st;
}

static enum unseen_status check_test_split(const struct unseen_dataset *data)
{
    if (us_usable(&data->split[UNSEEN_TEST]) > 0)
        return UNSEEN_OK;
    us_fail(UNSEEN_BAD_DATA, data->location, "has no test split to compare coresets on");
    us_hint(
        data->split[UNSEEN_TRAIN].paths
            ? "--test-share 0.1 holds out a tenth of each class; a folder with train/ and test/ has its own"
            : "CIFAR's test batch beside the others gives one");
    return UNSEEN_BAD_DATA;
}

/* What can be refused before anything is locked; the comparison is ready to be planned then. */
static enum unseen_status begin(struct comparison *c, struct unseen_compare_options *options)
{
    enum unseen_status st = UNSEEN_OK;
    us_select_inputs_table(c->data, &options->select);
    US_TRY(check_test_split(c->data));
    US_TRY(unseen_recipe_check(&options->recipe));
    US_TRY(us_sweep_make(options, &c->sweep));
    US_TRY(check_rows(c));
out:
    return st;
}

static void end(struct comparison *c)
{
    us_work_plan_end(&c->plan);
    free(c->open);
    us_sweep_free(&c->sweep);
}

enum unseen_status unseen_compare(struct unseen_device *device, const struct unseen_dataset *data,
                                  const struct unseen_compare_options *asked, struct unseen_comparison **rows,
                                  int *n)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_compare_options resolved = *asked;
    const struct unseen_compare_options *options = &resolved;
    struct comparison c = {
        .options = options, .device = device, .data = data, .plan = us_work_plan_of(device, data)};
    struct unseen_comparison *table = NULL;
    struct us_run_lock lock = {0};
    US_TRY(begin(&c, &resolved));
    US_TRY(lock_folder(device, data, options, &lock));
    US_TRY(find_open(&c));
    US_TRY(check_room(&c)); /* before all models of what may be far too much are counted */
    US_TRY(plan(&c));
    US_TRY(us_work_plan_begin(&c.plan, &options->on_plan, "compare"));
    US_TRY(visit_scored(&c, record));
    US_TRY(run_cells(&c));
    US_TRY_ALLOC(table = us_calloc((size_t)c.sweep.n, sizeof *table));
    US_TRY(us_comparison_gather(options, data, &c.sweep, table));
    US_TRY(us_comparison_write(options, device, data, &c.plan, table, c.sweep.n));
    if (rows) {
        *rows = table;
        if (n)
            *n = c.sweep.n;
        table = NULL;
    }
out:
    us_run_lock_end(&lock);
    free(table);
    end(&c);
    return st;
}

enum unseen_status unseen_compare_plan(struct unseen_device *device, const struct unseen_dataset *data,
                                       const struct unseen_compare_options *asked, enum unseen_plan_by by,
                                       struct unseen_plan *told)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_compare_options options = *asked;
    struct comparison c = {
        .options = &options, .device = device, .data = data, .plan = us_work_plan_of(device, data)};
    US_TRY(begin(&c, &options));
    US_TRY(match_folder(device, data, &options));
    US_TRY(find_open(&c));
    US_TRY(plan(&c));
    US_TRY(us_work_plan_price(&c.plan, by));
    *told = c.plan.told;
out:
    end(&c);
    return st;
}
