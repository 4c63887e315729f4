/* What an audit leaves in its folder. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/npy.h"
#include "base/output.h"
#include "base/text.h"
#include "report/audit.h"
#include "unseen/score.h"

static enum unseen_status check_data(const struct unseen_audit *a, const struct unseen_dataset *data)
{
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    if (train->n != a->n)
        return us_fail(UNSEEN_BAD_DATA, data->location,
                       "has %" PRId64 " training samples; the trajectory is of %" PRId64, train->n, a->n);
    for (int64_t i = 0; i < a->n; i++) {
        if (train->labels[i] == a->labels[i])
            continue;
        us_fail(UNSEEN_BAD_DATA, data->location,
                "labels sample %" PRId64 " %" PRId32 "; in the trajectory it is %" PRId64, i,
                train->labels[i], a->labels[i]);
        us_hint("name the labels that it was recorded with: --labels FILE, or none where there were none");
        return UNSEEN_BAD_DATA;
    }
    if (data->classes < a->classes)
        return us_fail(UNSEEN_BAD_DATA, data->location, "has %d classes; the trajectory has %d",
                       data->classes, a->classes);
    return UNSEEN_OK;
}

static enum unseen_status write_csv(const char *path, const struct unseen_audit *a,
                                    const struct unseen_dataset *data)
{
    char *const *paths = data->split[UNSEEN_TRAIN].paths;
    const int32_t *true_labels = data->split[UNSEEN_TRAIN].true_labels;
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st != UNSEEN_OK)
        return st;
    /* A short write sets the stream's error flag, which the commit looks at. */
    fprintf(file.stream, "index,label,path,suggested,confidence,score%s\n", true_labels ? ",true_label" : "");
    for (int64_t k = 0; k < a->count; k++) {
        int64_t i = a->suspects[k];
        fprintf(file.stream, "%" PRId64 ",%" PRId64 ",", i, a->labels[i]);
        us_csv_field(file.stream, paths ? paths[i] : NULL);
        us_print(file.stream, ",%" PRId32 ",%.6g,%.6g", a->suggested[i], (double)a->confidence[i],
                 (double)a->score[i]);
        if (true_labels)
            fprintf(file.stream, ",%" PRId32, true_labels[i]);
        fputc('\n', file.stream);
    }
    return us_atomic_commit(&file);
}

const char *const us_audit_files[] = {"suspects.csv", "suspicion.npy", "pred_probs.npy",
                                      "audit.json",   "audit.html",    NULL};

static enum unseen_status write_probs(const struct unseen_audit_origin *origin, const char *folder)
{
    const struct unseen_audit_options *options = origin ? origin->options : NULL;
    if (!options || !options->pred_probs || !origin->audited)
        return UNSEEN_OK;
    char *path = us_format("%s/pred_probs.npy", folder);
    enum unseen_status st =
        path ? unseen_pred_probs_write(origin->audited, options->epoch, path) : UNSEEN_FAILED;
    free(path);
    return st;
}

enum unseen_status unseen_audit_write(const struct unseen_audit *audit, const struct unseen_dataset *data,
                                      const struct unseen_audit_origin *origin, const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_audit_origin unknown = {0};
    struct us_run_lock lock = {0};
    json_t *about = NULL;
    char *csv = us_format("%s/suspects.csv", folder);
    char *npy = us_format("%s/suspicion.npy", folder);
    char *json = us_format("%s/audit.json", folder);
    US_TRY_ALLOC(csv);
    US_TRY_ALLOC(npy);
    US_TRY_ALLOC(json);
    US_TRY(check_data(audit, data));
    US_TRY(us_run_lock(folder, NULL, us_audit_files, &lock));
    US_TRY(write_probs(origin, folder));
    US_TRY(write_csv(csv, audit, data));
    US_TRY(us_npy_write(npy, US_F32, 1, &audit->n, audit->score));
    US_TRY(us_audit_json(audit, data, origin ? origin : &unknown, &about));
    US_TRY(us_json_save(json, about));
    US_TRY(us_audit_page(folder, audit, data, about));
out:
    us_run_lock_end(&lock);
    json_decref(about);
    free(json);
    free(npy);
    free(csv);
    return st;
}
