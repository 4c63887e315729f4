#include "config.h"

#include "compare/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/output.h"
#include "base/usable.h"
#include "nn/session.h"
#include "scoring/folds.h"

enum { TENTHS = 10, HELD_OUT = 0 };

/* Scoring runs use the repeats from 0 on. */
#define REPEAT 0x5ea2c4

/* The part of the data that trials select from, and the tenth that they are tested on. */
struct part {
    int64_t n, n_out;
    int64_t *sample, *out; /* [n], [n_out] in the training split */
    float *scores, *hardness;
    int32_t *labels;
};

/* Which samples are in it. */
static enum unseen_status part_split(const struct unseen_dataset *data, const struct us_search *s,
                                     struct part *p)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    uint8_t *tenth = us_calloc((size_t)train->n, 1);
    US_TRY_ALLOC(tenth);
    US_TRY_ALLOC(p->sample = us_calloc((size_t)train->n, sizeof *p->sample));
    US_TRY_ALLOC(p->out = us_calloc((size_t)train->n, sizeof *p->out));
    US_TRY(us_folds(train->labels, s->duplicate_of, train->n, data->classes, TENTHS, s->seed, REPEAT, tenth));
    for (int64_t i = 0; i < train->n; i++) {
        if (!us_is_usable(train, i))
            continue;
        if (tenth[i] == HELD_OUT)
            p->out[p->n_out++] = i;
        else
            p->sample[p->n++] = i;
    }
out:
    free(tenth);
    return st;
}

static void part_free(struct part *p)
{
    free(p->sample);
    free(p->out);
    free(p->scores);
    free(p->hardness);
    free(p->labels);
}

static enum unseen_status part_make(const struct unseen_dataset *data, const struct us_search *s,
                                    struct part *p)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    const struct us_select_inputs *e = s->inputs;
    US_TRY(part_split(data, s, p));
    US_TRY_ALLOC(p->scores = us_calloc((size_t)p->n, sizeof *p->scores));
    US_TRY_ALLOC(p->hardness = us_calloc((size_t)p->n, sizeof *p->hardness));
    US_TRY_ALLOC(p->labels = us_calloc((size_t)p->n, sizeof *p->labels));
    for (int64_t k = 0; k < p->n; k++) {
        const int64_t i = p->sample[k];
        p->scores[k] = e->scores[i];
        p->hardness[k] = e->hardness ? e->hardness[i] : e->scores[i];
        p->labels[k] = train->labels[i];
    }
out:
    return st;
}

/* ---- trials ---- */

/* Whether cut-off number i, i tenths, leaves as many samples as are to be kept. */
static bool is_tried(const struct us_search *s, int i)
{
    return i == 0 || i / 10.0 <= 1 - s->select->keep + 1e-9;
}

static char *state_path(const struct us_search *s, int i)
{
    return us_format("%s/search-%d.safetensors", s->folder, i);
}

static struct us_train_job trial_job(const struct us_search *s, const struct part *p, const int64_t *keep,
                                     int64_t m, const char *state)
{
    return (struct us_train_job){.recipe = &s->recipe,
                                 .seed = s->seed,
                                 .train = keep,
                                 .n_train = m,
                                 .heldout = p->out,
                                 .n_heldout = p->n_out,
                                 .state = state,
                                 .whole = s->whole,
                                 .price = s->price,
                                 .title = "search"};
}

/* Accuracy on the tenth of a model trained on what `cutoff` keeps. */
static enum unseen_status train_with_cutoff(struct us_session *session, const struct us_search *s,
                                            const struct part *p, int number, double cutoff, double *accuracy)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_select_options select = *s->select;
    struct unseen_epoch *history = NULL;
    int64_t *keep = NULL, m = 0;
    int epochs = 0;
    char *state = state_path(s, number);
    US_TRY_ALLOC(state);
    select.cutoff = cutoff;
    select.hardness = p->hardness;
    select.leave_out = NULL;
    US_TRY(unseen_select(s->rule, p->scores, p->labels, p->n, session->data->classes, &select, &keep, &m));
    for (int64_t i = 0; i < m; i++)
        keep[i] = p->sample[keep[i]];
    const struct us_train_job job = trial_job(s, p, keep, m, state);
    US_TRY(us_train(session, &job, &history, &epochs));
    *accuracy = history[epochs - 1].heldout_accuracy;
    us_log(UNSEEN_LOG_DEBUG, "cut-off %g: %.4f on the part held out", cutoff, *accuracy);
out:
    free(history);
    free(keep);
    free(state);
    return st;
}

/* What was found, for people; then the states are not needed any more. */
static enum unseen_status leave(const struct us_search *s, json_t *trials, double best)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *json = json_pack("{s:f, s:O}", "cutoff", best, "trials", trials);
    char *path = us_format("%s/search.json", s->folder);
    US_TRY_ALLOC(path);
    US_TRY(us_json_save(path, json));
    for (int i = 0; i < US_SEARCH_TRIALS; i++) {
        char *state = state_path(s, i);
        if (state)
            (void)us_remove_file(state);
        free(state);
    }
out:
    free(path);
    json_decref(json);
    return st;
}

static enum unseen_status found_before(const struct us_search *s, double *cutoff, bool *found)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *json = NULL;
    char *path = us_format("%s/search.json", s->folder);
    US_TRY_ALLOC(path);
    *found = us_exists(path);
    if (*found) {
        US_TRY(us_json_load(path, &json));
        US_TRY(us_json_real(json, path, "cutoff", 0, 1, cutoff));
    }
out:
    json_decref(json);
    free(path);
    return st;
}

enum unseen_status us_search_cutoff(struct us_session *session, const struct us_search *s, double *cutoff)
{
    enum unseen_status st = UNSEEN_OK;
    struct part part = {0};
    json_t *trials = json_array();
    double best = -1;
    bool found;
    US_TRY(found_before(s, cutoff, &found));
    if (found)
        goto out;
    US_TRY(part_make(session->data, s, &part));
    for (int i = 0; i < US_SEARCH_TRIALS && is_tried(s, i); i++) {
        double candidate = i / 10.0, accuracy = 0;
        US_TRY(train_with_cutoff(session, s, &part, i, candidate, &accuracy));
        json_array_append_new(trials, json_pack("{s:f, s:f}", "cutoff", candidate, "accuracy", accuracy));
        if (accuracy > best) {
            best = accuracy;
            *cutoff = candidate;
        }
    }
    US_TRY(leave(s, trials, *cutoff));
out:
    json_decref(trials);
    part_free(&part);
    return st;
}

enum unseen_status us_search_left(const struct unseen_dataset *data, const struct us_search *s,
                                  struct us_work *work)
{
    enum unseen_status st = UNSEEN_OK;
    struct part part = {0};
    double cutoff;
    bool found = false;
    *work = (struct us_work){0};
    US_TRY(s->folder ? found_before(s, &cutoff, &found) : UNSEEN_OK);
    if (found)
        goto out;
    US_TRY(part_split(data, s, &part));
    const int64_t m = llround(s->select->keep * (double)part.n);
    for (int i = 0; i < US_SEARCH_TRIALS && is_tried(s, i); i++) {
        char *state = s->folder ? state_path(s, i) : NULL;
        const struct us_train_job job = trial_job(s, &part, NULL, m, state);
        const struct us_work trial = us_train_left(data, &job);
        us_work_add(work, &trial);
        free(state);
    }
out:
    part_free(&part);
    return st;
}
