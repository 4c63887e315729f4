/* From the work files of all models to one trajectory, a slice at a time. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "scoring/scoring_model.h"
#include "trajectory/trajectory.h"

/* Of the wide arrays, in memory at once. */
#define SLICE_BYTES ((size_t)64 << 20)

struct gather {
    const struct us_scoring *run;
    enum us_side side;
    int scorers;                    /* models that score a sample: each gives a repeat of the trajectory */
    struct us_scoring_model *model; /* [models_per_repeat] of one repeat of the run */
    struct us_trajectory_writer writer;
};

/* Whether model m is the scorer number `scorer` of sample i: scorer s of a sample of fold k is model
 * (k + 1 + s) mod folds, in a subset run (k + s) mod folds. Each model is scorer s of one fold's samples. */
static bool belongs(const struct gather *g, const struct us_scoring_model *m, int scorer, int64_t i)
{
    const struct us_subset_run *subset = g->run->subset;
    if (g->scorers == 1 || (subset && subset->role[i] != US_SCORED_BY_ALL_MODELS))
        return true;
    int folds = g->run->options->folds;
    int own = g->run->fold[(size_t)m->repeat * g->run->n + i];
    return (m->fold - own - (subset ? 0 : 1) + folds) % folds == scorer;
}

/* One model's work file, whose shape is checked as far as it is given (negative: any). Takes `path`. */
static enum unseen_status open_file(const struct us_scoring_model *m, char *path, enum us_dtype dtype,
                                    int64_t rows, int64_t columns, struct us_npy *array)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(path);
    US_TRY(us_model_check(m, path));
    US_TRY(us_npy_open_as(path, dtype, 2, array));
    if ((rows >= 0 && array->shape[0] != rows) || (columns >= 0 && array->shape[1] != columns)) {
        st = us_fail(UNSEEN_BAD_DATA, path, "not a record of this run");
        us_hint("remove the folder of this file and run the same command again");
    }
out:
    free(path);
    return st;
}

/* ---- scalars ---- */

static enum unseen_status scatter(const struct gather *g, const struct us_scoring_model *m, int scorer,
                                  int epoch, float *rows)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_npy array = {0};
    int64_t n;
    const int64_t *samples = us_side_samples(m, g->side, &n);
    int count = us_record_rows(g->run);
    US_TRY(open_file(m, us_record_path(m, g->side, "record", epoch), US_F32, count, n, &array));
    const float *values = array.data;
    for (int64_t i = 0; i < n; i++) {
        for (int q = 0; q < count && belongs(g, m, scorer, samples[i]); q++)
            rows[q * g->run->n + samples[i]] = values[q * n + i];
    }
out:
    us_npy_close(&array);
    return st;
}

static enum unseen_status put_scalars(struct gather *g, int repeat, int epoch, float *rows, uint8_t *correct)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t n = g->run->n;
    size_t at = ((size_t)repeat * (size_t)g->writer.view.epochs + (size_t)epoch) * (size_t)n;
    for (int f = 0; f < g->run->models_per_repeat; f++)
        US_TRY(scatter(g, &g->model[f], repeat % g->scorers, epoch, rows));
    for (int64_t i = 0; i < n; i++)
        correct[i] = rows[UNSEEN_CORRECT * n + i] > 0.5f;
    for (int q = 0; q < UNSEEN_N_SCALAR; q++) {
        int row = us_record_row(g->run, q);
        if (row < 0)
            continue;
        const void *values = q == UNSEEN_CORRECT ? (const void *)correct : rows + row * n;
        US_TRY(us_trajectory_put(&g->writer, q, at, (size_t)n, values));
    }
out:
    return st;
}

static enum unseen_status put_all_scalars(struct gather *g, int repeat)
{
    enum unseen_status st = UNSEEN_OK;
    size_t n = (size_t)g->run->n;
    float *rows = us_calloc(n * (size_t)us_record_rows(g->run), sizeof *rows);
    uint8_t *correct = us_calloc(n, 1);
    US_TRY_ALLOC(rows);
    US_TRY_ALLOC(correct);
    for (int e = 0; e < g->writer.view.epochs; e++)
        US_TRY(put_scalars(g, repeat, e, rows, correct));
out:
    free(correct);
    free(rows);
    return st;
}

/* ---- wide arrays ---- */

/* How many of samples [n], ascending, lie below `bound`. */
static int64_t below(const int64_t *samples, int64_t n, int64_t bound)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (samples[middle] < bound)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The rows of one model that fall on samples first..last-1, into `slice` from sample `first` on. */
static void copy_rows(const struct gather *g, const struct us_scoring_model *m, int scorer,
                      const struct us_npy *array, size_t row_bytes, int64_t first, int64_t last, char *slice)
{
    int64_t n;
    const int64_t *samples = us_side_samples(m, g->side, &n);
    for (int64_t i = below(samples, n, first); i < n && samples[i] < last; i++) {
        if (belongs(g, m, scorer, samples[i]))
            memcpy(slice + (size_t)(samples[i] - first) * row_bytes,
                   (const char *)array->data + (size_t)i * row_bytes, row_bytes);
    }
}

/* An array of `width` elements a sample; `block` counts its blocks of n samples. */
static enum unseen_status put_wide(struct gather *g, int quantity, const char *what, int repeat, int epoch,
                                   size_t block, int width)
{
    enum unseen_status st = UNSEEN_OK;
    enum us_dtype dtype = us_trajectory_dtype(quantity);
    size_t row_bytes = us_dtype_size(dtype) * (size_t)width;
    int64_t n = g->run->n, step = (int64_t)(SLICE_BYTES / row_bytes) + 1;
    int models = g->run->models_per_repeat;
    struct us_npy *file = us_calloc((size_t)models, sizeof *file);
    char *slice = us_calloc((size_t)(step < n ? step : n), row_bytes);
    US_TRY_ALLOC(file);
    US_TRY_ALLOC(slice);
    for (int f = 0; f < models; f++) {
        int64_t rows;
        us_side_samples(&g->model[f], g->side, &rows);
        US_TRY(open_file(&g->model[f], us_record_path(&g->model[f], g->side, what, epoch), dtype, rows, width,
                         &file[f]));
    }
    for (int64_t first = 0; first < n; first += step) {
        int64_t last = first + step < n ? first + step : n;
        for (int f = 0; f < models; f++) {
            copy_rows(g, &g->model[f], repeat % g->scorers, &file[f], row_bytes, first, last, slice);
            us_npy_drop_pages(&file[f]);
        }
        US_TRY(us_trajectory_put(&g->writer, quantity, (block * (size_t)n + (size_t)first) * (size_t)width,
                                 (size_t)(last - first) * (size_t)width, slice));
    }
out:
    for (int f = 0; file && f < models; f++)
        us_npy_close(&file[f]);
    free(file);
    free(slice);
    return st;
}

static enum unseen_status put_centres(struct gather *g, int repeat)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = &g->writer.view;
    size_t each = (size_t)t->classes * (size_t)t->feature_count;
    struct us_npy array = {0};
    for (int f = 0; f < t->folds; f++) {
        US_TRY(open_file(&g->model[f], us_centres_path(&g->model[f]), US_F32, t->classes, t->feature_count,
                         &array));
        US_TRY(us_trajectory_put(&g->writer, US_CENTRES,
                                 ((size_t)repeat * (size_t)t->folds + (size_t)f) * each, each, array.data));
        us_npy_close(&array);
    }
out:
    us_npy_close(&array);
    return st;
}

static enum unseen_status put_all_wide(struct gather *g, int repeat)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = &g->writer.view;
    for (int e = 0; e < t->epochs && us_scoring_records(g->run, UNSEEN_PROBS); e++)
        US_TRY(put_wide(g, UNSEEN_PROBS, "probs", repeat, e, (size_t)repeat * (size_t)t->epochs + (size_t)e,
                        t->classes));
    if (us_scoring_records(g->run, UNSEEN_FEATURES))
        US_TRY(put_wide(g, UNSEEN_FEATURES, "features", repeat, t->epochs - 1, (size_t)repeat,
                        t->feature_count));
    if (us_scoring_records(g->run, UNSEEN_GRADIENT_NORM))
        US_TRY(put_wide(g, UNSEEN_GRADIENT_NORM, "gradient", repeat, t->epochs - 1, (size_t)repeat, 1));
    if (g->writer.record >> US_CENTRES & 1)
        US_TRY(put_centres(g, repeat));
out:
    return st;
}

/* ---- all ---- */

static enum unseen_status put_folds(struct gather *g, int repeat)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t n;
    uint8_t *fold = us_calloc((size_t)g->run->n, 1);
    US_TRY_ALLOC(fold);
    for (int f = 0; f < g->run->models_per_repeat; f++) {
        const int64_t *samples = us_side_samples(&g->model[f], g->side, &n);
        for (int64_t i = 0; i < n; i++) {
            if (belongs(g, &g->model[f], repeat % g->scorers, samples[i]))
                fold[samples[i]] = (uint8_t)g->model[f].fold;
        }
    }
    US_TRY(
        us_trajectory_put(&g->writer, US_FOLD, (size_t)repeat * (size_t)g->run->n, (size_t)g->run->n, fold));
out:
    free(fold);
    return st;
}

static enum unseen_status put_labels(struct gather *g)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t n = g->run->n;
    int64_t *labels = us_calloc((size_t)n, sizeof *labels);
    US_TRY_ALLOC(labels);
    for (int64_t i = 0; i < n; i++)
        labels[i] = g->run->data->split[UNSEEN_TRAIN].labels[i];
    US_TRY(us_trajectory_put(&g->writer, US_LABELS, 0, (size_t)n, labels));
out:
    free(labels);
    return st;
}

static enum unseen_status put_skipped(struct gather *g)
{
    const struct unseen_images *train = &g->run->data->split[UNSEEN_TRAIN];
    return train->skipped ? us_trajectory_put(&g->writer, US_SKIPPED, 0, (size_t)g->run->n, train->skipped)
                          : UNSEEN_OK;
}

static enum unseen_status put_repeat(struct gather *g, int repeat)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(put_all_scalars(g, repeat));
    US_TRY(put_all_wide(g, repeat));
    if (g->writer.view.folds)
        US_TRY(put_folds(g, repeat));
out:
    return st;
}

/* The width of features is known from the file of any model. */
static enum unseen_status count_features(struct gather *g)
{
    struct us_npy array = {0};
    struct us_scoring_model m;
    if (!us_scoring_records(g->run, UNSEEN_FEATURES))
        return UNSEEN_OK;
    enum unseen_status st = us_scoring_model_begin(g->run, 0, 0, &m);
    if (st)
        return st;
    US_TRY(open_file(&m, us_record_path(&m, g->side, "features", g->writer.view.epochs - 1), US_F32, -1, -1,
                     &array));
    g->writer.view.feature_count = (int)array.shape[1];
    if (g->writer.view.folds)
        g->writer.record |= 1u << US_CENTRES;
out:
    us_npy_close(&array);
    us_scoring_model_end(&m);
    return st;
}

/* Models that score the sample that is scored by most. */
static int count_scorers(const struct us_scoring *run)
{
    const struct us_subset_run *subset = run->subset;
    if (run->options->protocol == UNSEEN_ONE_FOLD)
        return run->options->folds - 1;
    for (int64_t i = 0; subset && i < run->n; i++) {
        if (subset->role[i] == US_SCORED_BY_ALL_MODELS)
            return run->options->folds;
    }
    return 1;
}

struct unseen_trajectory us_gathered(const struct us_scoring *run, enum us_side side)
{
    const struct unseen_scoring_options *o = run->options;
    bool unseen = side == US_UNSEEN_SIDE;
    return (struct unseen_trajectory){
        .protocol = unseen ? o->protocol : UNSEEN_SEEN,
        .n = run->n,
        .repeats = o->repeats * (unseen ? count_scorers(run) : 1),
        .epochs = us_scoring_epochs(run),
        .classes = run->data->classes,
        .folds = o->protocol == UNSEEN_SEEN ? 0 : o->folds,
        .skipped = run->data->split[UNSEEN_TRAIN].skipped,
    };
}

static enum unseen_status describe(struct gather *g)
{
    const struct unseen_scoring_options *o = g->run->options;
    g->writer.evaluated = g->side == US_UNSEEN_SIDE || o->record == UNSEEN_RECORD_EVAL;
    g->writer.record = o->record_also;
    g->writer.view = us_gathered(g->run, g->side);
    g->scorers = g->writer.view.repeats / o->repeats;
    return count_features(g);
}

enum unseen_status us_gather(const struct us_scoring *run, enum us_side side, const char *name)
{
    enum unseen_status st = UNSEEN_OK;
    struct gather g = {.run = run, .side = side};
    int models = run->models_per_repeat;
    char *folder = us_format("%s/%s", run->options->out, name);
    g.model = us_calloc((size_t)models, sizeof *g.model);
    US_TRY_ALLOC(folder);
    US_TRY_ALLOC(g.model);
    US_TRY(describe(&g));
    US_TRY(us_trajectory_begin(&g.writer, folder));
    for (int r = 0; r < run->options->repeats; r++) {
        for (int f = 0; f < models; f++)
            US_TRY(us_scoring_model_begin(run, r, f, &g.model[f]));
        for (int scorer = 0; scorer < g.scorers; scorer++)
            US_TRY(put_repeat(&g, r * g.scorers + scorer));
        for (int f = 0; f < models; f++)
            us_scoring_model_end(&g.model[f]);
    }
    US_TRY(put_labels(&g));
    US_TRY(put_skipped(&g));
    US_TRY(us_trajectory_finish(&g.writer));
out:
    us_trajectory_abandon(&g.writer);
    for (int f = 0; g.model && f < models; f++)
        us_scoring_model_end(&g.model[f]);
    free(g.model);
    free(folder);
    return st;
}
