/* What a scoring model's passes leave on disk, epoch by epoch. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/half.h"
#include "base/npy_stream.h"
#include "base/output.h"
#include "scoring/scoring_model.h"

/* Keeps logarithms finite; as published for TDDS. */
#define TINY 1e-8

/* Of one side. Scalars [n] are those of the epoch under way. */
struct side {
    float *scalar[UNSEEN_N_SCALAR]; /* recorded on demand only; NULL: not recorded */
    struct us_npy_stream probs, softmax, features;
    struct us_npy before; /* softmax of the epoch before */
};

struct us_recorder {
    struct us_scoring_model *model;
    int epochs;
    int32_t *place; /* [training split] a sample's place on its side; -1: on none */
    struct side side[2];
    uint16_t *half; /* [classes] */
    int d;
    double *sum;    /* [classes][d] of the review's features */
    int64_t *count; /* [classes] */
};

/* ---- what is wanted ---- */

/* Whether a pass is recorded, and on which side. A side may be without samples, as is the
 * seen one of a run on a subset. */
static bool is_side(const struct us_scoring_model *m, enum us_pass_kind pass, enum us_side *side)
{
    int64_t n;
    *side = pass == US_PASS_HELDOUT ? US_UNSEEN_SIDE : US_SEEN_SIDE;
    us_side_samples(m, *side, &n);
    return n > 0 && (pass == US_PASS_HELDOUT || pass == (m->evaluates ? US_PASS_PROBE : US_PASS_TRAIN));
}

static bool features_now(const struct us_scoring_model *m, int epoch)
{
    return epoch == us_scoring_epochs(m->run) - 1 && us_scoring_records(m->run, UNSEEN_FEATURES);
}

static bool needs_probs(const struct us_scoring *run)
{
    return us_scoring_records(run, UNSEEN_PROBS) || us_scoring_records(run, UNSEEN_CHANGE) ||
           us_scoring_records(run, UNSEEN_PREDICTED) || us_scoring_records(run, UNSEEN_RUNNER_UP);
}

int us_recorder_sees(const struct us_scoring *run)
{
    bool features = us_scoring_records(run, UNSEEN_FEATURE_NORM) || us_scoring_records(run, UNSEEN_FEATURES);
    return (needs_probs(run) ? US_SEE_PROBS : 0) | (features ? US_SEE_FEATURES : 0);
}

static int wants(void *context, enum us_pass_kind pass, int epoch)
{
    const struct us_scoring_model *m = context;
    const struct us_scoring *run = m->run;
    enum us_side side;
    if (pass == US_PASS_REVIEW)
        return run->fold && features_now(m, epoch) ? US_SEE_FEATURES : 0;
    if (!is_side(m, pass, &side))
        return 0;
    bool features = us_scoring_records(run, UNSEEN_FEATURE_NORM) || features_now(m, epoch);
    return (needs_probs(run) ? US_SEE_PROBS : 0) | (features ? US_SEE_FEATURES : 0);
}

/* ---- wide files ---- */

/* Open a side's file for an epoch when its first row comes. */
static enum unseen_status need(struct us_recorder *r, enum us_side side, const char *what, int epoch,
                               enum us_dtype dtype, int width, struct us_npy_stream *stream)
{
    int64_t n;
    if (us_npy_stream_open(stream))
        return UNSEEN_OK;
    us_side_samples(r->model, side, &n);
    char *path = us_record_path(r->model, side, what, epoch);
    if (!path)
        return UNSEEN_FAILED;
    enum unseen_status st = us_npy_stream_begin(path, dtype, 2, (int64_t[]){n, width}, stream);
    free(path);
    return st;
}

static enum unseen_status need_before(struct us_recorder *r, enum us_side side, int epoch, int classes)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_npy *before = &r->side[side].before;
    int64_t n;
    if (epoch == 0 || before->data)
        return UNSEEN_OK;
    us_side_samples(r->model, side, &n);
    char *path = us_record_path(r->model, side, "softmax", epoch - 1);
    US_TRY_ALLOC(path);
    US_TRY(us_model_check(r->model, path));
    US_TRY(us_npy_open_as(path, US_F32, 2, before));
    if (before->shape[0] != n || before->shape[1] != classes)
        st = us_fail(UNSEEN_BAD_DATA, path, "not a record of this run");
out:
    free(path);
    return st;
}

static enum unseen_status open_wide(struct us_recorder *r, enum us_side side, const struct us_rows *rows)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_scoring *run = r->model->run;
    struct side *s = &r->side[side];
    if (us_scoring_records(run, UNSEEN_PROBS))
        US_TRY(need(r, side, "probs", rows->epoch, US_F16, rows->classes, &s->probs));
    if (us_scoring_records(run, UNSEEN_CHANGE)) {
        US_TRY(need(r, side, "softmax", rows->epoch, US_F32, rows->classes, &s->softmax));
        US_TRY(need_before(r, side, rows->epoch, rows->classes));
    }
    if (features_now(r->model, rows->epoch))
        US_TRY(need(r, side, "features", rows->epoch, US_F32, rows->feature_count, &s->features));
out:
    return st;
}

/* ---- rows ---- */

static float change(const float *now, const float *before, int classes)
{
    double sum = 0;
    for (int c = 0; c < classes; c++)
        sum += fabs((double)now[c] * (log((double)now[c] + TINY) - log((double)before[c] + TINY)));
    return (float)sum;
}

static int largest(const float *values, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = values[i] > values[best] ? i : best;
    return best;
}

static float second_largest(const float *values, int n)
{
    float first = values[0], second = 0;
    for (int i = 1; i < n; i++) {
        second = fmaxf(second, fminf(first, values[i]));
        first = fmaxf(first, values[i]);
    }
    return second;
}

static enum unseen_status keep_probs(struct us_recorder *r, struct side *s, size_t place, const float *probs,
                                     int classes)
{
    enum unseen_status st = UNSEEN_OK;
    size_t first = place * (size_t)classes;
    if (s->scalar[UNSEEN_PREDICTED])
        s->scalar[UNSEEN_PREDICTED][place] = (float)largest(probs, classes);
    if (s->scalar[UNSEEN_RUNNER_UP])
        s->scalar[UNSEEN_RUNNER_UP][place] = second_largest(probs, classes);
    if (s->scalar[UNSEEN_CHANGE]) {
        const float *before = s->before.data;
        s->scalar[UNSEEN_CHANGE][place] = before ? change(probs, before + first, classes) : 0;
        US_TRY(us_npy_stream_put(&s->softmax, first, (size_t)classes, probs));
    }
    if (us_npy_stream_open(&s->probs)) {
        for (int c = 0; c < classes; c++)
            r->half[c] = us_float_to_half(probs[c]);
        US_TRY(us_npy_stream_put(&s->probs, first, (size_t)classes, r->half));
    }
out:
    return st;
}

static enum unseen_status keep_features(struct side *s, size_t place, const float *features, int d)
{
    if (s->scalar[UNSEEN_FEATURE_NORM]) {
        double square = 0;
        for (int j = 0; j < d; j++)
            square += (double)features[j] * features[j];
        s->scalar[UNSEEN_FEATURE_NORM][place] = (float)sqrt(square);
    }
    if (!us_npy_stream_open(&s->features))
        return UNSEEN_OK;
    return us_npy_stream_put(&s->features, place * (size_t)d, (size_t)d, features);
}

/* The review: add up features by label. */
static enum unseen_status add_up(struct us_recorder *r, const struct us_rows *rows)
{
    const int32_t *labels = r->model->run->data->split[UNSEEN_TRAIN].labels;
    if (!r->sum) {
        r->d = rows->feature_count;
        r->sum = us_calloc((size_t)rows->classes * (size_t)r->d, sizeof *r->sum);
        r->count = us_calloc((size_t)rows->classes, sizeof *r->count);
        if (!r->sum || !r->count)
            return UNSEEN_FAILED;
    }
    for (int i = 0; i < rows->n; i++) {
        int32_t label = labels[rows->samples[i]];
        double *sum = r->sum + (size_t)label * (size_t)r->d;
        for (int j = 0; j < r->d; j++)
            sum[j] += (double)rows->features[(size_t)i * (size_t)r->d + (size_t)j];
        r->count[label]++;
    }
    return UNSEEN_OK;
}

static enum unseen_status see(void *context, const struct us_rows *rows)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_recorder *r = ((struct us_scoring_model *)context)->recorder;
    enum us_side side;
    if (rows->pass == US_PASS_REVIEW)
        return add_up(r, rows);
    if (!is_side(r->model, rows->pass, &side))
        return UNSEEN_OK;
    US_TRY(open_wide(r, side, rows));
    for (int i = 0; i < rows->n; i++) {
        int32_t place = r->place[rows->samples[i]];
        if (place < 0)
            continue;
        if (rows->probs)
            US_TRY(keep_probs(r, &r->side[side], (size_t)place,
                              rows->probs + (size_t)i * (size_t)rows->classes, rows->classes));
        if (rows->features)
            US_TRY(keep_features(&r->side[side], (size_t)place,
                                 rows->features + (size_t)i * (size_t)rows->feature_count,
                                 rows->feature_count));
    }
    us_npy_drop_pages(&r->side[side].before);
out:
    return st;
}

/* ---- beginning and end ---- */

static enum unseen_status make_room(struct us_recorder *r)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_scoring *run = r->model->run;
    US_TRY_ALLOC(r->half = us_calloc((size_t)run->data->classes, sizeof *r->half));
    US_TRY_ALLOC(r->place = us_calloc((size_t)run->n, sizeof *r->place));
    for (int64_t i = 0; i < run->n; i++)
        r->place[i] = -1;
    for (int side = 0; side < 2; side++) {
        int64_t n;
        const int64_t *samples = us_side_samples(r->model, side, &n);
        for (int64_t i = 0; i < n; i++)
            r->place[samples[i]] = (int32_t)i;
        for (int q = UNSEEN_N_ALWAYS; q < UNSEEN_N_SCALAR; q++) {
            if (us_scoring_records(run, q))
                US_TRY_ALLOC(r->side[side].scalar[q] = us_calloc((size_t)n, sizeof(float)));
        }
    }
out:
    return st;
}

struct us_observer us_recorder_observer(struct us_scoring_model *model)
{
    return (struct us_observer){.wants = wants, .see = see, .context = model};
}

enum unseen_status us_recorder_new(struct us_scoring_model *model)
{
    struct us_recorder *r = us_calloc(1, sizeof *r);
    if (!r)
        return UNSEEN_FAILED;
    r->model = model;
    model->recorder = r;
    return make_room(r);
}

void us_recorder_free(struct us_recorder *r)
{
    if (!r)
        return;
    for (int side = 0; side < 2; side++) {
        struct side *s = &r->side[side];
        us_npy_stream_abandon(&s->probs);
        us_npy_stream_abandon(&s->softmax);
        us_npy_stream_abandon(&s->features);
        us_npy_close(&s->before);
        for (int q = 0; q < UNSEEN_N_SCALAR; q++)
            free(s->scalar[q]);
    }
    free(r->place);
    free(r->half);
    free(r->sum);
    free(r->count);
    free(r);
}

/* ---- an epoch's files ---- */

/* The columns of `record` that belong to the side, in ascending order as both are, and what was seen beside.
 */
static enum unseen_status write_record(struct us_scoring_model *m, enum us_side side, int epoch,
                                       const struct us_sample_stats *record)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t n, column = 0;
    const int64_t *samples = us_side_samples(m, side, &n);
    int rows = us_record_rows(m->run);
    char *path = us_record_path(m, side, "record", epoch);
    float *values = us_calloc((size_t)n * (size_t)rows, sizeof *values);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(values);
    for (int64_t i = 0; i < n; i++) {
        while (record->samples[column] != samples[i])
            column++;
        for (int q = 0; q < UNSEEN_N_ALWAYS; q++)
            values[q * n + i] = record->value[q * record->n + column];
    }
    for (int q = UNSEEN_N_ALWAYS; q < UNSEEN_N_SCALAR; q++) {
        const float *from = m->recorder->side[side].scalar[q];
        float *to = from ? values + us_record_row(m->run, q) * n : NULL;
        for (int64_t i = 0; to && i < n; i++)
            to[i] = from[i];
    }
    US_TRY(us_npy_write(path, US_F32, 2, (int64_t[]){rows, n}, values));
    US_TRY(us_model_wrote(m, path));
out:
    free(values);
    free(path);
    return st;
}

/* Of a side's file that was begun for the epoch. */
static enum unseen_status commit(struct us_scoring_model *m, enum us_side side, const char *what, int epoch,
                                 struct us_npy_stream *stream)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = NULL;
    if (!us_npy_stream_open(stream))
        return UNSEEN_OK;
    US_TRY_ALLOC(path = us_record_path(m, side, what, epoch));
    US_TRY(us_npy_stream_commit(stream));
    US_TRY(us_model_wrote(m, path));
out:
    free(path);
    return st;
}

/* The softmax before the last epoch's: the checkpoint of the epoch after it is written, so no resumed run
 * will ask for it. */
static enum unseen_status drop_softmax(const struct us_scoring_model *m, enum us_side side, int epoch)
{
    if (epoch < 0)
        return UNSEEN_OK;
    char *path = us_record_path(m, side, "softmax", epoch);
    const enum unseen_status st = path ? us_remove_file(path) : UNSEEN_FAILED;
    free(path);
    return st;
}

static enum unseen_status end_side(struct us_scoring_model *m, enum us_side side, int epoch,
                                   const struct us_sample_stats *record)
{
    enum unseen_status st = UNSEEN_OK;
    struct side *s = &m->recorder->side[side];
    US_TRY(commit(m, side, "probs", epoch, &s->probs));
    US_TRY(commit(m, side, "softmax", epoch, &s->softmax));
    US_TRY(commit(m, side, "features", epoch, &s->features));
    US_TRY(write_record(m, side, epoch, record));
    if (s->scalar[UNSEEN_CHANGE]) {
        us_npy_close(&s->before);
        US_TRY(drop_softmax(m, side, epoch - 2));
    }
out:
    return st;
}

/* Classes that the model never met have a centre of zeros. */
static enum unseen_status write_centres(struct us_scoring_model *m)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_recorder *r = m->recorder;
    int64_t classes = m->run->data->classes;
    size_t d = (size_t)r->d;
    char *path = us_centres_path(m);
    float *centres = us_calloc((size_t)classes * d, sizeof *centres);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(centres);
    for (size_t c = 0; c < (size_t)classes; c++)
        for (size_t j = 0; j < d && r->count[c]; j++)
            centres[c * d + j] = (float)(r->sum[c * d + j] / (double)r->count[c]);
    US_TRY(us_npy_write(path, US_F32, 2, (int64_t[]){classes, r->d}, centres));
    US_TRY(us_model_wrote(m, path));
out:
    free(centres);
    free(path);
    return st;
}

enum unseen_status us_record_epoch(void *context, const struct unseen_epoch *epoch,
                                   const struct us_sample_stats *trained,
                                   const struct us_sample_stats *heldout, const struct us_sample_stats *probe)
{
    struct us_scoring_model *m = context;
    enum unseen_status st = UNSEEN_OK;
    if (m->n_heldout)
        US_TRY(end_side(m, US_UNSEEN_SIDE, epoch->epoch, heldout));
    if (m->n_seen)
        US_TRY(end_side(m, US_SEEN_SIDE, epoch->epoch, m->evaluates ? probe : trained));
    if (m->recorder->sum)
        US_TRY(write_centres(m));
    US_TRY(us_model_keep_checksums(m));
out:
    return st;
}
