/* Incremental selection: its arithmetic against worked examples, and its runs against models trained by hand.
 */
#include "config.h"

#include "support/drawn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "prune/coreset_update.h"
#include "prune/incremental.h"
#include "scoring/folds.h"
#include "scoring/scoring_model.h"

enum { N = 90, FOLDS = 3, EPOCHS = 2, SEED = 7 };

static int set_up(void **state)
{
    return test_drawn_session(state, N);
}

/* ---- arithmetic ---- */

static void sizes_grow_and_stay(void **state)
{
    (void)state;
    int64_t budget[5];
    us_step_budgets(10, 5, 3, budget);
    assert_memory_equal(budget, ((int64_t[]){3, 7, 10, 10, 10}), sizeof budget);
    us_step_budgets(10, 5, 1, budget);
    assert_memory_equal(budget, ((int64_t[]){10, 10, 10, 10, 10}), sizeof budget);
    us_step_budgets(2, 5, 5, budget);
    assert_memory_equal(budget, ((int64_t[]){1, 1, 1, 2, 2}), sizeof budget);
}

/* Twelve samples of two classes, in turn. Members 0..4, held out 11, outside 5..10 with scores 0.2 .. 0.7:
 * the lower one in the middle is 0.4. Below it are the members 0 (0.1), 2 (0.3) and 4 (0.1). */
static const int32_t labels_12[12] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
static const float scores_12[12] = {0.1F, 0.4F, 0.3F, 0.9F, 0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 1};
static const uint8_t previous_12[12] = {1, 1, 1, 1, 1}, held_out_12[12] = {[11] = 1}, none_12[12];

static struct us_coreset_update update_12(const struct unseen_select_options *select, int64_t m, double evict)
{
    return (struct us_coreset_update){.n = 12,
                                      .classes = 2,
                                      .labels = labels_12,
                                      .scores = scores_12,
                                      .held_out = held_out_12,
                                      .previous = previous_12,
                                      .m = m,
                                      .evict = evict,
                                      .rule = "top",
                                      .select = select};
}

static void covered_members_leave(void **state)
{
    (void)state;
    const struct unseen_select_options select = {0};
    uint8_t retained[12];
    struct us_coreset_update in = update_12(&select, 5, 1);
    assert_ok(us_coreset_evict(&in, none_12, retained));
    assert_memory_equal(retained, ((uint8_t[12]){0, 1, 0, 1, 0}), sizeof retained);
    /* Of five members 0.5 are two: of equal scores the lower index goes first. */
    in.evict = 0.5;
    assert_ok(us_coreset_evict(&in, none_12, retained));
    assert_memory_equal(retained, ((uint8_t[12]){0, 1, 1, 1, 0}), sizeof retained);
    in.evict = 0.2;
    assert_ok(us_coreset_evict(&in, none_12, retained));
    assert_memory_equal(retained, ((uint8_t[12]){0, 1, 1, 1, 1}), sizeof retained);
    in.evict = 0;
    assert_ok(us_coreset_evict(&in, none_12, retained));
    assert_memory_equal(retained, previous_12, sizeof retained);
    /* Eleven samples can be in a coreset; one of ten leaves a single one to be exchanged, one of eleven none.
     */
    in.evict = 1;
    in.m = 10;
    assert_ok(us_coreset_evict(&in, none_12, retained));
    assert_memory_equal(retained, ((uint8_t[12]){0, 1, 1, 1, 1}), sizeof retained);
    in.m = 11;
    assert_ok(us_coreset_evict(&in, none_12, retained));
    assert_memory_equal(retained, previous_12, sizeof retained);
}

/* 5, 1 and 2 stay, the coreset is to have 12: four each. The first has more; of the four to come, the others,
 * which miss three and two, get 2.4 and 1.6. A class that has nothing left gives its share to the others. */
static void shares_that_classes_miss(void **state)
{
    (void)state;
    static const int64_t retained[] = {5, 1, 2};
    static const double equal[] = {1, 1, 1};
    int64_t quota[3];
    assert_ok(us_coreset_refill_quotas(retained, (int64_t[]){10, 10, 10}, equal, 3, 12, quota));
    assert_memory_equal(quota, ((int64_t[]){0, 2, 2}), sizeof quota);
    assert_ok(us_coreset_refill_quotas(retained, (int64_t[]){10, 0, 10}, equal, 3, 12, quota));
    assert_memory_equal(quota, ((int64_t[]){1, 0, 3}), sizeof quota);
    assert_ok(us_coreset_refill_quotas(retained, (int64_t[]){10, 10, 10}, (double[]){0.5, 0.25, 0.25}, 3, 12,
                                       quota));
    assert_memory_equal(quota, ((int64_t[]){1, 2, 1}), sizeof quota);
    assert_ok(us_coreset_refill_quotas(retained, (int64_t[]){10, 10, 10}, equal, 3, 8, quota));
    assert_memory_equal(quota, ((int64_t[]){0, 0, 0}), sizeof quota);
}

static void a_coreset_is_updated(void **state)
{
    (void)state;
    static const double error[] = {0, 0.5};
    struct unseen_select_options select = {0};
    uint8_t current[12];
    struct us_coreset_update in = update_12(&select, 6, 0.5);
    /* 1, 2 and 3 stay; the highest scores outside are 10, 9 and 8. */
    assert_ok(us_coreset_update(&in, current));
    assert_memory_equal(current, ((uint8_t[12]){0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0}), sizeof current);
    /* Three of each class: two of class 0 come and one of class 1. */
    select.quota = UNSEEN_QUOTA_EQUAL;
    assert_ok(us_coreset_update(&in, current));
    assert_memory_equal(current, ((uint8_t[12]){0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0}), sizeof current);
    /* All by error: class 1 is due all six and has five, so class 0 keeps the one that it has. */
    select.class_focus = 1;
    select.class_error = error;
    assert_ok(us_coreset_update(&in, current));
    assert_memory_equal(current, ((uint8_t[12]){0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0}), sizeof current);
}

/* Barred are the members 1 (0.4) and 3 (0.9), and 9 and 10 outside: 3 leaves before 1, and both before 0,
 * which the others cover: the middle of those that could come is now 0.3. */
static void barred_members_leave_first(void **state)
{
    (void)state;
    static const uint8_t cut[12] = {[1] = 1, [3] = 1, [9] = 1, [10] = 1};
    const struct unseen_select_options select = {0};
    uint8_t retained[12];
    struct us_coreset_update in = update_12(&select, 5, 0.2);
    assert_ok(us_coreset_evict(&in, cut, retained));
    assert_memory_equal(retained, ((uint8_t[12]){1, 1, 1, 0, 1}), sizeof retained);
    in.evict = 0.6;
    assert_ok(us_coreset_evict(&in, cut, retained));
    assert_memory_equal(retained, ((uint8_t[12]){0, 0, 1, 0, 1}), sizeof retained);
    /* Nine are members or could come: in eight places one can be exchanged, in ten none. */
    in.m = 8;
    assert_ok(us_coreset_evict(&in, cut, retained));
    assert_memory_equal(retained, ((uint8_t[12]){1, 1, 1, 0, 1}), sizeof retained);
    in.m = 10;
    assert_ok(us_coreset_evict(&in, cut, retained));
    assert_memory_equal(retained, previous_12, sizeof retained);
    /* What bars is the order of the hardness, where there is one. */
    const float hardness[12] = {[1] = 2, [3] = 1};
    const struct unseen_select_options by_hardness = {.hardness = hardness};
    in = update_12(&by_hardness, 5, 0.2);
    assert_ok(us_coreset_evict(&in, cut, retained));
    assert_memory_equal(retained, ((uint8_t[12]){1, 0, 1, 1, 1}), sizeof retained);
}

/* Of the eleven 0.3 are cut off, the three hardest: 3, 10 and 9. Of the two members that may leave 3 is one,
 * 0 the other; of the six outside two cannot come. */
static void the_cut_is_of_members_and_others(void **state)
{
    (void)state;
    struct unseen_select_options select = {.cutoff = 0.3};
    uint8_t current[12];
    struct us_coreset_update in = update_12(&select, 6, 0.5);
    in.rule = "window";
    assert_ok(us_coreset_update(&in, current));
    assert_memory_equal(current, ((uint8_t[12]){0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0}), sizeof current);
    /* The size goes before the cut. */
    in.m = 10;
    assert_ok(us_coreset_update(&in, current));
    assert_memory_equal(current, ((uint8_t[12]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0}), sizeof current);
}

/* Ranks (r - 0.5) / 4 now: 0.125, 0.375, 0.625, 0.875. Samples 0 and 3 were outside once before, with ranks
 * 0.875 and 0.125: both mean 0.5, so the order is 1, 0, 3, 2 on the values 1, 2, 4, 8. */
static void ranks_of_several_scorings(void **state)
{
    (void)state;
    float scores[] = {1, 2, 4, 8};
    double sum[4] = {0};
    int32_t count[4] = {0};
    assert_ok(us_average_ranks(sum, count, 4, scores));
    assert_memory_equal(scores, ((float[]){1, 2, 4, 8}), sizeof scores);
    assert_ok(us_add_ranks((float[]){9, 5, 7, 1}, (uint8_t[]){0, 1, 1, 0}, 4, sum, count));
    assert_true(sum[0] == 0.875 && sum[3] == 0.125 && sum[1] == 0 && sum[2] == 0);
    assert_memory_equal(count, ((int32_t[]){1, 0, 0, 1}), sizeof count);
    assert_ok(us_average_ranks(sum, count, 4, scores));
    assert_memory_equal(scores, ((float[]){2, 1, 8, 4}), sizeof scores);
}

/* ---- runs ---- */

static struct unseen_prune_options options_of(const char *name)
{
    struct unseen_prune_options options;
    unseen_prune_defaults(&options);
    options.scoring.recipe = test_small_recipe();
    options.scoring.recipe.epochs = EPOCHS;
    options.scoring.folds = FOLDS;
    options.scoring.concurrent = 1;
    options.scoring.seed = options.select.seed = SEED;
    options.scoring.out = test_path(name);
    options.select.keep = 0.4;
    options.step.steps = 3;
    return options;
}

/* What the models of a fold run on parts of the data say of samples that they did not train on:
 * [FOLDS][N]. */
struct by_hand {
    float p[FOLDS][N];
    int model;
};

static enum unseen_status take(void *context, const struct unseen_epoch *epoch,
                               const struct us_sample_stats *trained, const struct us_sample_stats *heldout,
                               const struct us_sample_stats *probe)
{
    (void)epoch;
    (void)trained;
    (void)probe;
    struct by_hand *hand = context;
    for (int64_t i = 0; i < heldout->n; i++)
        hand->p[hand->model][heldout->samples[i]] = heldout->value[UNSEEN_P_TRUE * heldout->n + i];
    return UNSEEN_OK;
}

static void train_by_hand(const struct unseen_recipe *recipe, const struct us_subset_run *subset,
                          const uint8_t *fold, struct by_hand *hand)
{
    for (hand->model = 0; hand->model < FOLDS; hand->model++) {
        int64_t in[N], out[N];
        struct us_train_job job = {.recipe = recipe,
                                   .seed = SEED,
                                   .model = subset->first_model + (uint32_t)hand->model,
                                   .train = in,
                                   .heldout = out,
                                   .on_epoch = take,
                                   .context = hand};
        for (int64_t i = 0; i < N; i++) {
            if (subset->role[i] == US_TRAINED_ON && fold[i] != hand->model)
                in[job.n_train++] = i;
            else
                out[job.n_heldout++] = i;
        }
        assert_ok(us_train(session, &job, NULL, NULL));
    }
}

static void parts_are_trained_on_and_scored(void **state)
{
    (void)state;
    struct unseen_prune_options options = options_of("parts");
    struct unseen_trajectory *t;
    struct by_hand hand;
    uint8_t role[N], fold[N];
    for (int i = 0; i < N; i++)
        role[i] = i < 50 ? US_TRAINED_ON : i < 75 ? US_SCORED_BY_ALL_MODELS : US_SCORED_BY_ONE_MODEL;
    const struct us_subset_run subset = {.role = role, .first_model = 100};
    options.scoring.record_also = 1u << UNSEEN_CHANGE | 1u << UNSEEN_FEATURES;
    assert_ok(us_record_subset(test_device(), data, &options.scoring, &subset, NULL));
    assert_ok(us_folds(data->split[UNSEEN_TRAIN].labels, NULL, N, CLASSES, FOLDS, SEED, 0, fold));
    train_by_hand(&options.scoring.recipe, &subset, fold, &hand);
    assert_ok(unseen_trajectory_open(test_path("parts/trajectory"), &t));
    assert_int_equal(t->repeats, FOLDS);
    assert_false(us_exists(test_path("parts/seen")));
    for (int r = 0; r < FOLDS; r++) {
        for (int i = 0; i < N; i++) {
            int model = role[i] == US_SCORED_BY_ALL_MODELS ? (fold[i] + r) % FOLDS : fold[i];
            assert_int_equal(t->fold[r * N + i], model);
            assert_true(t->value[UNSEEN_P_TRUE][(r * EPOCHS + EPOCHS - 1) * N + i] == hand.p[model][i]);
            assert_true(t->value[UNSEEN_CHANGE][(r * EPOCHS + EPOCHS - 1) * N + i] > 0);
        }
    }
    unseen_trajectory_close(t);
    /* Another subset is another run. */
    role[0] = US_SCORED_BY_ALL_MODELS;
    assert_fails(UNSEEN_USAGE, "training set",
                 us_record_subset(test_device(), data, &options.scoring, &subset, NULL));
    assert_fails(UNSEEN_USAGE, "training set",
                 us_record_subset(test_device(), data, &options.scoring, NULL, NULL));
}

static int64_t read_samples(const char *folder, const char *name, int64_t **samples)
{
    int64_t n;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(us_npy_read_i64(path, 1, &n, samples));
    return n;
}

static int64_t count_common(const int64_t *a, int64_t n_a, const int64_t *b, int64_t n_b)
{
    int64_t common = 0;
    for (int64_t i = 0; i < n_a; i++)
        for (int64_t j = 0; j < n_b; j++)
            common += a[i] == b[j];
    return common;
}

static json_int_t number(const struct us_incremental_result *result, int step, const char *key)
{
    return json_integer_value(json_object_get(json_array_get(result->steps, (size_t)step), key));
}

/* A judge's answers, by a model trained on the coreset by hand. */
static int64_t judge_by_hand(const struct unseen_prune_options *options, const int64_t *keep, int64_t m,
                             const int64_t *heldout, int64_t n_heldout)
{
    struct unseen_epoch *history;
    int epochs;
    struct us_train_job job = {.recipe = &options->scoring.recipe,
                               .seed = SEED,
                               .model = 1u << 19,
                               .train = keep,
                               .n_train = m,
                               .heldout = heldout,
                               .n_heldout = n_heldout};
    assert_ok(us_train(session, &job, &history, &epochs));
    int64_t right = llround(history[epochs - 1].heldout_accuracy * (double)n_heldout);
    free(history);
    return right;
}

static void steps_of_constant_size(void **state)
{
    (void)state;
    struct unseen_prune_options options = options_of("constant");
    char out[1024];
    snprintf(out, sizeof out, "%s/steps", options.scoring.out);
    const struct us_incremental in = {.device = test_device(), .data = data, .options = &options, .out = out};
    struct us_incremental_result result, again;
    int64_t *heldout, *keep, *before = NULL, m_before = 0, best = -1;
    int by_class[CLASSES] = {0};
    assert_ok(us_incremental_check(data, &options));
    assert_ok(us_incremental_run(&in, &result));
    int64_t n_heldout = read_samples(out, "heldout.npy", &heldout);
    assert_int_equal(n_heldout, 9);
    for (int i = 0; i < n_heldout; i++)
        by_class[data->split[UNSEEN_TRAIN].labels[heldout[i]]]++;
    assert_memory_equal(by_class, ((int[CLASSES]){3, 3, 3}), sizeof by_class);
    for (int t = 0; t < 3; t++) {
        char name[32];
        snprintf(name, sizeof name, "%d/keep.npy", t + 1);
        int64_t m = read_samples(out, name, &keep);
        assert_int_equal(m, 36);
        assert_int_equal(count_common(keep, m, heldout, n_heldout), 0);
        assert_int_equal(number(&result, t, "size"), m);
        assert_int_equal(number(&result, t, "stayed"), count_common(keep, m, before, m_before));
        assert_int_equal(number(&result, t, "stayed") + number(&result, t, "refilled"), m);
        assert_int_equal(number(&result, t, "stayed") + number(&result, t, "evicted"), m_before);
        assert_true(number(&result, t, "evicted") <= 7);
        assert_int_equal(number(&result, t, "right"), judge_by_hand(&options, keep, m, heldout, n_heldout));
        if (number(&result, t, "right") > best) {
            best = number(&result, t, "right");
            assert_true(result.step >= t + 1);
        }
        free(before);
        before = keep;
        m_before = m;
    }
    assert_int_equal(number(&result, result.step - 1, "right"), best);
    /* A finished run comes back as it was. */
    assert_ok(us_incremental_run(&in, &again));
    assert_int_equal(again.step, result.step);
    assert_int_equal(again.m, result.m);
    assert_memory_equal(again.keep, result.keep, (size_t)result.m * sizeof *result.keep);
    assert_memory_equal(again.scores, result.scores, N * sizeof *result.scores);
    us_incremental_end(&again);
    options.step.evict = 0.5;
    assert_fails(UNSEEN_USAGE, "another evict", us_incremental_run(&in, &again));
    us_incremental_end(&again);
    us_incremental_end(&result);
    free(before);
    free(heldout);
}

/* With warm starts a model has met what its ancestors trained on: folds stay, and such samples are scored by
 * the model of their fold alone. */
static void warm_starts_stay_unseen(void **state)
{
    (void)state;
    struct unseen_prune_options options = options_of("warm");
    struct unseen_prune_result result;
    options.step.warm_start = options.step.average = 1;
    options.step.grow = 2;
    options.step.judges = 2;
    options.select.class_focus = 0.5;
    assert_ok(unseen_prune(test_device(), data, &options, &result));
    assert_int_equal(result.m, 36);
    assert_true(result.step == 2 || result.step == 3);
    assert_false(us_exists(test_path("warm/steps/1/trajectory")));
    assert_true(us_exists(test_path("warm/steps/2/keep.npy")));
    /* The result is not wanted, and the data was made in memory. */
    char *source = data->source;
    data->source = NULL;
    assert_ok(unseen_prune(test_device(), data, &options, NULL));
    data->source = source;
}

static void options_out_of_range(void **state)
{
    (void)state;
    struct unseen_prune_options good = options_of("refused"), bad;
    assert_ok(us_incremental_check(data, &good));
#define REFUSED(field, value, part)                                                                          \
    bad = good;                                                                                              \
    bad.field = value;                                                                                       \
    assert_fails(UNSEEN_USAGE, part, us_incremental_check(data, &bad))
    REFUSED(step.steps, 0, "--steps");
    REFUSED(step.grow, 4, "--grow");
    REFUSED(step.evict, 1.5, "--evict");
    REFUSED(step.evict, NAN, "--evict");
    REFUSED(step.hold_out, 0, "--hold-out");
    REFUSED(step.hold_out, 0.001, "--hold-out");
    REFUSED(step.folds, 1, "--step-folds");
    REFUSED(step.repeats, 0, "--step-repeats");
    REFUSED(step.epochs, -1, "--step-epochs");
    REFUSED(step.judges, 0, "--judges");
    REFUSED(select.keep, 0.95, "--keep");
    REFUSED(scoring.protocol, UNSEEN_ONE_FOLD, "--protocol");
    REFUSED(rule, "herding", "herding compares features");
    REFUSED(metric, "memorisation", "memorisation compares");
    REFUSED(metric, "el2n - 0.5*memorisation", "memorisation compares");
    REFUSED(cut, "memorisation", "memorisation compares");
    REFUSED(metric, "tdds", "tdds needs at least 3 epochs; there are 2");
    REFUSED(score.epoch, EPOCHS, "--epoch");
    good.metric = "dual";
    REFUSED(step.epochs, 1, "dual needs at least 2 epochs; there are 1");
#undef REFUSED
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_grow_and_stay),
        cmocka_unit_test(covered_members_leave),
        cmocka_unit_test(barred_members_leave_first),
        cmocka_unit_test(shares_that_classes_miss),
        cmocka_unit_test(a_coreset_is_updated),
        cmocka_unit_test(the_cut_is_of_members_and_others),
        cmocka_unit_test(ranks_of_several_scorings),
        cmocka_unit_test(options_out_of_range),
        cmocka_unit_test(parts_are_trained_on_and_scored),
        cmocka_unit_test(steps_of_constant_size),
        cmocka_unit_test(warm_starts_stay_unseen),
    };
    test_device();
    return RUN_TESTS(tests, set_up, test_drawn_end);
}
