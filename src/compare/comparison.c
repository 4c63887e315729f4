#include "config.h"

#include "compare/comparison.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "compare/cell.h"
#include "compare/columns.h"

/* The results of all rows and seeds. */
struct cells {
    const struct us_sweep *sweep;
    int seeds;
    struct us_cell_result *result; /* [sweep->n][seeds] */
};

static const struct us_cell_result *cell_at(const struct cells *cells, int row, int seed)
{
    return row < 0 ? NULL : &cells->result[(size_t)row * (size_t)cells->seeds + (size_t)seed];
}

/* One that is done. `untold` counts those that do not tell classes apart. */
static enum unseen_status read_cell(const char *folder, int classes, struct us_cell_result *result,
                                    int *untold)
{
    bool done;
    const enum unseen_status st = us_cell_result_read(folder, result, &done);
    if (st)
        return st;
    if (!done)
        return us_fail(UNSEEN_FAILED, folder, "has lost its result");
    if (result->classes == 0) {
        us_log(UNSEEN_LOG_DEBUG, "%s: its result does not tell classes apart", folder);
        (*untold)++;
    } else if (result->classes != classes) {
        char *path = us_format("%s/result.json", folder);
        us_fail(UNSEEN_BAD_DATA, path ? path : folder,
                "class_accuracy is of %d classes, and the data have %d", result->classes, classes);
        free(path);
        return UNSEEN_BAD_DATA;
    }
    return UNSEEN_OK;
}

static enum unseen_status cells_read(const struct unseen_compare_options *o, int classes, struct cells *cells)
{
    enum unseen_status st = UNSEEN_OK;
    char *folder = NULL;
    int untold = 0;
    cells->result = us_calloc((size_t)cells->sweep->n * (size_t)cells->seeds, sizeof *cells->result);
    US_TRY_ALLOC(cells->result);
    for (int i = 0; i < cells->sweep->n * cells->seeds; i++) {
        US_TRY_ALLOC(folder = us_cell_folder(o, &cells->sweep->rows[i / cells->seeds], i % cells->seeds));
        US_TRY(read_cell(folder, classes, &cells->result[i], &untold));
        free(folder);
        folder = NULL;
    }
    if (untold)
        us_log(UNSEEN_LOG_WARNING,
               "%s: a version that did not test by class left %d of the results: columns of classes stay "
               "empty in their rows; remove a model's folder in cells/ to train it again",
               o->out, untold);
out:
    free(folder);
    return st;
}

static void cells_free(struct cells *cells)
{
    for (int i = 0; cells->result && i < cells->sweep->n * cells->seeds; i++)
        us_cell_result_end(&cells->result[i]);
    free(cells->result);
}

/* The row that is as this one but for its protocol; -1: there is none. */
static int find_protocol(const struct us_sweep *sweep, const struct us_row *row, const char *protocol)
{
    for (int i = 0; i < sweep->n; i++) {
        const struct us_row *other = &sweep->rows[i];
        if (other->kind == US_ROW_SCORED && other->keep == row->keep &&
            strcmp(other->protocol, protocol) == 0 && strcmp(other->metric, row->metric) == 0 &&
            strcmp(other->rule, row->rule) == 0)
            return i;
    }
    return -1;
}

static int find_random(const struct us_sweep *sweep, const struct us_row *row)
{
    for (int i = 0; i < sweep->n; i++) {
        const struct us_row *other = &sweep->rows[i];
        if (other->kind == US_ROW_RANDOM && other->keep == row->keep && other != row)
            return i;
    }
    return -1;
}

/* What choosing the coreset of a row took for a seed. */
static enum unseen_status find_cost(const struct unseen_compare_options *o, const struct us_row *row,
                                    int seed, struct us_scoring_cost *cost)
{
    struct unseen_scoring_options scoring;
    char *folder = NULL;
    *cost = (struct us_scoring_cost){0};
    if (row->kind != US_ROW_SCORED)
        return UNSEEN_OK;
    enum unseen_status st = us_sweep_scoring(o, row->protocol, seed, &scoring, &folder);
    if (st == UNSEEN_OK)
        st = us_scoring_cost(folder, cost);
    free(folder);
    return st;
}

static enum unseen_status find_wrong(const struct unseen_compare_options *o,
                                     const struct unseen_dataset *data, const struct us_row *row, int seed,
                                     double *share)
{
    char *folder = us_cell_folder(o, row, seed);
    const enum unseen_status st =
        folder ? us_cell_wrong(folder, &data->split[UNSEEN_TRAIN], share) : UNSEEN_FAILED;
    free(folder);
    return st;
}

static enum unseen_status compare_models(const struct unseen_compare_options *o,
                                         const struct unseen_dataset *data, const struct cells *cells,
                                         int row, struct us_compared *models)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_row *r = &cells->sweep->rows[row];
    const bool unseen = r->kind == US_ROW_SCORED && r->trajectory != UNSEEN_SEEN;
    const int seen = unseen ? find_protocol(cells->sweep, r, US_PROTOCOL_SEEN) : -1;
    const bool fold = unseen && strcmp(r->protocol, us_sweep_scoring_name(US_PROTOCOL_FOLD_SEEN)) == 0;
    const int fold_seen = fold ? find_protocol(cells->sweep, r, US_PROTOCOL_FOLD_SEEN) : -1;
    const int random = find_random(cells->sweep, r);
    for (int s = 0; s < cells->seeds; s++) {
        models[s] = (struct us_compared){.row = r,
                                         .cell = cell_at(cells, row, s),
                                         .seen = cell_at(cells, seen, s),
                                         .fold_seen = cell_at(cells, fold_seen, s),
                                         .random = cell_at(cells, random, s)};
        US_TRY(find_cost(o, r, s, &models[s].scoring));
        US_TRY(find_wrong(o, data, r, s, &models[s].wrong_kept));
    }
out:
    return st;
}

/* The class that all models together do worst on; "" where one does not tell. */
static void find_worst_class(const struct unseen_dataset *data, const struct us_compared *models, int n,
                             struct unseen_comparison *line)
{
    double lowest = INFINITY;
    for (int c = 0; c < data->classes; c++) {
        double sum = 0;
        for (int s = 0; s < n; s++)
            sum += c < models[s].cell->classes ? models[s].cell->class_accuracy[c] : NAN;
        if (!(sum < lowest))
            continue;
        lowest = sum;
        snprintf(line->worst_class, sizeof line->worst_class, "%s", data->class_names[c]);
    }
}

static enum unseen_status gather_row(const struct unseen_compare_options *o,
                                     const struct unseen_dataset *data, const struct cells *cells, int row,
                                     struct unseen_comparison *line)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_row *r = &cells->sweep->rows[row];
    const struct us_cell_result *last = cell_at(cells, row, cells->seeds - 1);
    struct us_compared *models = us_calloc((size_t)cells->seeds, sizeof *models);
    US_TRY_ALLOC(models);
    *line = (struct unseen_comparison){.keep = r->keep,
                                       .kept = last->kept,
                                       .seeds = cells->seeds,
                                       .epochs = last->epochs,
                                       .steps = last->steps};
    snprintf(line->metric, sizeof line->metric, "%s", r->metric);
    snprintf(line->protocol, sizeof line->protocol, "%s", r->protocol);
    snprintf(line->rule, sizeof line->rule, "%s", r->rule);
    if (r->kind == US_ROW_SCORED)
        snprintf(line->scoring_run, sizeof line->scoring_run, "%s", us_sweep_scoring_name(r->protocol));
    US_TRY(compare_models(o, data, cells, row, models));
    US_TRY(us_columns_estimate(models, cells->seeds, line));
    find_worst_class(data, models, cells->seeds, line);
out:
    free(models);
    return st;
}

enum unseen_status us_comparison_gather(const struct unseen_compare_options *o,
                                        const struct unseen_dataset *data, const struct us_sweep *sweep,
                                        struct unseen_comparison *table)
{
    enum unseen_status st = UNSEEN_OK;
    struct cells cells = {.sweep = sweep, .seeds = o->seeds};
    US_TRY(cells_read(o, data->classes, &cells));
    for (int i = 0; i < sweep->n; i++)
        US_TRY(gather_row(o, data, &cells, i, &table[i]));
out:
    cells_free(&cells);
    return st;
}
