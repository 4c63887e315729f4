/* The registry of scores, and what is common to all: checks, calibration, averaging over repeats. */
#include "config.h"

#include "unseen/score.h"

#include <stdlib.h>
#include <string.h>

#include "prune/calibrate.h"
#include "prune/order.h"
#include "prune/score_function.h"
#include "prune/trajectory.h"

#define DEFAULT_WINDOW 10

static const struct score {
    const char *name;
    us_score_function *function;
    enum unseen_quantity quantity;
    int epochs;
    const char *help;
} scores_known[] = {
#define US_SCORE(name, function, quantity, epochs, help) {name, function, quantity, epochs, help},
#include "prune/scores.def"
#undef US_SCORE
};

#define SCORES ((int)(sizeof scores_known / sizeof scores_known[0]))

const char *unseen_score_name(int i)
{
    return i >= 0 && i < SCORES ? scores_known[i].name : NULL;
}

const char *unseen_score_help(int i)
{
    return i >= 0 && i < SCORES ? scores_known[i].help : NULL;
}

static enum unseen_status find(const char *metric, const struct score **score)
{
    for (int i = 0; i < SCORES; i++) {
        if (strcmp(metric, scores_known[i].name) == 0) {
            *score = &scores_known[i];
            return UNSEEN_OK;
        }
    }
    us_fail(UNSEEN_USAGE, "--metric", "there is no score '%s'", metric);
    us_hint_names("scores", unseen_score_name);
    return UNSEEN_USAGE;
}

static bool recorded(const struct unseen_trajectory *t, enum unseen_quantity quantity)
{
    if (quantity == UNSEEN_QUANTITIES)
        return true;
    return quantity == UNSEEN_CORRECT ? t->correct != NULL : t->value[quantity] != NULL;
}

/* Fills all of `view` but the repeat. */
static enum unseen_status resolve(const struct unseen_trajectory *t, const struct score *score,
                                  const struct unseen_score_options *options, struct us_score_view *view)
{
    if (!recorded(t, score->quantity))
        return us_fail(UNSEEN_USAGE, "--metric", "%s needs %s.npy, which the trajectory does not hold",
                       score->name, unseen_quantity_name(score->quantity));
    if (t->epochs < score->epochs)
        return us_fail(UNSEEN_USAGE, "--metric", "%s needs at least %d epochs; the trajectory holds %d",
                       score->name, score->epochs, t->epochs);
    if (options->epoch < -1 || options->epoch >= t->epochs)
        return us_fail(UNSEEN_USAGE, "--epoch", "%d is not in 0..%d, the epochs of the trajectory",
                       options->epoch, t->epochs - 1);
    if (options->window < 0 || options->window == 1)
        return us_fail(UNSEEN_USAGE, "--window", "%d epochs are no window; at least 2 are", options->window);
    int window = options->window ? options->window : DEFAULT_WINDOW;
    *view = (struct us_score_view){
        .trajectory = t,
        .epoch = options->epoch,
        .window = window < t->epochs ? window : t->epochs,
        .seed = options->seed,
    };
    return UNSEEN_OK;
}

enum unseen_status unseen_score(const struct unseen_trajectory *trajectory, const char *metric,
                                const struct unseen_score_options *options, float *scores)
{
    static const struct unseen_score_options defaults = {.epoch = -1};
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = trajectory;
    const struct unseen_score_options *o = options ? options : &defaults;
    const struct score *score = NULL;
    struct us_score_view view;
    double *one = NULL, *total = NULL;
    US_TRY(find(metric, &score));
    US_TRY(resolve(t, score, o, &view));
    US_TRY_ALLOC(one = us_calloc((size_t)t->n, sizeof *one));
    US_TRY_ALLOC(total = us_calloc((size_t)t->n, sizeof *total));
    for (view.repeat = 0; view.repeat < t->repeats; view.repeat++) {
        const uint8_t *fold = t->fold ? t->fold + (size_t)view.repeat * (size_t)t->n : NULL;
        US_TRY(score->function(&view, one));
        US_TRY(us_calibrate(o->calibration, fold, t->n, one));
        for (int64_t i = 0; i < t->n; i++)
            total[i] += one[i];
    }
    for (int64_t i = 0; i < t->n; i++)
        scores[i] = (float)(total[i] / t->repeats);
out:
    free(total);
    free(one);
    return st;
}
