#include "config.h"

#include "scoring/scoring_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/usable.h"
#include "scoring/folds.h"

const int64_t *us_kept_together(const struct unseen_scoring_options *options,
                                const struct unseen_dataset *data)
{
    return options->duplicates == UNSEEN_DUPLICATES_TOGETHER ? data->split[UNSEEN_TRAIN].duplicate_of : NULL;
}

struct us_scoring us_scoring_of(const struct unseen_scoring_options *options,
                                const struct unseen_dataset *data, const struct us_subset_run *subset)
{
    return (struct us_scoring){.options = options,
                               .subset = subset,
                               .data = data,
                               .n = data->split[UNSEEN_TRAIN].n,
                               .models_per_repeat = us_models_per_repeat(options)};
}

enum unseen_status us_scoring_split(struct us_scoring *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_scoring_options *o = run->options;
    if (o->protocol == UNSEEN_SEEN)
        return UNSEEN_OK;
    run->fold = us_calloc((size_t)run->n * o->repeats, 1);
    US_TRY_ALLOC(run->fold);
    for (int r = 0; r < o->repeats; r++)
        US_TRY(us_folds(run->data->split[UNSEEN_TRAIN].labels, us_kept_together(o, run->data), run->n,
                        run->data->classes, o->folds, o->seed, r, run->fold + (size_t)r * run->n));
out:
    return st;
}

int us_scoring_own(const struct us_scoring *run)
{
    const struct unseen_scoring_options *o = run->options;
    const int models = o->repeats * run->models_per_repeat;
    return o->jobs > 1 ? (models - o->job + o->jobs - 1) / o->jobs : models;
}

int us_scoring_own_number(const struct us_scoring *run, int i)
{
    const struct unseen_scoring_options *o = run->options;
    return o->jobs > 1 ? o->job + i * o->jobs : i;
}

/* Which samples a model trains on, is held out from, and stands for on the seen side. */
static void assign(struct us_scoring_model *m)
{
    const struct us_scoring *run = m->run;
    const struct unseen_scoring_options *o = run->options;
    const struct unseen_images *train = &run->data->split[UNSEEN_TRAIN];
    const uint8_t *fold = run->fold ? run->fold + (size_t)m->repeat * run->n : NULL;
    for (int64_t i = 0; i < run->n; i++) {
        int role = run->subset ? run->subset->role[i] : US_TRAINED_ON;
        bool other = !fold || (o->protocol == UNSEEN_FOLD ? fold[i] != m->fold : fold[i] == m->fold);
        bool trains = role == US_TRAINED_ON && other && us_is_usable(train, i);
        if (trains)
            m->train[m->n_train++] = i;
        else if (role == US_SCORED_BY_ALL_MODELS || !other)
            m->heldout[m->n_heldout++] = i;
        bool stands = o->protocol == UNSEEN_ONE_FOLD || !fold || (fold[i] + 1) % o->folds == m->fold;
        if (trains && stands && !run->subset)
            m->seen[m->n_seen++] = i;
    }
}

/* ---- checksums ---- */

static char *checksums_path(const struct us_scoring_model *m)
{
    return us_format("%s/checksums.json", m->folder);
}

static void hint_at_model(const struct us_scoring_model *m)
{
    us_hint("remove %s and run the command that made it again: this model is trained again, and no other",
            m->folder);
}

static enum unseen_status read_checksums(struct us_scoring_model *m)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = checksums_path(m);
    US_TRY_ALLOC(path);
    if (us_exists(path))
        st = us_json_load(path, &m->checksums);
    else if (!(m->checksums = json_object()))
        st = us_fail(UNSEEN_FAILED, "memory", "there is none for checksums");
    if (st == UNSEEN_BAD_DATA)
        hint_at_model(m);
out:
    free(path);
    return st;
}

enum unseen_status us_model_wrote(struct us_scoring_model *m, const char *path)
{
    char text[US_CHECKSUM_TEXT];
    const enum unseen_status st = us_checksum_written(path, text);
    if (!st && json_object_set_new(m->checksums, strrchr(path, '/') + 1, json_string(text)))
        return us_fail(UNSEEN_FAILED, "memory", "there is none for checksums");
    return st;
}

enum unseen_status us_model_keep_checksums(const struct us_scoring_model *m)
{
    char *path = checksums_path(m);
    const enum unseen_status st = path ? us_json_save(path, m->checksums) : UNSEEN_FAILED;
    free(path);
    return st;
}

enum unseen_status us_model_check(const struct us_scoring_model *m, const char *path)
{
    const char *sum = json_string_value(json_object_get(m->checksums, strrchr(path, '/') + 1));
    const enum unseen_status st = sum ? us_checksum_check(path, sum, "checksums.json beside it") : UNSEEN_OK;
    if (st == UNSEEN_BAD_DATA)
        hint_at_model(m);
    return st;
}

/* ---- beginning and end ---- */

enum unseen_status us_scoring_model_assign(const struct us_scoring *run, int repeat, int fold,
                                           struct us_scoring_model *m)
{
    enum unseen_status st = UNSEEN_OK;
    *m = (struct us_scoring_model){.run = run, .repeat = repeat, .fold = fold};
    m->evaluates = run->options->record == UNSEEN_RECORD_EVAL;
    if (run->options->out) {
        US_TRY_ALLOC(m->folder = us_model_folder(run->options->out, repeat, fold));
        US_TRY_ALLOC(m->state = us_format("%s/state.safetensors", m->folder));
    }
    m->train = us_calloc((size_t)run->n, sizeof *m->train);
    m->heldout = us_calloc((size_t)run->n, sizeof *m->heldout);
    m->seen = us_calloc((size_t)run->n, sizeof *m->seen);
    US_TRY_ALLOC(m->train);
    US_TRY_ALLOC(m->heldout);
    US_TRY_ALLOC(m->seen);
    assign(m);
out:
    if (st)
        us_scoring_model_end(m);
    return st;
}

enum unseen_status us_scoring_model_begin(const struct us_scoring *run, int repeat, int fold,
                                          struct us_scoring_model *m)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_scoring_model_assign(run, repeat, fold, m));
    US_TRY(us_make_folder(m->folder));
    US_TRY(read_checksums(m));
out:
    if (st)
        us_scoring_model_end(m);
    return st;
}

void us_scoring_model_end(struct us_scoring_model *m)
{
    free(m->train);
    free(m->heldout);
    free(m->seen);
    free(m->folder);
    free(m->state);
    json_decref(m->checksums);
    memset(m, 0, sizeof *m);
}

const int64_t *us_side_samples(const struct us_scoring_model *m, enum us_side side, int64_t *n)
{
    *n = side == US_SEEN_SIDE ? m->n_seen : m->n_heldout;
    return side == US_SEEN_SIDE ? m->seen : m->heldout;
}

char *us_model_folder(const char *out, int repeat, int fold)
{
    return us_format("%s/work/r%d-f%d", out, repeat, fold);
}

char *us_labels_path(const char *out)
{
    return us_format("%s/work/labels.npy", out);
}

char *us_skipped_path(const char *out)
{
    return us_format("%s/work/skipped.npy", out);
}

char *us_duplicates_path(const char *out)
{
    return us_format("%s/work/duplicate_of.npy", out);
}

int us_scoring_epochs(const struct us_scoring *run)
{
    return us_recipe_epochs(&run->options->recipe);
}

bool us_scoring_records(const struct us_scoring *run, enum unseen_quantity quantity)
{
    return quantity < UNSEEN_N_ALWAYS || run->options->record_also >> quantity & 1;
}

char *us_subset_weights(const char *folder, int number)
{
    return us_format("%s/model-%d.safetensors", folder, number);
}

char *us_record_path(const struct us_scoring_model *m, enum us_side side, const char *what, int epoch)
{
    return us_format("%s/%s-%s-%04d.npy", m->folder, side == US_SEEN_SIDE ? "seen" : "heldout", what, epoch);
}

char *us_centres_path(const struct us_scoring_model *m)
{
    return us_format("%s/centres.npy", m->folder);
}

int us_record_rows(const struct us_scoring *run)
{
    int rows = 0;
    for (int q = 0; q < UNSEEN_N_SCALAR; q++)
        rows += us_scoring_records(run, q);
    return rows;
}

int us_record_row(const struct us_scoring *run, enum unseen_quantity quantity)
{
    int row = 0;
    if (!us_scoring_records(run, quantity))
        return -1;
    for (int q = 0; q < (int)quantity; q++)
        row += us_scoring_records(run, q);
    return row;
}
