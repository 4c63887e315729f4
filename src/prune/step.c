#include "config.h"

#include "prune/step.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/npy.h"
#include "prune/prune_options.h"
#include "scoring/scoring_json.h"

/* ---- folders ---- */

char *us_step_folder(const char *out, int t)
{
    return us_format("%s/%d", out, t + 1);
}

char *us_step_weights(const char *out, int t)
{
    return us_format("%s/%d/weights", out, t + 1);
}

bool us_step_is_done(const char *out, int t)
{
    static const char *const names[] = {"quality.json", "scores.npy", "keep.npy"};
    bool done = true;
    for (int i = 0; i < 3 && done; i++) {
        char *path = us_format("%s/%d/%s", out, t + 1, names[i]);
        done = path && us_exists(path);
        free(path);
    }
    return done;
}

enum unseen_status us_step_begin(const char *out, int t, struct us_step *step)
{
    enum unseen_status st = UNSEEN_OK;
    *step = (struct us_step){.number = t + 1, .folder = us_step_folder(out, t)};
    US_TRY_ALLOC(step->folder);
    US_TRY(us_make_folder(step->folder));
out:
    return st;
}

void us_step_end(struct us_step *step)
{
    free(step->folder);
    free(step->coreset.item);
    free(step->result.class_accuracy);
    json_decref(step->quality);
    *step = (struct us_step){0};
}

static char *path_in(const struct us_step *step, const char *name)
{
    return us_format("%s/%s", step->folder, name);
}

enum unseen_status us_step_forget_scoring(const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    char *trajectory = us_format("%s/trajectory", folder);
    char *settings = us_format("%s/scoring.json", folder);
    US_TRY_ALLOC(trajectory);
    US_TRY_ALLOC(settings);
    /* The settings would vouch for a trajectory that is gone. */
    US_TRY(us_remove_file(settings));
    US_TRY(us_remove_written(trajectory));
out:
    free(settings);
    free(trajectory);
    return st;
}

/* ---- one step ---- */

enum unseen_status us_step_set(struct us_step *step, const uint8_t *previous, const uint8_t *current,
                               int64_t n)
{
    step->coreset.item = us_calloc((size_t)n, sizeof *step->coreset.item);
    if (!step->coreset.item)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < n; i++) {
        if (current[i])
            step->coreset.item[step->coreset.n++] = i;
        step->stayed += previous[i] && current[i];
        step->evicted += previous[i] && !current[i];
        step->refilled += !previous[i] && current[i];
    }
    return UNSEEN_OK;
}

enum unseen_status us_step_write(const struct us_step *step, const float *scores, int64_t n)
{
    enum unseen_status st = UNSEEN_OK;
    char *scores_path = path_in(step, "scores.npy");
    char *keep_path = path_in(step, "keep.npy");
    US_TRY_ALLOC(scores_path);
    US_TRY_ALLOC(keep_path);
    US_TRY(us_npy_write(scores_path, US_F32, 1, &n, scores));
    US_TRY(us_npy_write(keep_path, US_I64, 1, &step->coreset.n, step->coreset.item));
out:
    free(keep_path);
    free(scores_path);
    return st;
}

static json_t *count_by_class(const struct us_step *step, const struct unseen_dataset *data)
{
    json_t *list = json_array();
    int64_t *count = us_calloc((size_t)data->classes, sizeof *count);
    for (int64_t k = 0; count && k < step->coreset.n; k++)
        count[data->split[UNSEEN_TRAIN].labels[step->coreset.item[k]]]++;
    for (int c = 0; count && c < data->classes; c++)
        json_array_append_new(list, json_integer(count[c]));
    free(count);
    return list;
}

enum unseen_status us_step_finish(struct us_step *step, const struct unseen_dataset *data)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *by_class = json_array(), *sums = NULL;
    char *path = path_in(step, "quality.json");
    US_TRY_ALLOC(path);
    for (int c = 0; c < data->classes; c++)
        json_array_append_new(by_class, us_json_float((float)step->result.class_accuracy[c]));
    step->quality =
        json_pack("{s:i, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:f, s:o, s:O}", "step", step->number, "size",
                  (json_int_t)step->coreset.n, "cutoff", step->cutoff, "stayed", (json_int_t)step->stayed,
                  "evicted", (json_int_t)step->evicted, "refilled", (json_int_t)step->refilled, "right",
                  (json_int_t)step->result.right, "asked", (json_int_t)step->result.asked, "heldout_accuracy",
                  us_eval_accuracy(&step->result), "class_counts", count_by_class(step, data),
                  "class_accuracy", by_class);
    US_TRY_ALLOC(sums = us_checksums_json(step->folder, (const char *[]){"scores.npy", "keep.npy", NULL}));
    if (!step->quality || json_object_set(step->quality, "checksums", sums)) {
        st = us_fail(UNSEEN_FAILED, "memory", "cannot describe the step");
        goto out;
    }
    US_TRY(us_json_save(path, step->quality));
out:
    json_decref(sums);
    json_decref(by_class);
    free(path);
    return st;
}

static enum unseen_status read_quality(struct us_step *step)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = path_in(step, "quality.json");
    const json_t *q;
    US_TRY_ALLOC(path);
    US_TRY(us_json_load(path, &step->quality));
    q = step->quality;
    US_TRY(us_json_integer(q, path, "stayed", 0, INT64_MAX, &step->stayed));
    US_TRY(us_json_integer(q, path, "evicted", 0, INT64_MAX, &step->evicted));
    US_TRY(us_json_integer(q, path, "refilled", 0, INT64_MAX, &step->refilled));
    US_TRY(us_json_integer(q, path, "asked", 1, INT64_MAX, &step->result.asked));
    US_TRY(us_json_integer(q, path, "right", 0, step->result.asked, &step->result.right));
out:
    free(path);
    return st;
}

static enum unseen_status check_sum(const char *path)
{
    enum unseen_status st = us_checksum_check_beside(path);
    if (st == UNSEEN_BAD_DATA)
        us_hint("remove it and run the same command again: this step is done anew");
    return st;
}

enum unseen_status us_step_read(struct us_step *step, int64_t n, float *scores, uint8_t *current)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_npy array = {0};
    char *path = path_in(step, "scores.npy");
    US_TRY_ALLOC(path);
    US_TRY(check_sum(path));
    US_TRY(us_npy_open_as(path, US_F32, 1, &array));
    if (array.shape[0] != n) {
        st = us_fail(UNSEEN_BAD_DATA, path, "holds %" PRId64 " scores for %" PRId64 " samples",
                     array.shape[0], n);
        goto out;
    }
    memcpy(scores, array.data, (size_t)n * sizeof *scores);
    free(path);
    US_TRY_ALLOC(path = path_in(step, "keep.npy"));
    US_TRY(check_sum(path));
    US_TRY(us_npy_read_i64(path, 1, &step->coreset.n, &step->coreset.item));
    memset(current, 0, (size_t)n);
    for (int64_t k = 0; k < step->coreset.n; k++) {
        int64_t i = step->coreset.item[k];
        if (i < 0 || i >= n) {
            st = us_fail(UNSEEN_BAD_DATA, path, "sample %" PRId64 " is not in 0..%" PRId64, i, n - 1);
            goto out;
        }
        current[i] = 1;
    }
    US_TRY(read_quality(step));
out:
    us_npy_close(&array);
    free(path);
    return st;
}

/* ---- all steps ---- */

/* All that the coresets depend on. */
static json_t *describe(const struct us_incremental *in)
{
    const struct unseen_prune_options *o = in->options;
    json_t *settings = json_pack("{s:I, s:I, s:s, s:s}", "seed", (json_int_t)o->scoring.seed,
                                 "selection seed", (json_int_t)o->select.seed, "data", in->data->hash,
                                 "device", unseen_device_info(in->device)->name);
    return us_settings_made(settings, us_options_put(settings, us_prune_options, o, US_NO_IDENTITY));
}

static const char *const files[] = {"steps.json",
                                    "heldout.npy",
                                    "[0-9]*/",
                                    "[0-9]*/quality.json",
                                    "[0-9]*/scores.npy",
                                    "[0-9]*/keep.npy",
                                    "[0-9]*/judge-[0-9]*.*",
                                    "[0-9]*/weights/model-[0-9]*.safetensors",
                                    US_SCORING_FILES("[0-9]*/"),
                                    NULL};

enum unseen_status us_steps_lock(const struct us_incremental *in, struct us_run_lock *lock)
{
    json_t *asked = describe(in);
    const enum unseen_status st = us_run_lock_for(in->out, NULL, files, asked, lock);
    json_decref(asked);
    return st;
}

enum unseen_status us_steps_match(const struct us_incremental *in)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_run_lock lock = {0};
    bool there;
    json_t *asked = NULL;
    if (!us_exists(in->out))
        return UNSEEN_OK;
    US_TRY(us_run_lock(in->out, NULL, files, &lock)); /* all is ours */
    asked = describe(in);
    US_TRY(us_settings_match_file(in->out, "steps.json", asked, &there));
out:
    json_decref(asked);
    us_run_lock_end(&lock);
    return st;
}
