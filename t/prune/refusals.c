/* What unseen_prune refuses, it refuses before it touches the device: here there is none. */
#include "config.h"

#include "unseen/prune.h"

#include <string.h>

#include "support/drawn.h"

static struct unseen_prune_options good;

static int set_up(void **state)
{
    unseen_prune_defaults(&good);
    good.scoring.recipe = test_small_recipe();
    return test_drawn(state, 400);
}

static enum unseen_status prune(const struct unseen_prune_options *options)
{
    struct unseen_prune_result result;
    struct unseen_prune_options o = *options;
    o.scoring.out = test_path("never");
    return unseen_prune(NULL, data, &o, &result);
}

#define REFUSED(part, ...)                                                                                   \
    do {                                                                                                     \
        struct unseen_prune_options o = good;                                                                \
        __VA_ARGS__;                                                                                         \
        assert_fails(UNSEEN_USAGE, part, prune(&o));                                                         \
        assert_false(us_exists(test_path("never")));                                                         \
    } while (0)

static void a_selection_that_cannot_be_made(void **state)
{
    (void)state;
    REFUSED("--rule: there is no rule 'best'", o.rule = "best");
    REFUSED("--keep: 0.0001 of 400 samples is nothing", o.select.keep = 0.0001);
    REFUSED("--cutoff: 1.5", o.select.cutoff = 1.5);
    REFUSED("--strata: -1", o.select.strata = -1);
    REFUSED("--dual-exponent: -1", o.select.beta = -1);
    REFUSED("--class-focus: 2", o.select.class_focus = 2);
    REFUSED("--gamma: -1", o.select.gamma = -1);
    REFUSED("--neighbours: 1000000", o.select.neighbours = 1000000);
    REFUSED("--metric: there is no score 'best'", o.metric = "best");
    REFUSED("--cutoff-by: there is no score 'best'", o.cut = "best");
    REFUSED("--cutoff-by: unseen-confidence is of models that never saw", o.scoring.protocol = UNSEEN_SEEN,
            o.cut = "unseen-confidence");
    REFUSED("--length: 3 is not in 1..2", o.score.length = 3);
}

static void models_that_cannot_be_trained(void **state)
{
    (void)state;
    REFUSED("--pad: 16 is too large", o.scoring.recipe.pad = SIZE);
    REFUSED("--folds: 1 ", o.scoring.folds = 1);
    REFUSED("--stop-after: 3 is more than --epochs, 2", o.scoring.recipe.stop_after = 3);
    REFUSED("--warmup: 3 is more than --epochs, 2", o.scoring.recipe.warmup = 3);
}

/* Recipes that are derived from the one that was given. */
static void models_of_later_steps_and_judges_that_cannot_be_trained(void **state)
{
    (void)state;
    good.step.steps = 3;
    REFUSED("--warmup: 5 is more than --epochs, 4", o.scoring.recipe.epochs = 30,
            o.scoring.recipe.stop_after = 4, o.scoring.recipe.warmup = 5);
    assert_non_null(strstr(unseen_last_hint(), "--stop-after 4"));
    REFUSED("--warmup: 5 is more than --epochs, 3", o.scoring.recipe.epochs = 10, o.scoring.recipe.warmup = 5,
            o.step.epochs = 3);
    assert_non_null(strstr(unseen_last_hint(), "--step-epochs 3"));
    REFUSED("--step-epochs: 100001", o.step.epochs = 100001);
    REFUSED("--keep: 0.0001", o.select.keep = 0.0001);
    good.step.steps = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_selection_that_cannot_be_made),
        cmocka_unit_test(models_that_cannot_be_trained),
        cmocka_unit_test(models_of_later_steps_and_judges_that_cannot_be_trained),
    };
    return RUN_TESTS(tests, set_up, test_drawn_end);
}
