/* What is common to all scores: checks, calibration, averaging over repeats, sums of a formula. */
#include "config.h"

#include "unseen/score.h"

#include <stdlib.h>
#include <string.h>

#include "score/calibrate.h"
#include "score/formula.h"
#include "score/registry.h"
#include "score/score_function.h"
#include "trajectory/trajectory.h"

#define DEFAULT_WINDOW 10
#define DEFAULT_DECAY  0.9

/* Samples scored at once: what is read of a trajectory, at most this times its epochs and three quantities,
 * is what it takes of memory. */
#define BLOCK ((int64_t)1 << 16)

enum unseen_status us_score_reads(const char *metric, unsigned *quantities)
{
    struct us_formula formula;
    enum unseen_status st = us_formula_parse(metric, &formula);
    *quantities = 0;
    for (int i = 0; !st && i < formula.n; i++)
        *quantities |= us_scores[formula.term[i].score].needs;
    return st;
}

enum unseen_status us_score_bytes(const char *metric, struct us_score_bytes *bytes)
{
    unsigned quantities;
    enum unseen_status st = us_score_reads(metric, &quantities);
    *bytes = (struct us_score_bytes){.features = quantities >> UNSEEN_FEATURES & 1};
    for (int q = 0; q < UNSEEN_N_SCALAR; q++)
        bytes->epoch += quantities >> q & 1 ? (int)us_dtype_size(us_trajectory_dtype(q)) : 0;
    if (quantities >> UNSEEN_GRADIENT_NORM & 1)
        bytes->sample = (int)us_dtype_size(us_trajectory_dtype(UNSEEN_GRADIENT_NORM));
    return st;
}

enum unseen_status unseen_score_needs(const char *metric, unsigned *record_also)
{
    unsigned quantities;
    enum unseen_status st = us_score_reads(metric, &quantities);
    *record_also = us_record_whole(quantities & US_RECORD_DEMAND);
    return st;
}

/* `why`: what there are no two kinds of models in; `hint`: where there are. */
static enum unseen_status check_sides(const struct us_score *score, const char *why, const char *hint)
{
    if (!(score->flags & US_TWO_SIDED))
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, "--metric",
            "%s compares models that trained on a sample with models that did not, and %s", score->name, why);
    us_hint("%s", hint);
    return UNSEEN_USAGE;
}

static enum unseen_status check_protocol(const struct us_score *score, enum unseen_protocol protocol)
{
    if (protocol == UNSEEN_SEEN && (score->flags & US_UNSEEN)) {
        us_fail(UNSEEN_USAGE, "--metric", "%s is of models that never saw the samples", score->name);
        us_hint("choose the fold or one-fold protocol, or confidence without unseen");
        return UNSEEN_USAGE;
    }
    return protocol == UNSEEN_SEEN ? check_sides(score, "a seen trajectory has no others",
                                                 "the fold and one-fold protocols have both")
                                   : UNSEEN_OK;
}

enum unseen_status unseen_score_check(const char *metric, enum unseen_protocol protocol)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_formula formula;
    US_TRY(us_formula_parse(metric, &formula));
    for (int i = 0; i < formula.n; i++)
        US_TRY(check_protocol(&us_scores[formula.term[i].score], protocol));
out:
    return st;
}

static enum unseen_status check_recorded(const struct unseen_trajectory *t, const struct us_score *score)
{
    for (int q = 0; q < UNSEEN_N_QUANTITIES; q++) {
        if (!(score->needs >> q & 1))
            continue;
        if (us_trajectory_holds(t, q)) {
            enum unseen_status st = us_trajectory_check(t, q);
            if (!st && q == UNSEEN_FEATURES)
                st = us_trajectory_check(t, US_CENTRES);
            if (st)
                return st;
            continue;
        }
        const char *name = unseen_quantity_name(q);
        us_fail(UNSEEN_USAGE, "--metric", "%s needs %s.npy, which the trajectory does not hold", score->name,
                name);
        if (US_RECORD_DEMAND >> q & 1)
            us_hint("unseen trajectory --record-also %s records it", name);
        return UNSEEN_USAGE;
    }
    return UNSEEN_OK;
}

int us_score_epochs(const struct unseen_score_options *o, int recorded)
{
    return o->length ? o->length : recorded;
}

enum unseen_status us_score_check_length(const struct unseen_score_options *o, int recorded)
{
    if (o->length < 0 || o->length > recorded)
        return us_fail(UNSEEN_USAGE, "--length", "%d is not in 1..%d, the epochs of the trajectory",
                       o->length, recorded);
    return UNSEEN_OK;
}

/* Whether a trajectory of so many epochs can serve. */
static enum unseen_status check_options(const struct us_score *score, const struct unseen_score_options *o,
                                        int recorded)
{
    const int epochs = us_score_epochs(o, recorded);
    if (us_score_check_length(o, recorded))
        return UNSEEN_USAGE;
    if (o->epoch < -1 || o->epoch >= epochs)
        return us_fail(UNSEEN_USAGE, "--epoch", "%d is not in 0..%d, the epochs of the trajectory", o->epoch,
                       epochs - 1);
    const enum unseen_status st = us_options_check(us_score_options, o);
    if (st)
        return st;
    if (epochs < score->epochs)
        return us_fail(UNSEEN_USAGE, "--metric", "%s needs at least %d epochs; there are %d", score->name,
                       score->epochs, epochs);
    return UNSEEN_OK;
}

enum unseen_status us_score_check_run(const char *metric, const struct unseen_score_options *options,
                                      int epochs, bool in_steps)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_formula formula;
    US_TRY(us_formula_parse(metric, &formula));
    for (int i = 0; i < formula.n; i++) {
        const struct us_score *score = &us_scores[formula.term[i].score];
        if (in_steps)
            US_TRY(check_sides(score, "steps record the latter alone", "a selection in one step has both"));
        US_TRY(check_options(score, options, epochs));
    }
out:
    return st;
}

/* Fills all of `view` but the repeat and the samples. */
static enum unseen_status resolve(const struct unseen_trajectory *t, const struct us_score *score,
                                  const struct unseen_score_options *o, struct us_score_view *view)
{
    enum unseen_status st = UNSEEN_OK;
    int window = o->window ? o->window : DEFAULT_WINDOW;
    int epochs = us_score_epochs(o, t->epochs);
    US_TRY(check_protocol(score, t->protocol));
    US_TRY(check_recorded(t, score));
    US_TRY(check_options(score, o, t->epochs));
    *view = (struct us_score_view){
        .trajectory = t,
        .epochs = epochs,
        .epoch = o->epoch,
        .window = window < epochs ? window : epochs,
        .clusters = o->clusters ? o->clusters : t->classes,
        .decay = o->decay > 0 ? o->decay : DEFAULT_DECAY,
        .seed = o->seed,
    };
out:
    return st;
}

static enum unseen_status score_repeat(const struct us_score *score, struct us_score_view *view,
                                       double *scores)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = view->trajectory;
    int64_t step = score->flags & US_WHOLE ? t->n : BLOCK;
    for (view->first = 0; view->first < t->n; view->first += step) {
        view->n = t->n - view->first < step ? t->n - view->first : step;
        US_TRY(score->function(view, scores + view->first));
        us_trajectory_drop_pages(t);
    }
out:
    return st;
}

/* total [n], zeroed, receives the mean over repeats. */
static enum unseen_status score_one(const struct unseen_trajectory *t, const struct us_score *score,
                                    const struct unseen_score_options *o, double *total)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_score_view view;
    double *one = NULL;
    US_TRY(resolve(t, score, o, &view));
    US_TRY_ALLOC(one = us_calloc((size_t)t->n, sizeof *one));
    for (view.repeat = 0; view.repeat < t->repeats; view.repeat++) {
        const uint8_t *fold = t->fold ? t->fold + (size_t)view.repeat * (size_t)t->n : NULL;
        US_TRY(score_repeat(score, &view, one));
        US_TRY(us_calibrate(o->calibration, fold, t->n, one));
        for (int64_t i = 0; i < t->n; i++)
            total[i] += one[i];
    }
    for (int64_t i = 0; i < t->n; i++)
        total[i] /= t->repeats;
out:
    free(one);
    return st;
}

static enum unseen_status score_sum(const struct unseen_trajectory *t, const struct us_formula *formula,
                                    const struct unseen_score_options *o, double *total)
{
    enum unseen_status st = UNSEEN_OK;
    double *term = us_calloc((size_t)t->n, sizeof *term);
    US_TRY_ALLOC(term);
    for (int i = 0; i < formula->n; i++) {
        memset(term, 0, (size_t)t->n * sizeof *term);
        US_TRY(score_one(t, &us_scores[formula->term[i].score], o, term));
        US_TRY(us_calibrate(UNSEEN_CALIBRATE_RANK, NULL, t->n, term));
        for (int64_t s = 0; s < t->n; s++)
            total[s] += formula->term[i].weight * term[s];
    }
out:
    free(term);
    return st;
}

enum unseen_status unseen_score(const struct unseen_trajectory *trajectory, const char *metric,
                                const struct unseen_score_options *options, float *scores)
{
    struct unseen_score_options defaults;
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_score_options *o = options ? options : &defaults;
    struct us_formula formula;
    double *total = NULL;
    unseen_score_defaults(&defaults);
    US_TRY(us_formula_parse(metric, &formula));
    US_TRY_ALLOC(total = us_calloc((size_t)trajectory->n, sizeof *total));
    if (formula.plain)
        US_TRY(score_one(trajectory, &us_scores[formula.term[0].score], o, total));
    else
        US_TRY(score_sum(trajectory, &formula, o, total));
    for (int64_t i = 0; i < trajectory->n; i++)
        scores[i] = (float)total[i];
out:
    free(total);
    return st;
}
