/* What commands plan is what their models pass through, image by image: both are told by the run.json that
 * each of them leaves. */
#include "config.h"

#include "support/drawn.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/progress.h"
#include "unseen/compare.h"
#include "unseen/prune.h"

enum { N = 90, TEST = 9, FOLDS = 3, EPOCHS = 2 };

static int set_up(void **state)
{
    return test_drawn(state, N);
}

/* ---- what a run says of itself ---- */

struct told {
    int64_t planned, actual;
};

static struct told told_by(const char *folder, const char *name)
{
    struct told told;
    json_t *run;
    char *path = us_format("%s/%s", folder, name);
    assert_ok(us_json_load(path, &run));
    assert_ok(us_json_integer(json_object_get(run, "planned"), path, "images", 0, INT64_MAX, &told.planned));
    assert_ok(us_json_integer(json_object_get(run, "actual"), path, "images", 0, INT64_MAX, &told.actual));
    json_decref(run);
    free(path);
    return told;
}

static void assert_told(const char *folder, const char *name, int64_t images)
{
    const struct told told = told_by(folder, name);
    assert_int_equal(told.planned, images);
    assert_int_equal(told.actual, images);
}

/* ---- stopping ---- */

static int calls;

/* Every window that comes back asks for the time: of each pass there is one at least. */
static double stop_at_the_last_call(void)
{
    if (--calls == 0)
        unseen_interrupt();
    return 0;
}

/* Begin what `run` does, and interrupt it after so many windows. */
static void interrupted(int windows, enum unseen_status (*run)(const void *options), const void *options)
{
    calls = windows;
    us_progress_clock(stop_at_the_last_call);
    assert_int_equal(run(options), UNSEEN_INTERRUPTED);
    us_progress_clock(NULL);
    unseen_interrupt_clear();
}

/* ---- scoring runs ---- */

static struct unseen_scoring_options scoring_of(enum unseen_protocol protocol, const char *name)
{
    struct unseen_scoring_options o;
    unseen_scoring_defaults(&o);
    o.recipe = test_small_recipe();
    o.recipe.epochs = EPOCHS;
    o.protocol = protocol;
    o.folds = FOLDS;
    o.seed = 7;
    o.concurrent = 1;
    o.out = test_path(name);
    return o;
}

static enum unseen_status record(const void *options)
{
    return unseen_record_trajectory(test_device(), data, options);
}

/* By fold each of K models trains on (K - 1) / K of the samples and is asked about the others; by one fold
 * the other way round; of seen models there is one. An evaluated seen side is each sample once more. */
static void scoring_runs(void **state)
{
    (void)state;
    struct unseen_scoring_options o = scoring_of(UNSEEN_FOLD, "fold");
    assert_ok(record(&o));
    assert_told(o.out, "scoring.json", EPOCHS * FOLDS * N);
    o = scoring_of(UNSEEN_FOLD, "eval");
    o.record = UNSEEN_RECORD_EVAL;
    o.repeats = 2;
    assert_ok(record(&o));
    assert_told(o.out, "scoring.json", 2 * EPOCHS * (FOLDS + 1) * N);
    o = scoring_of(UNSEEN_ONE_FOLD, "one-fold");
    o.recipe.epochs = 5;
    o.recipe.stop_after = 3;
    assert_ok(record(&o));
    assert_told(o.out, "scoring.json", 3 * FOLDS * N);
    o = scoring_of(UNSEEN_SEEN, "seen");
    assert_ok(record(&o));
    assert_told(o.out, "scoring.json", EPOCHS * N);
}

/* Features ask for a review of what each model trained on, behind its last epoch; gradients are taken of
 * both sides, of each sample by one model there. */
static void what_is_recorded_besides(void **state)
{
    (void)state;
    struct unseen_scoring_options o = scoring_of(UNSEEN_FOLD, "features");
    o.record_also = 1u << UNSEEN_FEATURES;
    assert_ok(record(&o));
    assert_told(o.out, "scoring.json", EPOCHS * FOLDS * N + (FOLDS - 1) * N);
    o = scoring_of(UNSEEN_FOLD, "gradients");
    o.record_also = 1u << UNSEEN_GRADIENT_NORM;
    assert_ok(record(&o));
    assert_told(o.out, "scoring.json", EPOCHS * FOLDS * N + 2 * N);
}

static void jobs(void **state)
{
    (void)state;
    struct unseen_scoring_options o = scoring_of(UNSEEN_FOLD, "job");
    o.jobs = 2; /* of three models the first has two */
    assert_ok(record(&o));
    assert_told(o.out, "scoring.json", EPOCHS * 2 * N);
}

/* A call that was stopped leaves whole epochs: of N images by three models, each of which has N in one. */
static void a_run_that_goes_on_counts_what_is_left(void **state)
{
    (void)state;
    struct unseen_scoring_options o = scoring_of(UNSEEN_FOLD, "stopped");
    o.recipe.epochs = 4;
    interrupted(12, record, &o);
    assert_ok(record(&o));
    const struct told told = told_by(o.out, "scoring.json");
    assert_int_equal(told.planned, told.actual);
    assert_true(told.planned > 0 && told.planned < 4 * FOLDS * N);
    assert_int_equal(told.planned % N, 0);
}

/* ---- prune ---- */

static struct unseen_prune_options prune_of(int steps, const char *name)
{
    struct unseen_prune_options o;
    unseen_prune_defaults(&o);
    o.scoring = scoring_of(UNSEEN_FOLD, name);
    o.select.keep = 0.5;
    o.step.steps = steps;
    return o;
}

static enum unseen_status prune(const void *options)
{
    return unseen_prune(test_device(), data, options, NULL);
}

static void one_selection(void **state)
{
    (void)state;
    struct unseen_prune_options o = prune_of(1, "prune");
    assert_ok(prune(&o));
    assert_told(o.scoring.out, "run.json", EPOCHS * FOLDS * N);
    o.rule = "top"; /* by the trajectory that is there */
    assert_ok(prune(&o));
    assert_told(o.scoring.out, "run.json", 0);
}

/* A tenth, H, is held out, and asked about by one model of each scoring run; a coreset is M samples: K - 1
 * models train on each of them, one asks about it, and all ask about the N - H - M others. Judges train on M
 * and ask about H. */
static int64_t images_of_steps(int steps)
{
    const int64_t H = N / 10, M = N / 2;
    const int64_t first = FOLDS * (N - H) + H, later = FOLDS * M + FOLDS * (N - H - M) + H;
    return EPOCHS * (first + (steps - 1) * later + steps * (M + H));
}

static void steps(void **state)
{
    (void)state;
    struct unseen_prune_options o = prune_of(3, "steps");
    assert_ok(prune(&o));
    assert_told(o.scoring.out, "run.json", images_of_steps(3));
    o = prune_of(3, "stopped steps");
    interrupted(20, prune, &o);
    interrupted(20, prune, &o);
    assert_ok(prune(&o));
    const struct told told = told_by(o.scoring.out, "run.json");
    assert_int_equal(told.planned, told.actual);
    assert_true(told.planned > 0 && told.planned < images_of_steps(3));
}

/* Models that have trained on a sample in an earlier step do not ask about it: known once it is over. */
static void warm_steps_turn_out_smaller(void **state)
{
    (void)state;
    struct unseen_prune_options o = prune_of(4, "warm");
    o.step.warm_start = 1;
    assert_ok(prune(&o));
    const struct told told = told_by(o.scoring.out, "run.json");
    assert_true(told.actual <= told.planned);
    assert_true(told.actual > told.planned * 9 / 10);
}

/* ---- compare ---- */

static struct unseen_compare_options compare_of(const char *name)
{
    struct unseen_compare_options o;
    unseen_compare_defaults(&o);
    o.recipe = o.scoring.recipe = test_small_recipe();
    o.recipe.epochs = 3;
    o.scoring.folds = FOLDS;
    o.scoring.concurrent = o.concurrent = 1;
    o.metrics = "el2n";
    o.protocols = "fold,fold-seen";
    o.keep = "0.5";
    o.seeds = 1;
    o.out = test_path(name);
    return o;
}

static enum unseen_status compare(const void *options)
{
    return unseen_compare(test_device(), data, options, NULL, NULL);
}

/* Three epochs on N or N / 2 samples; of the latter every second and the last are tested. */
static const int64_t of_all = 3 * (N + TEST), of_half = 3 * (N / 2) + 2 * TEST;

static void cells(void **state)
{
    (void)state;
    struct unseen_compare_options o = compare_of("cells");
    const int64_t scoring = EPOCHS * FOLDS * N;
    assert_ok(compare(&o));
    assert_told(o.out, "run.json", scoring + of_all + 3 * of_half);
    o.metrics = "el2n,aum"; /* from the same trajectory */
    assert_ok(compare(&o));
    assert_told(o.out, "run.json", 2 * of_half);
    o.seeds = 2;
    assert_ok(compare(&o));
    assert_told(o.out, "run.json", scoring + of_all + 5 * of_half);
}

/* Five cut-offs are tried, each on half of nine tenths, which the last tenth is asked about. */
static void searches(void **state)
{
    (void)state;
    struct unseen_compare_options o = compare_of("search");
    o.protocols = "seen";
    o.rules = "ccs=search";
    assert_ok(compare(&o));
    assert_told(o.out, "run.json", EPOCHS * N + of_all + 2 * of_half + 5 * 3 * (41 + N / 10));
    o = compare_of("stopped search");
    o.protocols = "seen";
    o.rules = "ccs=search";
    o.keep = "0.9"; /* which leaves two cut-offs */
    interrupted(15, compare, &o);
    assert_ok(compare(&o));
    const struct told told = told_by(o.out, "run.json");
    assert_int_equal(told.planned, told.actual);
}

/* The first scoring run serves the steps of both rules. */
static void cells_in_steps(void **state)
{
    (void)state;
    struct unseen_compare_options o = compare_of("incremental");
    o.protocols = "incremental";
    o.rules = "ccs,top";
    o.step.steps = 2;
    const int64_t H = N / 10, first = EPOCHS * (FOLDS * (N - H) + H);
    interrupted(20, compare, &o);
    assert_ok(compare(&o));
    struct told told = told_by(o.out, "run.json");
    assert_int_equal(told.planned, told.actual);
    o.out = test_path("incremental at once");
    assert_ok(compare(&o));
    assert_told(o.out, "run.json", 2 * images_of_steps(2) - first + of_all + 3 * of_half);
}

/* ---- one model ---- */

static enum unseen_status train(const void *options)
{
    return unseen_train(test_device(), data, options, NULL, NULL);
}

static void one_model(void **state)
{
    (void)state;
    struct unseen_train_options o;
    unseen_train_defaults(&o);
    o.recipe = test_small_recipe();
    o.recipe.epochs = 4;
    o.out = test_path("model");
    interrupted(6, train, &o);
    assert_ok(train(&o));
    const struct told told = told_by(o.out, "run.json");
    assert_int_equal(told.planned, told.actual);
    assert_true(told.planned < 4 * (N + TEST));
    o.out = test_path("model at once");
    assert_ok(train(&o));
    assert_told(o.out, "run.json", 4 * (N + TEST));
}

/* Random thirds are planned as they come; what InfoBatch leaves out is known once the losses are. */
static void sampled_epochs(void **state)
{
    (void)state;
    struct unseen_train_options o;
    unseen_train_defaults(&o);
    o.recipe = test_small_recipe();
    o.recipe.epochs = 8;
    o.sampler = (struct unseen_sampler){"rs2", 1. / 3};
    o.out = test_path("rs2");
    assert_ok(train(&o));
    assert_told(o.out, "run.json", 8 * (N / 3 + TEST));
    o.sampler = (struct unseen_sampler){"infobatch", 0.5};
    o.out = test_path("infobatch");
    assert_ok(train(&o));
    const struct told told = told_by(o.out, "run.json");
    assert_int_equal(told.planned, 8 * (N + TEST));
    assert_true(told.actual < told.planned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scoring_runs),
        cmocka_unit_test(what_is_recorded_besides),
        cmocka_unit_test(jobs),
        cmocka_unit_test(a_run_that_goes_on_counts_what_is_left),
        cmocka_unit_test(one_selection),
        cmocka_unit_test(steps),
        cmocka_unit_test(warm_steps_turn_out_smaller),
        cmocka_unit_test(cells),
        cmocka_unit_test(searches),
        cmocka_unit_test(cells_in_steps),
        cmocka_unit_test(one_model),
        cmocka_unit_test(sampled_epochs),
    };
    test_device();
    return RUN_TESTS(tests, set_up, test_drawn_end);
}
