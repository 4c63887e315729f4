#include "config.h"

#include "scoring/scoring_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/option.h"
#include "nn/fingerprint.h"
#include "nn/run_json.h"
#include "trajectory/trajectory.h"

const char *const us_scoring_files[] = {US_SCORING_FILES(""), NULL};

/* Which samples a run trains on, in a word. */
static void name_subset(const struct us_subset_run *subset, int64_t n, char name[48])
{
    if (!subset)
        snprintf(name, 48, "all samples");
    else
        snprintf(name, 48, "part %016" PRIx64 ", model %" PRIu32 "%s",
                 us_hash(US_HASH_START, subset->role, (size_t)n), subset->first_model,
                 subset->from ? ", warm" : "");
}

/* What is run on what. */
struct run_of {
    const struct unseen_device *device;
    const struct unseen_dataset *data;
    const struct unseen_scoring_options *options;
    const struct us_subset_run *subset;
    uint64_t init; /* us_init_hash of options->init */
};

/* What a trajectory depends on. A new reference, or NULL (recorded). */
static json_t *describe(const struct run_of *of)
{
    const struct unseen_dataset *data = of->data;
    const struct unseen_scoring_options *o = of->options;
    char trained[48], from[24];
    snprintf(from, sizeof from, "%016" PRIx64, of->init);
    name_subset(of->subset, data->split[UNSEEN_TRAIN].n, trained);
    json_t *settings = json_pack("{s:I, s:s, s:s, s:s, s:s}", "seed", (json_int_t)o->seed, "training set",
                                 trained, "data", data->hash, "device", unseen_device_info(of->device)->name,
                                 "initial_weights", o->init ? from : "drawn");
    json_t *job = o->jobs > 1 ? json_pack("{s:i, s:i, s:i}", "job", o->job + 1, "jobs", o->jobs, "classes",
                                          data->classes)
                              : json_object();
    bool bad =
        us_options_put(settings, us_scoring_options, o, US_NO_IDENTITY) || json_object_update(settings, job);
    if (o->protocol == UNSEEN_SEEN) { /* no folds, and nothing to keep together in one */
        json_object_del(settings, "folds");
        json_object_del(settings, "duplicates");
    }
    json_decref(job);
    return us_settings_made(settings, bad);
}

/* A job's folder is no place for the whole run. */
static enum unseen_status compare_job(const struct us_settings *s, const json_t *asked)
{
    if (json_object_get(asked, "jobs") || !json_object_get(json_object_get(s->root, "settings"), "jobs"))
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, s->path, "the folder holds one job of a run");
    us_hint("unseen merge joins the jobs");
    return UNSEEN_USAGE;
}

enum unseen_status us_settings_record(const char *path, const json_t *root, unsigned *record_also)
{
    const json_t *names = json_object_get(root, "record_also");
    *record_also = 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        unsigned bits;
        if (unseen_record_parse(name ? name : "", &bits))
            return us_fail(UNSEEN_BAD_DATA, path, "record_also holds what is not recorded on demand");
        *record_also |= bits;
    }
    return UNSEEN_OK;
}

/* A folder that records more than is asked for will do. Folders without the list recorded nothing more. */
static enum unseen_status compare_record(const struct us_settings *s, unsigned asked)
{
    for (int q = 0; q < UNSEEN_N_QUANTITIES; q++) {
        if (asked & ~s->record_also & 1u << q) {
            us_fail(UNSEEN_USAGE, s->path, "the folder holds a run without %s, which this one needs",
                    us_trajectory_name(q));
            us_hint("choose another --out, or remove the folder to begin again");
            return UNSEEN_USAGE;
        }
    }
    return UNSEEN_OK;
}

/* "probs,features", as --record-also takes it; NULL for nothing. */
static json_t *record_option(unsigned record_also)
{
    char names[256] = "";
    for (int q = 0; q < UNSEEN_N_QUANTITIES; q++) {
        const size_t at = strlen(names);
        if (record_also >> q & 1)
            snprintf(names + at, sizeof names - at, "%s%s", at ? "," : "", us_trajectory_name(q));
    }
    return *names ? json_string(names) : NULL;
}

/* What --config of unseen trajectory takes: run.json's members, with the options under "options". */
static json_t *repeat_json(const struct run_of *of, unsigned record_also)
{
    const struct unseen_scoring_options *o = of->options;
    json_t *run = us_run_json(o->command, o->seed, of->device, of->data, us_scoring_options, o);
    json_t *options = json_object_get(run, "settings"), *also = record_option(record_also);
    char job[32];
    snprintf(job, sizeof job, "%d/%d", o->job + 1, o->jobs);
    (void)json_object_del(options, "true_labels"); /* of what had it recorded */
    bool bad = !options || (also && json_object_set_new(options, "record_also", also)) ||
               (o->jobs > 1 && json_object_set_new(options, "job", json_string(job))) ||
               json_object_set(run, "options", options) || json_object_del(run, "settings");
    return us_settings_made(run, bad);
}

static enum unseen_status begin(struct us_settings *s, const struct run_of *of, json_t *asked,
                                unsigned record_also)
{
    json_t *models = json_array();
    json_t *own = json_pack("{s:O, s:o, s:b, s:o}", "settings", asked, "record_also",
                            us_record_json(record_also), "complete", 0, "models", models);
    s->record_also = record_also;
    s->root = repeat_json(of, record_also);
    if (!own || !s->root || json_object_update(s->root, own)) {
        json_decref(own);
        return us_fail(UNSEEN_FAILED, "memory", "cannot describe the settings");
    }
    json_decref(own);
    return us_json_save(s->path, s->root);
}

/* Go on with a folder that recorded less than is asked for now, as with an empty one: models draw the same
 * weights again, so that what was made from its trajectory stays true. */
static enum unseen_status begin_again(struct us_settings *s, const struct run_of *of, json_t *asked,
                                      unsigned record_also)
{
    enum unseen_status st = UNSEEN_OK;
    char *work = us_format("%s/work", of->options->out);
    US_TRY_ALLOC(work);
    us_log(UNSEEN_LOG_INFO, "%s: recording again, with what it did not record", of->options->out);
    US_TRY(us_remove_written(work)); /* what its models left would lack that too */
    json_decref(s->root);
    s->root = NULL;
    s->complete = false;
    US_TRY(begin(s, of, asked, record_also));
out:
    free(work);
    return st;
}

/* Whether the arrays that a complete run left are there still. */
static bool is_whole(const struct unseen_scoring_options *o, const struct us_subset_run *subset)
{
    char *trajectory = us_format("%s/trajectory", o->out);
    char *seen = us_format("%s/seen/trajectory", o->out);
    bool whole = trajectory && us_trajectory_is_whole(trajectory);
    if (whole && o->protocol != UNSEEN_SEEN && !subset)
        whole = seen && us_trajectory_is_whole(seen);
    free(seen);
    free(trajectory);
    return whole;
}

/* Whether the models of a complete job are there still. */
static bool has_models(const struct unseen_scoring_options *o)
{
    const int per_repeat = o->protocol == UNSEEN_SEEN ? 1 : o->folds;
    bool all = true;
    for (int number = o->job; number < o->repeats * per_repeat && all; number += o->jobs) {
        char *folder = us_model_folder(o->out, number / per_repeat, number % per_repeat);
        char *state = folder ? us_format("%s/state.safetensors", folder) : NULL;
        all = state && us_exists(state);
        free(state);
        free(folder);
    }
    return all;
}

/* What a run that begins here records. */
static unsigned to_record(const struct unseen_scoring_options *o)
{
    return o->record_also | o->record_wanted;
}

/* Whether the folder is to record again, with what it lacks. */
static bool lacks(const struct us_settings *s, const struct unseen_scoring_options *o)
{
    return o->record_again && (o->record_also & ~s->record_also);
}

/* What the file says. A damaged array or model that was removed is made anew. */
static enum unseen_status read_back(struct us_settings *s, const struct run_of *of, json_t *asked)
{
    const struct unseen_scoring_options *o = of->options;
    enum unseen_status st = us_json_load(s->path, &s->root);
    if (st == UNSEEN_BAD_DATA)
        us_hint("remove it and run the same command again: the scoring models are trained anew");
    US_TRY(st);
    s->complete = json_is_true(json_object_get(s->root, "complete"));
    const bool whole = o->jobs > 1 ? has_models(o) : is_whole(o, of->subset);
    s->damaged = s->complete && json_object_get(s->root, "settings") && !whole;
    s->complete = s->complete && !s->damaged;
    US_TRY(us_settings_match(s->path, json_object_get(s->root, "settings"), asked, !s->complete));
    US_TRY(compare_job(s, asked));
    US_TRY(us_settings_record(s->path, s->root, &s->record_also));
    if (!lacks(s, o))
        US_TRY(compare_record(s, o->record_also));
out:
    return st;
}

static enum unseen_status go_on(struct us_settings *s, const struct run_of *of, json_t *asked)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_scoring_options *o = of->options;
    US_TRY(read_back(s, of, asked));
    if (s->damaged) {
        us_log(UNSEEN_LOG_WARNING, "%s: %s are missing; recording %s again", s->path,
               o->jobs > 1 ? "models" : "arrays of its trajectory", o->jobs > 1 ? "them" : "it");
        (void)json_array_clear(json_object_get(s->root, "models"));
    }
    if (lacks(s, o))
        US_TRY(begin_again(s, of, asked, to_record(o) | s->record_also));
out:
    return st;
}

enum unseen_status us_settings_open(const struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct unseen_scoring_options *options,
                                    const struct us_subset_run *subset, struct us_settings *s)
{
    enum unseen_status st = UNSEEN_OK;
    struct run_of of = {device, data, options, subset, 0};
    json_t *asked = NULL;
    *s = (struct us_settings){0};
    US_TRY(us_init_hash(options->init, &of.init));
    US_TRY_ALLOC(s->path = us_format("%s/scoring.json", options->out));
    US_TRY(us_run_lock(options->out, US_SCORING_KIND, us_scoring_files, &s->lock));
    asked = describe(&of);
    US_TRY_ALLOC(asked);
    US_TRY(us_exists(s->path) ? go_on(s, &of, asked) : begin(s, &of, asked, to_record(options)));
    s->models = json_object_get(s->root, "models");
    if (!json_is_array(s->models))
        st = us_fail(UNSEEN_BAD_DATA, s->path, "has no list of models");
out:
    json_decref(asked);
    return st;
}

enum unseen_status us_settings_look(const struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct unseen_scoring_options *options,
                                    const struct us_subset_run *subset, struct us_found *found)
{
    enum unseen_status st = UNSEEN_OK;
    struct run_of of = {device, data, options, subset, 0};
    struct us_settings s = {0};
    json_t *asked = NULL;
    *found = (struct us_found){.record_also = to_record(options)};
    if (!options->out)
        goto out;
    if (!us_exists(options->out))
        goto out;
    US_TRY(us_run_lock(options->out, US_SCORING_KIND, us_scoring_files, &s.lock)); /* all is ours */
    US_TRY_ALLOC(s.path = us_format("%s/scoring.json", options->out));
    if (!us_exists(s.path))
        goto out;
    US_TRY(us_init_hash(options->init, &of.init));
    US_TRY_ALLOC(asked = describe(&of));
    US_TRY(read_back(&s, &of, asked));
    *found = (struct us_found){.complete = s.complete && !lacks(&s, options),
                               .begun = !lacks(&s, options),
                               .record_also = (lacks(&s, options) ? to_record(options) : 0) | s.record_also};
out:
    json_decref(asked);
    us_settings_close(&s);
    return st;
}

void us_settings_close(struct us_settings *s)
{
    us_run_lock_end(&s->lock);
    json_decref(s->root);
    free(s->path);
    *s = (struct us_settings){0};
}

/* NaN, for what was not measured, becomes null. */
static json_t *epoch_json(const struct unseen_epoch *e)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "epoch", e->epoch, "lr",
                     us_json_float((float)e->lr), "train_loss", us_json_float((float)e->train_loss),
                     "train_accuracy", us_json_float((float)e->train_accuracy), "heldout_loss",
                     us_json_float((float)e->heldout_loss), "heldout_accuracy",
                     us_json_float((float)e->heldout_accuracy), "seconds", us_json_float((float)e->seconds));
}

enum unseen_status us_settings_add_model(json_t *models, int repeat, int fold, const struct us_past *past)
{
    char name[64];
    snprintf(name, sizeof name, "repeat %d, fold %d", repeat + 1, fold + 1);
    json_t *list = json_array();
    bool bad = !list;
    for (int e = 0; e < past->epochs && !bad; e++)
        bad = json_array_append_new(list, epoch_json(&past->history[e]));
    json_t *model = json_pack("{s:s, s:I, s:o, s:o}", "name", name, "n_train", (json_int_t)past->n_train,
                              "made_by", us_json_text(past->made_by), "epochs", list);
    if (bad || !model || json_array_append_new(models, model))
        return us_fail(UNSEEN_FAILED, "memory", "cannot record a model's history");
    return UNSEEN_OK;
}

enum unseen_status us_settings_complete(struct us_settings *s)
{
    if (json_object_set_new(s->root, "complete", json_true()))
        return us_fail(UNSEEN_FAILED, "memory", "cannot describe the settings");
    s->complete = true;
    return us_json_save(s->path, s->root);
}
