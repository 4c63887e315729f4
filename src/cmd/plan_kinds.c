#include "config.h"

#include "cmd/plan_kinds.h"

#include <stdio.h>

#include "unseen/compare.h"
#include "unseen/prune.h"

/* Schedules that are shorter teach little. */
enum { EPOCHS_LEAST = 10, FOLDS_LEAST = 3 };

static bool halve(struct unseen_recipe *recipe)
{
    if (recipe->epochs < 2 * EPOCHS_LEAST || recipe->stop_after)
        return false;
    recipe->epochs /= 2;
    return true;
}

static bool halve_epochs(struct unseen_recipe *recipe, char text[US_CHANGE_TEXT])
{
    if (!halve(recipe))
        return false;
    snprintf(text, US_CHANGE_TEXT, "--epochs %d", recipe->epochs);
    return true;
}

/* ---- train ---- */

static enum unseen_status plan_train(const struct us_planned *p, const void *options, bool fresh,
                                     enum unseen_plan_by by, struct unseen_plan *plan)
{
    struct unseen_train_options o = *(const struct unseen_train_options *)options;
    o.out = fresh ? NULL : o.out;
    return unseen_train_plan(p->device, p->data, &o, by, plan);
}

static bool train_halve(void *options, char text[US_CHANGE_TEXT])
{
    return halve_epochs(&((struct unseen_train_options *)options)->recipe, text);
}

const struct us_plan_kind us_plan_train = {sizeof(struct unseen_train_options), plan_train, {train_halve}};

/* ---- trajectory, audit ---- */

static bool lessen_repeats(struct unseen_scoring_options *o, char text[US_CHANGE_TEXT])
{
    const bool more = o->repeats > 1;
    o->repeats = 1;
    snprintf(text, US_CHANGE_TEXT, "--repeats 1");
    return more;
}

static bool lessen_folds(struct unseen_scoring_options *o, char text[US_CHANGE_TEXT])
{
    const bool more = o->protocol != UNSEEN_SEEN && o->folds > FOLDS_LEAST;
    o->folds = FOLDS_LEAST;
    snprintf(text, US_CHANGE_TEXT, "--folds %d", FOLDS_LEAST);
    return more;
}

static enum unseen_status plan_trajectory(const struct us_planned *p, const void *options, bool fresh,
                                          enum unseen_plan_by by, struct unseen_plan *plan)
{
    struct unseen_scoring_options o = *(const struct unseen_scoring_options *)options;
    o.out = fresh ? NULL : o.out;
    return unseen_trajectory_plan(p->device, p->data, &o, by, plan);
}

static bool trajectory_repeats(void *options, char text[US_CHANGE_TEXT])
{
    return lessen_repeats(options, text);
}

static bool trajectory_folds(void *options, char text[US_CHANGE_TEXT])
{
    return lessen_folds(options, text);
}

static bool trajectory_halve(void *options, char text[US_CHANGE_TEXT])
{
    return halve_epochs(&((struct unseen_scoring_options *)options)->recipe, text);
}

const struct us_plan_kind us_plan_trajectory = {sizeof(struct unseen_scoring_options),
                                                plan_trajectory,
                                                {trajectory_repeats, trajectory_folds, trajectory_halve}};

/* ---- prune ---- */

static enum unseen_status plan_prune(const struct us_planned *p, const void *options, bool fresh,
                                     enum unseen_plan_by by, struct unseen_plan *plan)
{
    struct unseen_prune_options o = *(const struct unseen_prune_options *)options;
    o.scoring.out = fresh ? NULL : o.scoring.out;
    return unseen_prune_plan(p->device, p->data, &o, by, plan);
}

static bool prune_repeats(void *options, char text[US_CHANGE_TEXT])
{
    return lessen_repeats(&((struct unseen_prune_options *)options)->scoring, text);
}

static bool prune_folds(void *options, char text[US_CHANGE_TEXT])
{
    return lessen_folds(&((struct unseen_prune_options *)options)->scoring, text);
}

static bool prune_halve(void *options, char text[US_CHANGE_TEXT])
{
    return halve_epochs(&((struct unseen_prune_options *)options)->scoring.recipe, text);
}

const struct us_plan_kind us_plan_prune = {
    sizeof(struct unseen_prune_options), plan_prune, {prune_repeats, prune_folds, prune_halve}};

/* ---- compare ---- */

static enum unseen_status plan_compare(const struct us_planned *p, const void *options, bool fresh,
                                       enum unseen_plan_by by, struct unseen_plan *plan)
{
    struct unseen_compare_options o = *(const struct unseen_compare_options *)options;
    o.out = fresh ? NULL : o.out;
    return unseen_compare_plan(p->device, p->data, &o, by, plan);
}

static bool compare_seeds(void *options, char text[US_CHANGE_TEXT])
{
    struct unseen_compare_options *o = options;
    const bool more = o->seeds > 1;
    o->seeds = 1;
    snprintf(text, US_CHANGE_TEXT, "--seeds 1");
    return more;
}

static bool compare_score_once(void *options, char text[US_CHANGE_TEXT])
{
    struct unseen_compare_options *o = options;
    const bool more = o->seeds > 1 && !o->score_once;
    o->score_once = 1;
    snprintf(text, US_CHANGE_TEXT, "--score-once");
    return more;
}

/* Of the scoring models too, where theirs are as many. */
static bool compare_halve(void *options, char text[US_CHANGE_TEXT])
{
    struct unseen_compare_options *o = options;
    if (o->scoring.recipe.epochs == o->recipe.epochs)
        halve(&o->scoring.recipe);
    return halve_epochs(&o->recipe, text);
}

const struct us_plan_kind us_plan_compare = {
    sizeof(struct unseen_compare_options), plan_compare, {compare_seeds, compare_score_once, compare_halve}};
