/* Joining the jobs of one run: their models' work files are linked into one folder, and gathered there as if
 * one call had trained them all. */
#include "config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/npy.h"
#include "scoring/scoring_json.h"
#include "scoring/scoring_model.h"

struct merge {
    const char **folder; /* [jobs] by number; NULL: not seen yet */
    json_t **job;        /* [jobs] their scoring.json */
    int jobs;
    struct unseen_scoring_options options;
    struct unseen_dataset data; /* labels and classes alone */
    struct us_npy skipped;
    struct us_scoring run;
};

/* ---- reading the jobs ---- */

/* The folder's scoring.json, and which job of how many it is. */
static enum unseen_status read_job(const char *folder, json_t **root, int64_t *job, int64_t *jobs)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = us_format("%s/scoring.json", folder);
    US_TRY_ALLOC(path);
    US_TRY(us_json_load(path, root));
    const json_t *settings = json_object_get(*root, "settings");
    if (!json_object_get(settings, "jobs")) {
        st = us_fail(UNSEEN_USAGE, folder, "is no job of a run");
        us_hint("jobs are made with unseen trajectory --job I/N");
        goto out;
    }
    US_TRY(us_json_integer(settings, path, "jobs", 2, INT_MAX, jobs));
    US_TRY(us_json_integer(settings, path, "job", 1, *jobs, job));
    if (!json_is_true(json_object_get(*root, "complete"))) {
        st = us_fail(UNSEEN_USAGE, folder, "job %" PRId64 " of %" PRId64 " is not done", *job, *jobs);
        us_hint("run its command again");
    }
out:
    free(path);
    return st;
}

/* Whether a job is of the same run as that of the first folder. */
static enum unseen_status compare(const char *folder, const json_t *root, const json_t *first)
{
    json_t *asked = json_copy(json_object_get(first, "settings"));
    if (!asked)
        return us_fail(UNSEEN_FAILED, "memory", "cannot compare the settings");
    json_object_del(asked, "job");
    enum unseen_status st = us_settings_match(folder, json_object_get(root, "settings"), asked, true);
    if (st == UNSEEN_OK &&
        !json_equal(json_object_get(root, "record_also"), json_object_get(first, "record_also")))
        st = us_fail(UNSEEN_USAGE, folder, "records other quantities");
    if (st == UNSEEN_USAGE)
        us_hint("the jobs of one run differ in --job and --out alone");
    json_decref(asked);
    return st;
}

/* Put the folder in its place. The first one tells how many jobs there are. */
static enum unseen_status take_job(struct merge *m, const char *folder, const json_t **first)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *root = NULL;
    int64_t job = 0, jobs = 0;
    US_TRY(read_job(folder, &root, &job, &jobs));
    if (!*first) {
        m->jobs = (int)jobs;
        US_TRY_ALLOC(m->folder = us_calloc((size_t)jobs, sizeof *m->folder));
        US_TRY_ALLOC(m->job = us_calloc((size_t)jobs, sizeof *m->job));
        *first = root;
    }
    US_TRY(compare(folder, root, *first));
    if (m->job[job - 1]) {
        st = us_fail(UNSEEN_USAGE, folder, "is job %" PRId64 " again, as is %s", job, m->folder[job - 1]);
        goto out;
    }
    m->folder[job - 1] = folder;
    m->job[job - 1] = root;
    root = NULL;
out:
    json_decref(root);
    return st;
}

static enum unseen_status take_jobs(struct merge *m, const char *const *folders, int n)
{
    enum unseen_status st = UNSEEN_OK;
    const json_t *first = NULL;
    for (int i = 0; i < n; i++)
        US_TRY(take_job(m, folders[i], &first));
    for (int j = 0; j < m->jobs; j++) {
        if (!m->job[j]) {
            st = us_fail(UNSEEN_USAGE, "merge", "job %d of %d is missing", j + 1, m->jobs);
            us_hint("name the folders of all jobs");
            goto out;
        }
    }
out:
    return st;
}

/* What made a model of a job, by us_made_by; "" if it does not tell. */
static const char *maker(const json_t *job, size_t model)
{
    const json_t *models = json_object_get(job, "models");
    const char *text = json_string_value(json_object_get(json_array_get(models, model), "made_by"));
    return text ? text : "";
}

static bool is_maker(const json_t *job, const char *text)
{
    for (size_t i = 0; i < json_array_size(json_object_get(job, "models")); i++) {
        if (strcmp(maker(job, i), text) == 0)
            return true;
    }
    return false;
}

/* Other drivers and other algorithms of convolutions round otherwise: no one call would have made such a run.
 * The first job has a model, if any has. */
static enum unseen_status compare_makers(const struct merge *m)
{
    for (int j = 1; j < m->jobs; j++) {
        for (size_t i = 0; i < json_array_size(json_object_get(m->job[j], "models")); i++) {
            const char *text = maker(m->job[j], i);
            if (is_maker(m->job[0], text))
                continue;
            us_fail(UNSEEN_USAGE, m->folder[j], "was made by \"%s\", but %s by \"%s\"", text, m->folder[0],
                    maker(m->job[0], 0));
            us_hint("make all jobs on devices of one kind, with one driver and one tuning (unseen tune)");
            return UNSEEN_USAGE;
        }
    }
    return UNSEEN_OK;
}

/* ---- the run that they are of ---- */

static enum unseen_status read_options(const json_t *root, struct unseen_scoring_options *o, int *classes)
{
    enum unseen_status st = UNSEEN_OK;
    static const char *const name = "scoring.json";
    const json_t *settings = json_object_get(root, "settings");
    int64_t seed, count;
    US_TRY(us_options_get(settings, name, us_scoring_options, o));
    US_TRY(us_json_integer(settings, name, "seed", INT64_MIN, INT64_MAX, &seed));
    US_TRY(us_json_integer(settings, name, "classes", 1, INT_MAX, &count));
    US_TRY(us_settings_record(name, root, &o->record_also));
    o->seed = (uint64_t)seed;
    *classes = (int)count;
out:
    return st;
}

static enum unseen_status check_labels(const char *path, const struct us_npy *labels, int classes)
{
    for (size_t i = 0; i < labels->count; i++) {
        int64_t label = us_npy_integer(labels, i);
        if (label < 0 || label >= classes)
            return us_fail(UNSEEN_BAD_DATA, path, "%" PRId64 " of sample %zu is not in 0..%d", label, i,
                           classes - 1);
    }
    return UNSEEN_OK;
}

/* What the jobs kept together in their folds, where they did. */
static enum unseen_status read_duplicates(struct merge *m)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t n = 0, **duplicate_of = &m->data.split[UNSEEN_TRAIN].duplicate_of;
    char *path = us_duplicates_path(m->folder[0]);
    US_TRY_ALLOC(path);
    if (!us_exists(path))
        goto out;
    US_TRY(us_npy_read_i64(path, 1, &n, duplicate_of));
    for (int64_t i = 0; i < n || n != m->data.split[UNSEEN_TRAIN].n; i++) {
        int64_t first = i < n ? (*duplicate_of)[i] : -1;
        if (first < 0 || first > i || (*duplicate_of)[first] != first) {
            st = us_fail(UNSEEN_BAD_DATA, path, "does not fit the labels");
            goto out;
        }
    }
out:
    free(path);
    return st;
}

/* The samples that no job trained on. */
static enum unseen_status read_skipped(struct merge *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_images *train = &m->data.split[UNSEEN_TRAIN];
    char *path = us_skipped_path(m->folder[0]);
    US_TRY_ALLOC(path);
    if (!us_exists(path))
        goto out;
    US_TRY(us_npy_open_as(path, US_U8, 1, &m->skipped));
    train->skipped = m->skipped.data;
    if (m->skipped.shape[0] != train->n)
        st = us_fail(UNSEEN_BAD_DATA, path, "does not fit the labels");
out:
    free(path);
    return st;
}

/* What gathering looks at, with labels [n] in `labels`, which must outlive it. */
static enum unseen_status describe(struct merge *m, const char *out, struct us_npy *labels)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = us_labels_path(m->folder[0]);
    US_TRY_ALLOC(path);
    US_TRY(read_options(m->job[0], &m->options, &m->data.classes));
    US_TRY(us_npy_open_as(path, US_I32, 1, labels));
    US_TRY(check_labels(path, labels, m->data.classes));
    m->options.out = out;
    m->data.split[UNSEEN_TRAIN] = (struct unseen_images){.n = labels->shape[0], .labels = labels->data};
    m->run = (struct us_scoring){.options = &m->options,
                                 .data = &m->data,
                                 .n = labels->shape[0],
                                 .models_per_repeat = us_models_per_repeat(&m->options)};
    US_TRY(read_duplicates(m));
    US_TRY(read_skipped(m));
    US_TRY(us_scoring_split(&m->run));
out:
    free(path);
    return st;
}

/* ---- joining ---- */

static enum unseen_status link_model(const struct merge *m, const char *out, int number)
{
    enum unseen_status st = UNSEEN_OK;
    int repeat = number / m->run.models_per_repeat, fold = number % m->run.models_per_repeat;
    char *from = us_model_folder(m->folder[number % m->jobs], repeat, fold);
    char *to = us_model_folder(out, repeat, fold);
    char *whole = NULL;
    US_TRY_ALLOC(from);
    US_TRY_ALLOC(to);
    US_TRY(us_output_admit(to, NULL));
    if (!(whole = realpath(from, NULL)) || symlink(whole, to))
        st = us_fail_errno(from, "cannot be linked to %s", to);
out:
    free(whole);
    free(to);
    free(from);
    return st;
}

static enum unseen_status link_models(const struct merge *m, const char *work, const char *out)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_remove_written(work));
    US_TRY(us_make_folder(work));
    for (int i = 0; i < m->options.repeats * m->run.models_per_repeat; i++)
        US_TRY(link_model(m, out, i));
out:
    return st;
}

/* scoring.json as one call would have left it. */
static enum unseen_status write_settings(const struct merge *m, const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *root = json_deep_copy(m->job[0]), *models = json_array();
    json_t *settings = json_object_get(root, "settings");
    json_object_del(settings, "job");
    json_object_del(settings, "jobs");
    json_object_del(settings, "classes");
    for (int i = 0; i < m->options.repeats * m->run.models_per_repeat; i++)
        json_array_append(
            models, json_array_get(json_object_get(m->job[i % m->jobs], "models"), (size_t)(i / m->jobs)));
    if (json_object_set(root, "models", models))
        st = us_fail(UNSEEN_FAILED, "memory", "cannot describe the settings");
    else
        st = us_json_save(path, root);
    json_decref(models);
    json_decref(root);
    return st;
}

static enum unseen_status join(const struct merge *m, const char *out, const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    char *work = us_format("%s/work", out);
    US_TRY_ALLOC(work);
    US_TRY(link_models(m, work, out));
    US_TRY(us_scoring_gather(&m->run));
    US_TRY(write_settings(m, path));
    US_TRY(us_remove_written(work));
out:
    free(work);
    return st;
}

static void end(struct merge *m)
{
    for (int j = 0; m->job && j < m->jobs; j++)
        json_decref(m->job[j]);
    free(m->job);
    free(m->folder);
    free(m->run.fold);
    free(m->data.split[UNSEEN_TRAIN].duplicate_of);
    us_npy_close(&m->skipped);
}

enum unseen_status unseen_merge(const char *const *folders, int n, const char *out)
{
    enum unseen_status st = UNSEEN_OK;
    struct merge m = {0};
    struct us_npy labels = {0};
    struct us_run_lock lock = {0};
    char *path = us_format("%s/scoring.json", out);
    US_TRY_ALLOC(path);
    US_TRY(take_jobs(&m, folders, n));
    US_TRY(compare_makers(&m));
    US_TRY(describe(&m, out, &labels));
    US_TRY(us_run_lock(out, US_SCORING_KIND, us_scoring_files, &lock));
    if (us_exists(path)) {
        st = us_fail(UNSEEN_USAGE, out, "holds a run already");
        us_hint("choose another --out");
        goto out;
    }
    US_TRY(join(&m, out, path));
out:
    us_run_lock_end(&lock);
    us_npy_close(&labels);
    end(&m);
    free(path);
    return st;
}
