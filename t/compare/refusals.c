/* What unseen_compare refuses, it refuses before it touches the device: here there is none. */
#include "config.h"

#include "unseen/compare.h"

#include <string.h>

#include "compare/cell.h"
#include "compare/sweep.h"
#include "support/drawn.h"

static struct unseen_compare_options good;

static int set_up(void **state)
{
    unseen_compare_defaults(&good);
    good.recipe = good.scoring.recipe = test_small_recipe();
    return test_drawn(state, 400);
}

static enum unseen_status compare(const struct unseen_compare_options *options)
{
    struct unseen_compare_options o = *options;
    o.out = test_path("never");
    return unseen_compare(NULL, data, &o, NULL, NULL);
}

#define REFUSED(part, ...)                                                                                   \
    do {                                                                                                     \
        struct unseen_compare_options o = good;                                                              \
        __VA_ARGS__;                                                                                         \
        assert_fails(UNSEEN_USAGE, part, compare(&o));                                                       \
        assert_false(us_exists(test_path("never")));                                                         \
    } while (0)

static void lists_that_make_no_table(void **state)
{
    (void)state;
    REFUSED("--metrics: is empty", o.metrics = "");
    REFUSED("--metrics: an entry is empty", o.metrics = "el2n,");
    REFUSED("--metrics: 'el2n' is there twice", o.metrics = "el2n, el2n");
    REFUSED("--keep: '0.50' is there twice, as '0.5' too", o.keep = "0.5,0.50");
    REFUSED("--keep: '5e-1' is there twice", o.keep = "0.3,0.5,5e-1");
    REFUSED("--keep: '2' is not in (0,1]", o.keep = "0.5,2");
    REFUSED("--rules: 'ccs=0.10' is there twice, as 'ccs=0.1' too", o.rules = "ccs=0.1,top,ccs=0.10");
    REFUSED("--rules: 'random'", o.rules = "random");
    REFUSED("--protocols: 'folds'", o.protocols = "folds");
    REFUSED("--baselines: is empty", o.baselines = "");
    REFUSED("--baselines: 'rs2' is there twice", o.baselines = "rs2,random,rs2");
    REFUSED("--baselines: 'all' is no baseline", o.baselines = "random,all");
    assert_non_null(strstr(unseen_last_hint(), "random, full-short, rs2, rs2-replacement, infobatch;"));
    REFUSED("--baselines: with --budget steps 'full-short'", o.baselines = "full-short",
            o.budget = UNSEEN_BUDGET_STEPS);
}

static void cells_that_cannot_be_trained(void **state)
{
    (void)state;
    REFUSED("--keep: 0.0001 of 400 samples is nothing", o.keep = "0.5,0.0001");
    REFUSED("--keep: 0.0013 of 360 samples is nothing", o.keep = "0.0013", o.rules = "ccs=search");
    REFUSED("--keep: 0.0001 of 400 samples is nothing", o.keep = "0.0001", o.baselines = "rs2");
    REFUSED("--class-focus: 2", o.select.class_focus = 2);
    REFUSED("--cutoff: 1.5", o.rules = "ccs=1.5");
    REFUSED("--folds: 1 ", o.protocols = "seen,fold-seen", o.scoring.folds = 1);
    REFUSED("--pad: 16 is too large", o.recipe.pad = SIZE);
    REFUSED("--pad: 16 is too large", o.scoring.recipe.pad = SIZE);
    REFUSED("--batch: 0 is not in", o.recipe.batch = 0, o.budget = UNSEEN_BUDGET_STEPS);
    REFUSED("--epochs: 32000000 is not in 1..100000", o.budget = UNSEEN_BUDGET_STEPS, o.recipe.batch = 1,
            o.recipe.epochs = 80000, o.keep = "0.003");
    assert_non_null(strstr(unseen_last_hint(), "--budget steps"));
    REFUSED("--warmup: 2 is more than --epochs, 1", o.protocols = "fold,incremental",
            o.scoring.recipe.warmup = 2, o.step.epochs = 1);
}

/* Ratios that are alike in six digits have folders of their own. */
static void cells_have_folders_of_their_own(void **state)
{
    (void)state;
    struct unseen_compare_options o = good;
    struct us_sweep sweep;
    o.keep = "0.6,0.6000004";
    o.out = "out";
    assert_ok(us_sweep_make(&o, &sweep));
    char *one = us_cell_folder(&o, &sweep.rows[1], 0), *other = us_cell_folder(&o, &sweep.rows[2], 0);
    assert_string_equal(one, "out/cells/random-k0.6-s0");
    assert_string_equal(other, "out/cells/random-k0.6000004-s0");
    free(one);
    free(other);
    us_sweep_free(&sweep);
}

static void assert_row(const struct us_row *row, enum us_row_kind kind, const char *rule, double keep)
{
    assert_int_equal(row->kind, kind);
    assert_string_equal(row->rule, rule);
    assert_true(row->keep == keep);
    if (kind == US_ROW_SAMPLER)
        assert_string_equal(row->sampler.name, rule);
}

/* Random subsets of ratio 1 are there as they always were; the others would be all of the data once more. */
static void baselines_are_rows(void **state)
{
    (void)state;
    struct unseen_compare_options o = good;
    struct us_sweep sweep;
    o.metrics = "el2n";
    o.protocols = "seen";
    o.keep = "1,0.3";
    o.baselines = "full-short,infobatch,random,rs2";
    assert_ok(us_sweep_make(&o, &sweep));
    assert_int_equal(sweep.n, 8);
    assert_row(&sweep.rows[0], US_ROW_FULL, "full", 1);
    assert_row(&sweep.rows[1], US_ROW_SHORT, "full-short", 0.3);
    assert_row(&sweep.rows[2], US_ROW_SAMPLER, "infobatch", 1);
    assert_true(sweep.rows[2].sampler.keep == 0.5);
    assert_row(&sweep.rows[3], US_ROW_RANDOM, "random", 1);
    assert_row(&sweep.rows[4], US_ROW_RANDOM, "random", 0.3);
    assert_row(&sweep.rows[5], US_ROW_SAMPLER, "rs2", 0.3);
    assert_true(sweep.rows[5].sampler.keep == 0.3);
    assert_row(&sweep.rows[6], US_ROW_SCORED, "ccs", 1);
    us_sweep_free(&sweep);
}

/* 0.3 of 10 epochs are 3, of 1 epoch still 1; a warm-up of 4 of 10 is 1.2 of 3. */
static void short_schedules_are_to_scale(void **state)
{
    (void)state;
    const struct us_row row = {.kind = US_ROW_SHORT, .keep = 0.3};
    struct unseen_compare_options o = good;
    struct unseen_recipe recipe;
    int test_every;
    o.recipe.epochs = 10;
    o.recipe.stop_after = 5;
    o.recipe.warmup = 4;
    us_cell_recipe(&o, &row, 400, us_cell_kept(&row, 400), &recipe, &test_every);
    assert_int_equal(recipe.epochs, 3);
    assert_int_equal(recipe.stop_after, 2);
    assert_float_equal(recipe.warmup, 1.2, 1e-6);
    assert_int_equal(test_every, 1);
    o.recipe.epochs = 1;
    o.recipe.stop_after = 0;
    us_cell_recipe(&o, &row, 400, us_cell_kept(&row, 400), &recipe, &test_every);
    assert_int_equal(recipe.epochs, 1);
    assert_int_equal(recipe.stop_after, 0);
}

static int tests_every(int asked, double keep)
{
    const struct us_row row = {.kind = US_ROW_RANDOM, .keep = keep};
    struct unseen_compare_options o = good;
    struct unseen_recipe recipe;
    int test_every;
    o.test_every = asked;
    us_cell_recipe(&o, &row, 400, us_cell_kept(&row, 400), &recipe, &test_every);
    return test_every;
}

static void tests_are_as_often_as_asked(void **state)
{
    (void)state;
    assert_int_equal(tests_every(0, 1), 1);
    assert_int_equal(tests_every(0, 0.3), 3);
    assert_int_equal(tests_every(2, 0.3), 2);
    assert_true(tests_every(-1, 0.3) > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_that_make_no_table),        cmocka_unit_test(cells_that_cannot_be_trained),
        cmocka_unit_test(cells_have_folders_of_their_own), cmocka_unit_test(baselines_are_rows),
        cmocka_unit_test(short_schedules_are_to_scale),    cmocka_unit_test(tests_are_as_often_as_asked),
    };
    return RUN_TESTS(tests, set_up, test_drawn_end);
}
