/* audit.json: what an audit was made with. */
#include "config.h"

#include <stdlib.h>

#include "base/fs.h"
#include "base/json.h"
#include "nn/run_json.h"
#include "prune/audit_options.h"
#include "report/audit.h"

static enum unseen_status read_if_there(char *path, json_t **object)
{
    enum unseen_status st = UNSEEN_OK;
    if (!path)
        return UNSEEN_FAILED;
    if (us_exists(path))
        st = us_json_load(path, object);
    free(path);
    return st;
}

/* The scoring.json of the run that the folder `trajectory` lies in: beside it, or one level up for the seen
 * side of a run. *scoring stays NULL if there is none: an import. */
static enum unseen_status read_scoring(const char *trajectory, json_t **scoring)
{
    enum unseen_status st = read_if_there(us_format("%s/../scoring.json", trajectory), scoring);
    if (st == UNSEEN_OK && !*scoring)
        st = read_if_there(us_format("%s/../../scoring.json", trajectory), scoring);
    return st;
}

/* The settings of the scoring models and their histories, as run.json has them. */
static int add_scoring(json_t *run, const json_t *scoring)
{
    json_t *models = json_object_get(scoring, "models"), *settings = json_object_get(scoring, "settings");
    return (settings && json_object_set(run, "settings", settings)) ||
           (models && json_object_set(run, "models", models));
}

/* What --config of unseen audit takes: the options of the scoring models, where they were trained for it, and
 * those of the audit and of the data. */
static json_t *options_json(const struct unseen_audit_origin *origin,
                            const struct unseen_dataset_options *reading, const json_t *scoring)
{
    json_t *options = json_object(), *models = json_object_get(scoring, "options");
    bool bad = !options || (origin->recorded && models && json_object_update(options, models)) ||
               (!origin->recorded && origin->trajectory &&
                json_object_set_new(options, "trajectory", us_json_text(origin->trajectory))) ||
               (origin->options && us_options_put(options, us_audit_options, origin->options, 0)) ||
               us_put_reading(options, reading);
    (void)json_object_del(options, "record_also"); /* what an audit needs */
    if (!bad)
        return options;
    json_decref(options);
    return NULL;
}

json_t *us_audit_truth_json(const struct unseen_audit *a, const int32_t *true_labels)
{
    struct unseen_audit_truth t;
    unseen_audit_judge(a, true_labels, &t);
    return json_pack("{s:I, s:I, s:I, s:o, s:o, s:o}", "wrong", (json_int_t)t.wrong, "found",
                     (json_int_t)t.found, "corrected", (json_int_t)t.corrected, "precision",
                     us_json_float((float)t.precision), "recall", us_json_float((float)t.recall),
                     "average_precision", us_json_float((float)t.average_precision));
}

enum unseen_status us_audit_json(const struct unseen_audit *a, const struct unseen_dataset *data,
                                 const struct unseen_audit_origin *origin, json_t **json)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *scoring = NULL, *run = us_run_json(origin->command, 0, origin->device, data, NULL, NULL);
    US_TRY_ALLOC(run);
    if (origin->trajectory)
        US_TRY(read_scoring(origin->trajectory, &scoring));
    json_t *own = json_pack("{s:s, s:I, s:I, s:f}", "protocol", unseen_protocol_name(a->protocol), "n",
                            (json_int_t)a->n, "suspects", (json_int_t)a->count, "wrong_share", a->noise_rate);
    int bad =
        !own || json_object_update(run, own) || (scoring && add_scoring(run, scoring)) ||
        json_object_set_new(run, "options", options_json(origin, &data->options, scoring)) ||
        (origin->trajectory && json_object_set_new(run, "trajectory", us_json_text(origin->trajectory)));
    json_decref(own);
    if (data->split[UNSEEN_TRAIN].true_labels)
        bad |=
            json_object_set_new(run, "truth", us_audit_truth_json(a, data->split[UNSEEN_TRAIN].true_labels));
    if (bad)
        st = us_fail(UNSEEN_FAILED, "audit.json", "cannot describe the audit: out of memory");
    else
        *json = json_incref(run);
out:
    json_decref(scoring);
    json_decref(run);
    return st;
}
