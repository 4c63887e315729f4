/* The comparison: scoring runs, cells, and putting them together. */
#include "config.h"

#include "unseen/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/usable.h"
#include "compare/cell.h"
#include "compare/compare_options.h"
#include "compare/comparison.h"
#include "nn/workers.h"
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
                                        "cells/*/history.csv",
                                        "cells/*/state.safetensors",
                                        US_SCORING_FILES("scoring/*/"),
                                        NULL};
    json_t *asked = describe(device, data, o);
    const enum unseen_status st = us_run_lock_for(o->out, "comparison", files, asked, lock);
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
    const struct unseen_dataset *data;
    struct us_sweep sweep;
    struct task *open; /* cells that are not done */
    int n_open;
    uint64_t images;
    int64_t steps, least; /* of each; samples of the smallest coreset */
    unsigned record_also; /* by the scoring runs, whichever need it */
    struct us_progress *progress;
};

/* The cells that are not done: by seed, so that the first seed's table is whole before the next begins. */
static enum unseen_status find_open(struct comparison *c)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_compare_options *o = c->options;
    struct us_cell_result result;
    char *folder = NULL;
    bool done;
    c->open = us_calloc((size_t)c->sweep.n * (size_t)o->seeds, sizeof *c->open);
    US_TRY_ALLOC(c->open);
    for (int s = 0; s < o->seeds; s++) {
        for (int r = 0; r < c->sweep.n; r++) {
            US_TRY_ALLOC(folder = us_cell_folder(o, &c->sweep.rows[r], s));
            US_TRY(us_cell_read(folder, &result, &done));
            free(folder);
            folder = NULL;
            if (done)
                continue;
            c->open[c->n_open++] = (struct task){&c->sweep.rows[r], s};
            c->images += us_cell_images(o, c->data, &c->sweep.rows[r]);
            const int64_t kept = us_cell_kept(&c->sweep.rows[r], us_usable(&c->data->split[UNSEEN_TRAIN]));
            c->least = c->n_open == 1 || kept < c->least ? kept : c->least;
        }
    }
    c->steps = c->n_open ? (int64_t)(c->images / (uint64_t)c->n_open) / o->recipe.batch : 0;
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
        if (row->kind == US_ROW_SCORED)
            US_TRY(us_select_inputs_needs(row->metric, o->cut, row->rule_name, row->trajectory,
                                          &c->record_also));
    }
    for (int i = 0; i < c->sweep.n; i++)
        US_TRY(us_cell_check(c->data, o, &c->sweep.rows[i], c->record_also));
    warn_of_cutoffs(c);
out:
    return st;
}

/* All scoring runs that open cells need; those that choose in steps see to it themselves. */
static enum unseen_status check_room(const struct comparison *c)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_scoring_options scoring;
    struct us_room room = {0};
    char *folder = NULL;
    json_t *counted = json_object();
    US_TRY_ALLOC(counted);
    for (int i = 0; i < c->n_open; i++) {
        const struct task *task = &c->open[i];
        if (task->row->kind != US_ROW_SCORED || task->row->incremental)
            continue;
        US_TRY(us_sweep_scoring(c->options, task->row->protocol, task->seed, &scoring, &folder));
        scoring.record_also = c->record_also;
        const struct us_scoring run = us_scoring_of(&scoring, c->data, NULL);
        if (!json_object_get(counted, folder))
            US_TRY(us_room_add(&run, &room));
        json_object_set_new(counted, folder, json_true());
        free(folder);
        folder = NULL;
    }
    US_TRY(us_room_check(c->options->out, &room));
out:
    json_decref(counted);
    free(folder);
    return st;
}

/* Each scoring run that an open cell needs, once, and the coresets that are chosen in steps. */
static enum unseen_status record(struct comparison *c, struct unseen_device *device)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_scoring_options scoring;
    char *folder = NULL;
    json_t *done = json_object();
    US_TRY_ALLOC(done);
    for (int i = 0; i < c->n_open; i++) {
        const struct task *task = &c->open[i];
        if (task->row->kind != US_ROW_SCORED)
            continue;
        US_TRY(us_sweep_scoring(c->options, task->row->protocol, task->seed, &scoring, &folder));
        scoring.record_also = c->record_also;
        scoring.record_again = 1; /* longer lists may need more */
        if (task->row->incremental)
            US_TRY(us_cell_choose_in_steps(device, c->data, c->options, task->row, task->seed, &scoring));
        else if (!json_object_get(done, folder))
            US_TRY(unseen_record_trajectory(device, c->data, &scoring));
        json_object_set_new(done, folder, json_true());
        free(folder);
        folder = NULL;
    }
out:
    json_decref(done);
    free(folder);
    return st;
}

/* Called by several threads at once. */
static enum unseen_status run_cell(void *context, int i, struct us_session *session)
{
    struct comparison *c = context;
    return us_cell_run(c->options, c->open[i].row, c->open[i].seed, session, c->progress);
}

static enum unseen_status run_cells(struct comparison *c, struct unseen_device *device)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_workers *workers = NULL;
    if (!c->n_open)
        return UNSEEN_OK;
    const struct us_workers_task task = {.recipe = &c->options->recipe,
                                         .wanted = c->options->concurrent,
                                         .models = c->n_open,
                                         .steps = c->steps,
                                         .least = c->least /
                                                  2}; /* searches for a cut-off train on parts of coresets */
    US_TRY(us_workers_new(device, c->data, &task, &workers));
    c->progress = us_progress_begin("comparing", "images", c->images);
    st = us_workers_run(workers, c->n_open, run_cell, c);
out:
    us_progress_end(c->progress);
    us_workers_free(workers);
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

enum unseen_status unseen_compare(struct unseen_device *device, const struct unseen_dataset *data,
                                  const struct unseen_compare_options *asked, struct unseen_comparison **rows,
                                  int *n)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_compare_options resolved = *asked;
    const struct unseen_compare_options *options = &resolved;
    struct comparison c = {.options = options, .data = data};
    struct unseen_comparison *table = NULL;
    struct us_run_lock lock = {0};
    us_select_inputs_table(data, &resolved.select);
    US_TRY(check_test_split(data));
    US_TRY(unseen_recipe_check(&options->recipe));
    US_TRY(us_sweep_make(options, &c.sweep));
    US_TRY(check_rows(&c));
    US_TRY(lock_folder(device, data, options, &lock));
    US_TRY(find_open(&c));
    US_TRY(check_room(&c));
    US_TRY(record(&c, device));
    US_TRY(run_cells(&c, device));
    US_TRY_ALLOC(table = us_calloc((size_t)c.sweep.n, sizeof *table));
    US_TRY(us_comparison_gather(options, &c.sweep, table));
    US_TRY(us_comparison_write(options, device, data, table, c.sweep.n));
    if (rows) {
        *rows = table;
        if (n)
            *n = c.sweep.n;
        table = NULL;
    }
out:
    us_run_lock_end(&lock);
    free(table);
    free(c.open);
    us_sweep_free(&c.sweep);
    return st;
}
