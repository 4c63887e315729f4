#include "config.h"

#include "compare/cell_result.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/checksum.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/npy.h"
#include "base/output.h"
#include "base/true_labels.h"

#define BY_CLASS "class_accuracy"

void us_cell_result_end(struct us_cell_result *r)
{
    free(r->class_accuracy);
    *r = (struct us_cell_result){0};
}

static enum unseen_status read_classes(const json_t *json, const char *path, struct us_cell_result *r)
{
    const json_t *list = json_object_get(json, BY_CLASS);
    const size_t n = json_array_size(list);
    if (n == 0)
        return UNSEEN_OK;
    r->class_accuracy = us_calloc(n, sizeof *r->class_accuracy);
    if (!r->class_accuracy)
        return UNSEEN_FAILED;
    r->classes = (int)n;
    for (size_t c = 0; c < n; c++) {
        const json_t *value = json_array_get(list, c);
        const double accuracy = json_is_null(value) ? NAN : json_number_value(value);
        if (!json_is_null(value) && (!json_is_number(value) || !(accuracy >= 0 && accuracy <= 1)))
            return us_fail(UNSEEN_BAD_DATA, path, BY_CLASS " of class %zu is no number in 0..1", c);
        r->class_accuracy[c] = accuracy;
    }
    return UNSEEN_OK;
}

enum unseen_status us_cell_result_read(const char *folder, struct us_cell_result *r, bool *done)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *json = NULL;
    char *path = us_format("%s/result.json", folder);
    *r = (struct us_cell_result){0};
    US_TRY_ALLOC(path);
    *done = us_exists(path);
    if (!*done)
        goto out;
    US_TRY(us_json_load(path, &json));
    US_TRY(us_json_integer(json, path, "kept", 1, INT64_MAX, &r->kept));
    US_TRY(us_json_integer(json, path, "epochs", 1, INT32_MAX, &r->epochs));
    US_TRY(us_json_integer(json, path, "steps", 1, INT64_MAX, &r->steps));
    r->images = r->epochs * r->kept; /* before it was counted, all epochs took all samples */
    if (json_object_get(json, "images"))
        US_TRY(us_json_integer(json, path, "images", 1, INT64_MAX, &r->images));
    US_TRY(us_json_real(json, path, "test_accuracy", 0, 1, &r->accuracy));
    US_TRY(us_json_real(json, path, "best_test_accuracy", 0, 1, &r->best));
    US_TRY(us_json_real(json, path, "seconds", 0, 1e12, &r->seconds));
    const json_t *cutoff = json_object_get(json, "cutoff");
    r->cutoff = json_is_number(cutoff) ? json_number_value(cutoff) : NAN;
    US_TRY(read_classes(json, path, r));
out:
    json_decref(json);
    free(path);
    return st;
}

enum unseen_status us_cell_wrong(const char *folder, const struct unseen_images *train, double *share)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *keep = NULL, m = 0;
    char *path = us_format("%s/keep.npy", folder);
    *share = NAN;
    US_TRY_ALLOC(path);
    if (!train->true_labels)
        goto out;
    US_TRY(us_checksum_check_beside(path));
    US_TRY(us_npy_read_i64(path, 1, &m, &keep));
    for (int64_t k = 0; k < m; k++) {
        if (keep[k] < 0 || keep[k] >= train->n)
            US_TRY(us_fail(UNSEEN_BAD_DATA, path, "entry %" PRId64 ", %" PRId64 ", is no training sample", k,
                           keep[k]));
    }
    *share = us_share_wrong(train, keep, m);
out:
    free(keep);
    free(path);
    return st;
}

static char *tested_path(const char *folder)
{
    return us_format("%s/tested.json", folder);
}

enum unseen_status us_cell_tested_write(const char *folder, const int32_t *labels, int classes,
                                        const struct us_sample_stats *tested)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *asked = us_calloc((size_t)classes, sizeof *asked);
    int64_t *right = us_calloc((size_t)classes, sizeof *right);
    json_t *list = json_array(), *json = NULL;
    char *path = tested_path(folder);
    US_TRY_ALLOC(asked);
    US_TRY_ALLOC(right);
    US_TRY_ALLOC(path);
    for (int64_t i = 0; i < tested->n; i++) {
        const int32_t label = labels[tested->samples[i]];
        asked[label]++;
        right[label] += tested->value[UNSEEN_CORRECT * tested->n + i] > 0.5f;
    }
    for (int c = 0; c < classes; c++)
        json_array_append_new(list, asked[c] ? json_real((double)right[c] / (double)asked[c]) : json_null());
    json = json_pack("{s:O}", BY_CLASS, list);
    US_TRY(us_json_save(path, json));
out:
    json_decref(json);
    json_decref(list);
    free(path);
    free(right);
    free(asked);
    return st;
}

/* Add what tested.json holds. A state that an earlier version has finished comes without one. */
static enum unseen_status add_tested(const char *folder, json_t *result)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *tested = NULL;
    char *path = tested_path(folder);
    US_TRY_ALLOC(path);
    if (!us_exists(path))
        goto out;
    US_TRY(us_json_load(path, &tested));
    if (json_object_update(result, tested))
        st = us_fail(UNSEEN_FAILED, "memory", "cannot describe the result");
out:
    json_decref(tested);
    free(path);
    return st;
}

enum unseen_status us_cell_result_write(const char *folder, const struct us_cell_result *r)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *sums = NULL;
    json_t *json =
        json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "kept", (json_int_t)r->kept, "epochs",
                  (json_int_t)r->epochs, "steps", (json_int_t)r->steps, "images", (json_int_t)r->images,
                  "test_accuracy", r->accuracy, "best_test_accuracy", r->best, "seconds", r->seconds);
    char *path = us_format("%s/result.json", folder), *tested = tested_path(folder);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(tested);
    US_TRY_ALLOC(json);
    if (!isnan(r->cutoff))
        json_object_set_new(json, "cutoff", json_real(r->cutoff));
    US_TRY(add_tested(folder, json));
    sums = us_checksums_json(folder, (const char *[]){"keep.npy", NULL});
    US_TRY_ALLOC(sums);
    json_object_set(json, "checksums", sums);
    US_TRY(us_json_save(path, json));
    (void)us_remove_file(tested); /* what stays is only a waste */
out:
    free(tested);
    free(path);
    json_decref(sums);
    json_decref(json);
    return st;
}
