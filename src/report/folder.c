#include "config.h"

#include "report/folder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/dataset_options.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/npy.h"
#include "base/order.h"
#include "base/vectors.h"
#include "prune/audit_options.h"
#include "trajectory/trajectory.h"
#include "unseen/audit.h"
#include "unseen/score.h"

static enum unseen_status read_run(struct us_run_folder *f)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = us_format("%s/run.json", f->path);
    US_TRY_ALLOC(path);
    if (!us_exists(path)) {
        st = us_fail(UNSEEN_BAD_DATA, path, "is not there");
        us_hint("name a folder that unseen prune or unseen train wrote");
        goto out;
    }
    US_TRY(us_json_load(path, &f->run));
out:
    free(path);
    return st;
}

/* One vector of finite scores; its length sets or must match f->n. Nothing happens if the file is not there.
 */
static enum unseen_status read_scores(struct us_run_folder *f, const char *name, float **scores)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t n = 0;
    char *path = us_format("%s/%s", f->path, name);
    US_TRY_ALLOC(path);
    if (!us_exists(path))
        goto out;
    US_TRY(us_checksum_check_beside(path));
    US_TRY(us_npy_read_f32(path, 1, &n, scores));
    if (f->n && n != f->n) {
        st = us_fail(UNSEEN_BAD_DATA, path,
                     "holds %" PRId64 " scores, other files of the folder %" PRId64 " samples", n, f->n);
        goto out;
    }
    if (n == 0) {
        st = us_fail(UNSEEN_BAD_DATA, path, "holds no score");
        goto out;
    }
    f->n = n;
    US_TRY(us_check_finite(path, *scores, n));
out:
    free(path);
    return st;
}

static enum unseen_status sort_scores(struct us_run_folder *f)
{
    if (!f->scores)
        return UNSEEN_OK;
    f->ascending = us_calloc((size_t)f->n, sizeof *f->ascending);
    return f->ascending ? us_order_f32(f->scores, f->n, false, f->ascending) : UNSEEN_FAILED;
}

static enum unseen_status read_keep(struct us_run_folder *f)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *keep = NULL;
    char *path = us_format("%s/keep.npy", f->path);
    US_TRY_ALLOC(path);
    if (!f->scores || !us_exists(path))
        goto out;
    US_TRY(us_checksum_check_beside(path));
    US_TRY(us_npy_read_i64(path, 1, &f->m, &keep));
    f->kept = us_calloc((size_t)f->n, 1);
    US_TRY_ALLOC(f->kept);
    for (int64_t i = 0; i < f->m; i++) {
        if (keep[i] < 0 || keep[i] >= f->n || f->kept[keep[i]]) {
            st = us_fail(UNSEEN_BAD_DATA, path, "entry %" PRId64 ", sample %" PRId64 ", is %s", i, keep[i],
                         keep[i] < 0 || keep[i] >= f->n ? "not one of scores.npy" : "there twice");
            goto out;
        }
        f->kept[keep[i]] = 1;
    }
out:
    free(keep);
    free(path);
    return st;
}

/* Where the trajectory holds what an audit needs: its mean probability of the label, and its suggestion. */
static enum unseen_status audit_labels(const struct unseen_trajectory *t, struct us_run_folder *f)
{
    struct unseen_audit *audit;
    enum unseen_status st = us_audit_samples(t, &audit);
    if (st)
        return st;
    f->p_true = audit->p_true;
    f->suggested = audit->suggested;
    audit->p_true = NULL;
    audit->suggested = NULL;
    unseen_audit_free(audit);
    return UNSEEN_OK;
}

/* Mean probability of the given label over repeats and epochs, as the audit has it. */
static enum unseen_status average_p_true(const struct unseen_trajectory *t, struct us_run_folder *f)
{
    enum unseen_status st = UNSEEN_OK;
    bool weighed = t->protocol != UNSEEN_SEEN && t->value[UNSEEN_LOSS];
    if (!t->value[UNSEEN_P_TRUE])
        return UNSEEN_OK;
    if (t->value[UNSEEN_LOSS] && t->value[UNSEEN_MARGIN] && t->value[UNSEEN_PREDICTED])
        return audit_labels(t, f);
    US_TRY_ALLOC(f->p_true = us_calloc((size_t)t->n, sizeof *f->p_true));
    US_TRY(unseen_score(t, weighed ? "unseen-confidence" : "confidence", NULL, f->p_true));
    for (int64_t i = 0; i < t->n; i++)
        f->p_true[i] = 1 - f->p_true[i];
out:
    return st;
}

static enum unseen_status read_trajectory(struct us_run_folder *f)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *t = NULL;
    char *path = us_format("%s/trajectory", f->path);
    char *labels = us_format("%s/trajectory/labels.npy", f->path);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(labels);
    if (!us_exists(labels))
        goto out;
    US_TRY(us_trajectory_open(path, US_AUDIT_READS, &t));
    if (f->n && t->n != f->n) {
        st = us_fail(UNSEEN_BAD_DATA, path, "is of %" PRId64 " samples, scores.npy of %" PRId64, t->n, f->n);
        goto out;
    }
    f->n = t->n;
    f->labels = us_calloc((size_t)t->n, sizeof *f->labels);
    US_TRY_ALLOC(f->labels);
    memcpy(f->labels, t->labels, (size_t)t->n * sizeof *f->labels);
    f->classes = t->classes;
    US_TRY(average_p_true(t, f));
    if (t->fold && t->protocol == UNSEEN_FOLD) {
        US_TRY_ALLOC(f->fold = us_calloc((size_t)t->n, sizeof *f->fold));
        memcpy(f->fold, t->fold, (size_t)t->n);
    }
    if (t->skipped) {
        US_TRY_ALLOC(f->skipped = us_calloc((size_t)t->n, 1));
        memcpy(f->skipped, t->skipped, (size_t)t->n);
    }
    for (int64_t i = 0; f->skipped && i < f->n; i++)
        f->n_skipped += f->skipped[i] != 0;
out:
    unseen_trajectory_close(t);
    free(labels);
    free(path);
    return st;
}

static enum unseen_status set_problem(struct us_run_folder *f, char *problem)
{
    f->dataset_problem = problem;
    return problem ? UNSEEN_OK : UNSEEN_FAILED;
}

/* Labels and classes come from the dataset; trajectory/labels.npy holds the same, where it is there. */
static enum unseen_status take_dataset(struct us_run_folder *f, const struct unseen_dataset *data)
{
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    const char *hash = us_run_text(f, "data.hash");
    if ((hash && strcmp(hash, data->hash) != 0) || (f->n && train->n != f->n))
        return set_problem(f, us_format("%s: not the data of this run any more", data->location));
    f->dataset = data;
    f->n = train->n;
    f->classes = data->classes > f->classes ? data->classes : f->classes;
    if (!f->labels && !(f->labels = us_calloc((size_t)f->n, sizeof *f->labels)))
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < f->n; i++)
        f->labels[i] = train->labels[i];
    return UNSEEN_OK;
}

/* As the run had them; runs of older versions had none. What the name says by itself, coarse labels, is no
 * option of it. */
static enum unseen_status read_options(const struct us_run_folder *f, struct unseen_dataset_options *options)
{
    const json_t *settings = json_object_get(f->run, "settings");
    char *path = us_format("%s/run.json", f->path);
    enum unseen_status st = path ? UNSEEN_OK : UNSEEN_FAILED;
    if (st == UNSEEN_OK && settings)
        st = us_options_get(settings, path, us_dataset_options, options);
    if (st == UNSEEN_OK && settings)
        st = us_options_get(settings, path, us_label_options, options);
    options->coarse_labels = 0;
    free(path);
    return st;
}

enum unseen_status us_run_data_open(const char *folder, const char *data, const char *labels,
                                    struct unseen_dataset **dataset)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_run_folder f = {.path = folder};
    struct unseen_dataset_options options = {0};
    US_TRY(read_run(&f));
    US_TRY(read_options(&f, &options));
    if (labels)
        options.labels = labels;
    if (!data && !(data = us_run_text(&f, "data.name"))) {
        st = us_fail(UNSEEN_BAD_DATA, folder, "run.json names no dataset");
        us_hint("name it by --data");
        goto out;
    }
    st = unseen_dataset_open(data, &options, dataset);
out:
    json_decref(f.run);
    return st;
}

/* Whatever is wrong with the dataset is told in the report and is no failure of it. */
static enum unseen_status open_dataset(struct us_run_folder *f, const struct unseen_dataset *data)
{
    const char *name = us_run_text(f, "data.name");
    bool shown = f->scores || f->p_true;
    if (!shown || !(data || name))
        return UNSEEN_OK;
    if (!data) {
        struct unseen_dataset_options options = {0};
        if (read_options(f, &options) != UNSEEN_OK ||
            unseen_dataset_open(name, &options, &f->opened) != UNSEEN_OK)
            return set_problem(f, us_format("%s", unseen_last_error()));
        data = f->opened;
    }
    return take_dataset(f, data);
}

static enum unseen_status read_history(struct us_run_folder *f)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = us_format("%s/history.csv", f->path);
    US_TRY_ALLOC(path);
    if (us_exists(path))
        US_TRY(us_history_read(path, &f->history));
out:
    free(path);
    return st;
}

enum unseen_status us_run_folder_open(const char *path, const struct unseen_dataset *data,
                                      struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    *folder = (struct us_run_folder){.path = path};
    US_TRY(read_run(folder));
    US_TRY(read_scores(folder, "scores.npy", &folder->scores));
    US_TRY(sort_scores(folder));
    US_TRY(read_scores(folder, "seen/scores.npy", &folder->seen));
    US_TRY(read_keep(folder));
    US_TRY(read_trajectory(folder));
    US_TRY(read_history(folder));
    US_TRY(open_dataset(folder, data));
out:
    return st;
}

void us_run_folder_close(struct us_run_folder *folder)
{
    unseen_dataset_close(folder->opened);
    free(folder->dataset_problem);
    us_history_free(&folder->history);
    free(folder->labels);
    free(folder->fold);
    free(folder->suggested);
    free(folder->p_true);
    free(folder->kept);
    free(folder->seen);
    free(folder->ascending);
    free(folder->skipped);
    free(folder->scores);
    json_decref(folder->run);
    *folder = (struct us_run_folder){0};
}

static const json_t *find(const json_t *value, const char *key)
{
    while (value && *key) {
        char part[64];
        size_t length = strcspn(key, ".");
        if (length >= sizeof part)
            return NULL;
        memcpy(part, key, length);
        part[length] = 0;
        value = json_object_get(value, part);
        key += length + (key[length] == '.');
    }
    return value;
}

const json_t *us_run_value(const struct us_run_folder *folder, const char *key)
{
    const json_t *value = find(folder->run, key);
    return value ? value : find(json_object_get(folder->run, "settings"), key);
}

const char *us_run_text(const struct us_run_folder *folder, const char *key)
{
    return json_string_value(us_run_value(folder, key));
}

double us_run_number(const struct us_run_folder *folder, const char *key, double otherwise)
{
    const json_t *value = us_run_value(folder, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

const char *us_run_class_name(const struct us_run_folder *folder, int class, char text[32])
{
    if (folder->dataset && class < folder->dataset->classes)
        return folder->dataset->class_names[class];
    const char *name =
        json_string_value(json_array_get(us_run_value(folder, "data.class_names"), (size_t) class));
    snprintf(text, 32, "class %d", class);
    return name ? name : text;
}
