/* What scoring runs write must be what models that never saw the sample say: each protocol is held to
 * training runs made by hand. */
#include "config.h"

#include "support/drawn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/half.h"
#include "base/output.h"
#include "nn/gradient.h"
#include "scoring/folds.h"
#include "scoring/scoring_json.h"
#include "trajectory/trajectory.h"
#include "unseen/prune.h"

enum { N = 90, FOLDS = 3, EPOCHS = 2, SEED = 7 };

static int set_up(void **state)
{
    return test_drawn_session(state, N);
}

static struct unseen_scoring_options options_of(enum unseen_protocol protocol, const char *name)
{
    struct unseen_scoring_options options;
    unseen_scoring_defaults(&options);
    options.recipe = test_small_recipe();
    options.recipe.epochs = EPOCHS;
    options.protocol = protocol;
    options.folds = FOLDS;
    options.seed = SEED;
    options.out = test_path(name);
    return options;
}

/* A trajectory's p_true of sample i at an epoch of a repeat. */
static float p_true(const struct unseen_trajectory *t, int repeat, int epoch, int64_t i)
{
    return t->value[UNSEEN_P_TRUE][((int64_t)repeat * t->epochs + epoch) * t->n + i];
}

/* What one model, trained by hand, says: [EPOCHS][N], NaN for samples that it was not asked about. */
struct by_hand {
    float heldout[EPOCHS][N], trained[EPOCHS][N], probe[EPOCHS][N];
};

static enum unseen_status take(void *context, const struct unseen_epoch *epoch,
                               const struct us_sample_stats *trained, const struct us_sample_stats *heldout,
                               const struct us_sample_stats *probe)
{
    struct by_hand *hand = context;
    for (int64_t i = 0; i < probe->n; i++)
        hand->probe[epoch->epoch][probe->samples[i]] = probe->value[UNSEEN_P_TRUE * probe->n + i];
    for (int64_t i = 0; i < trained->n; i++)
        hand->trained[epoch->epoch][trained->samples[i]] = trained->value[UNSEEN_P_TRUE * trained->n + i];
    for (int64_t i = 0; i < heldout->n; i++)
        hand->heldout[epoch->epoch][heldout->samples[i]] = heldout->value[UNSEEN_P_TRUE * heldout->n + i];
    return UNSEEN_OK;
}

static const struct us_observer *observed_by;
static const char *saved_as, *started_from;

/* Train model `number` on the samples whose fold is (or, with `others`, is not) `fold`; score the rest. */
static void train_by_hand(const struct unseen_recipe *recipe, uint32_t number, const uint8_t *folds, int fold,
                          bool others, struct by_hand *hand)
{
    int64_t in[N], out[N];
    struct us_train_job job = {.recipe = recipe,
                               .seed = SEED,
                               .model = number,
                               .train = in,
                               .heldout = out,
                               .on_epoch = take,
                               .context = hand,
                               .observer = observed_by,
                               .init = started_from,
                               .save = saved_as};
    for (int64_t i = 0; i < N; i++) {
        if ((folds[i] == fold) != others)
            in[job.n_train++] = i;
        else
            out[job.n_heldout++] = i;
    }
    for (int e = 0; e < EPOCHS; e++)
        for (int i = 0; i < N; i++)
            hand->heldout[e][i] = hand->trained[e][i] = NAN;
    job.probe = in;
    job.n_probe = job.n_train;
    assert_ok(us_train(session, &job, NULL, NULL));
}

static struct unseen_trajectory *open_in(const struct unseen_scoring_options *options, const char *name)
{
    struct unseen_trajectory *t;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", options->out, name);
    assert_ok(unseen_trajectory_open(path, &t));
    return t;
}

static void a_fold_is_scored_by_the_model_that_left_it_out(void **state)
{
    (void)state;
    struct unseen_scoring_options options = options_of(UNSEEN_FOLD, "fold");
    uint8_t folds[N];
    struct by_hand hand;
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    struct unseen_trajectory *unseen = open_in(&options, "trajectory");
    struct unseen_trajectory *seen = open_in(&options, "seen/trajectory");
    assert_ok(us_folds(data->split[UNSEEN_TRAIN].labels, NULL, N, CLASSES, FOLDS, SEED, 0, folds));
    assert_int_equal(unseen->repeats, 1);
    assert_int_equal(unseen->epochs, EPOCHS);
    assert_memory_equal(unseen->fold, folds, N);
    for (int64_t i = 0; i < N; i++)
        assert_int_equal(seen->fold[i], (folds[i] + 1) % FOLDS);
    for (int k = 0; k < FOLDS; k++) {
        train_by_hand(&options.recipe, (uint32_t)k, folds, k, true, &hand);
        for (int64_t i = 0; i < N; i++) {
            for (int e = 0; e < EPOCHS; e++) {
                if (folds[i] == k)
                    assert_true(p_true(unseen, 0, e, i) == hand.heldout[e][i]);
                else if ((folds[i] + 1) % FOLDS == k)
                    assert_true(p_true(seen, 0, e, i) == hand.trained[e][i]);
            }
        }
    }
    unseen_trajectory_close(seen);
    unseen_trajectory_close(unseen);
}

static void one_fold_models_score_all_the_others(void **state)
{
    (void)state;
    struct unseen_scoring_options options = options_of(UNSEEN_ONE_FOLD, "one-fold");
    uint8_t folds[N];
    struct by_hand hand;
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    struct unseen_trajectory *t = open_in(&options, "trajectory");
    assert_ok(us_folds(data->split[UNSEEN_TRAIN].labels, NULL, N, CLASSES, FOLDS, SEED, 0, folds));
    assert_int_equal(t->repeats, FOLDS - 1);
    for (int k = 0; k < FOLDS; k++) {
        train_by_hand(&options.recipe, (uint32_t)k, folds, k, false, &hand);
        for (int64_t i = 0; i < N; i++) {
            for (int r = 0; r < FOLDS - 1; r++) {
                assert_int_not_equal(t->fold[(int64_t)r * N + i], folds[i]);
                if (t->fold[(int64_t)r * N + i] == k)
                    assert_true(p_true(t, r, EPOCHS - 1, i) == hand.heldout[EPOCHS - 1][i]);
            }
        }
    }
    unseen_trajectory_close(t);
}

static void the_seen_side_can_be_evaluated(void **state)
{
    (void)state;
    struct unseen_scoring_options options = options_of(UNSEEN_FOLD, "evaluated");
    options.record = UNSEEN_RECORD_EVAL;
    uint8_t folds[N];
    struct by_hand hand;
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    struct unseen_trajectory *seen = open_in(&options, "seen/trajectory");
    assert_ok(us_folds(data->split[UNSEEN_TRAIN].labels, NULL, N, CLASSES, FOLDS, SEED, 0, folds));
    train_by_hand(&options.recipe, 0, folds, 0, true, &hand);
    for (int64_t i = 0; i < N; i++) {
        for (int e = 0; e < EPOCHS; e++) {
            if ((folds[i] + 1) % FOLDS == 0)
                assert_true(p_true(seen, 0, e, i) == hand.probe[e][i]);
        }
    }
    unseen_trajectory_close(seen);
}

/* ---- what is recorded on demand ---- */

enum { WIDTH_LIMIT = 64 };

/* The same by hand: of the held-out samples, and sums for the centres. */
struct wide {
    float probs[EPOCHS][N][CLASSES], features[N][WIDTH_LIMIT];
    float gradient[N];
    double sum[CLASSES][WIDTH_LIMIT];
    int count[CLASSES], d;
};

static int want_all(void *context, enum us_pass_kind pass, int epoch)
{
    (void)context;
    return (pass == US_PASS_REVIEW) <= (epoch == EPOCHS - 1) ? US_SEE_PROBS | US_SEE_FEATURES : 0;
}

static enum unseen_status see_all(void *context, const struct us_rows *rows)
{
    struct wide *wide = context;
    wide->d = rows->feature_count;
    assert_true(rows->feature_count <= WIDTH_LIMIT);
    for (int i = 0; i < rows->n; i++) {
        int64_t sample = rows->samples[i];
        const float *features = rows->features + (size_t)i * rows->feature_count;
        int32_t label = data->split[UNSEEN_TRAIN].labels[sample];
        if (rows->pass == US_PASS_HELDOUT) {
            memcpy(wide->probs[rows->epoch][sample], rows->probs + (size_t)i * CLASSES,
                   CLASSES * sizeof(float));
            memcpy(wide->features[sample], features, (size_t)wide->d * sizeof(float));
        } else if (rows->pass == US_PASS_REVIEW) {
            wide->count[label]++;
            for (int j = 0; j < wide->d; j++)
                wide->sum[label][j] += (double)features[j];
        }
    }
    return UNSEEN_OK;
}

static double change_by_hand(const float *now, const float *before)
{
    double sum = 0;
    for (int c = 0; c < CLASSES; c++)
        sum += fabs(now[c] * (log(now[c] + 1e-8) - log(before[c] + 1e-8)));
    return sum;
}

/* Sample i of repeat 0, whose model is the one observed. */
static void check_sample(const struct unseen_trajectory *t, const struct wide *wide, int64_t i)
{
    const float *h = t->features + i * wide->d;
    double square = 0;
    assert_memory_equal(h, wide->features[i], (size_t)wide->d * sizeof(float));
    for (int j = 0; j < wide->d; j++)
        square += (double)h[j] * h[j];
    for (int e = 0; e < EPOCHS; e++) {
        const float *p = wide->probs[e][i];
        int64_t at = e * N + i;
        int predicted = (int)t->value[UNSEEN_PREDICTED][at], second = predicted == 0;
        double norm = 0;
        assert_true(fabs(p[t->labels[i]] - p_true(t, 0, e, i)) < 1e-6);
        for (int c = 0; c < CLASSES; c++) {
            norm += p[c];
            assert_true(p[c] <= p[predicted]);
            second = c != predicted && p[c] > p[second] ? c : second;
            assert_int_equal(t->probs[at * CLASSES + c], us_float_to_half(p[c]));
        }
        assert_true(fabs(norm - 1) < 1e-6);
        assert_true(t->value[UNSEEN_RUNNER_UP][at] == p[second]);
        double change = e ? change_by_hand(p, wide->probs[e - 1][i]) : 0;
        assert_true(fabs(t->value[UNSEEN_CHANGE][at] - change) <= 1e-6 * fmax(change, 1));
    }
    assert_true(fabs(t->value[UNSEEN_FEATURE_NORM][(EPOCHS - 1) * N + i] - sqrt(square)) < 1e-5);
    /* The last layer's gradient is a part of the whole. */
    double error = (double)t->value[UNSEEN_EL2N][(EPOCHS - 1) * N + i];
    assert_true((double)t->gradient_norm[i] > error * sqrt(1 + square));
    assert_true(t->gradient_norm[i] == wide->gradient[i]);
}

static void what_is_wide_is_recorded_on_demand(void **state)
{
    (void)state;
    struct unseen_scoring_options options = options_of(UNSEEN_FOLD, "plain"), wider = options;
    static struct wide wide;
    struct us_observer observer = {.wants = want_all, .see = see_all, .context = &wide};
    struct by_hand hand;
    uint8_t folds[N];
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    wider.out = test_path("wide");
    wider.record_also = US_RECORD_DEMAND;
    assert_ok(unseen_record_trajectory(test_device(), data, &wider));
    struct unseen_trajectory *plain = open_in(&options, "trajectory"), *t = open_in(&wider, "trajectory");
    for (int q = 0; q < UNSEEN_CORRECT; q++)
        assert_memory_equal(plain->value[q], t->value[q], EPOCHS * N * sizeof(float));
    assert_true(!plain->features && !plain->probs && !plain->value[UNSEEN_CHANGE]);
    assert_ok(us_folds(data->split[UNSEEN_TRAIN].labels, NULL, N, CLASSES, FOLDS, SEED, 0, folds));
    observed_by = &observer;
    saved_as = test_path("by-hand.safetensors");
    train_by_hand(&options.recipe, 1, folds, 1, true, &hand);
    for (int64_t i = 0; i < N; i++)
        assert_ok(us_gradient_norms(session, &options.recipe, saved_as, &i, 1, NULL, &wide.gradient[i]));
    observed_by = NULL;
    saved_as = NULL;
    assert_int_equal(t->feature_count, wide.d);
    for (int64_t i = 0; i < N; i++) {
        if (folds[i] == 1)
            check_sample(t, &wide, i);
    }
    for (int c = 0; c < CLASSES; c++)
        for (int j = 0; j < wide.d; j++)
            assert_true(fabs(t->centres[(FOLDS * 0 + 1) * CLASSES * wide.d + c * wide.d + j] -
                             wide.sum[c][j] / wide.count[c]) < 1e-5);
    /* The seen side has its own, by the models that trained on the sample. */
    struct unseen_trajectory *seen = open_in(&wider, "seen/trajectory");
    assert_int_equal(seen->protocol, UNSEEN_SEEN);
    assert_memory_equal(seen->centres, t->centres, (size_t)FOLDS * CLASSES * wide.d * sizeof(float));
    for (int64_t i = 0; i < N; i++)
        assert_int_equal(seen->fold[i], (folds[i] + 1) % FOLDS);
    unseen_trajectory_close(seen);
    unseen_trajectory_close(plain);
    unseen_trajectory_close(t);
    /* More than asked for will do, less will not. */
    wider.record_also = 1u << UNSEEN_CHANGE;
    assert_ok(unseen_record_trajectory(test_device(), data, &wider));
    options.record_also = 1u << UNSEEN_FEATURES;
    assert_fails(UNSEEN_USAGE, "a run without features",
                 unseen_record_trajectory(test_device(), data, &options));
}

/* One-fold: a sample's features are each model's own. */
static void wide_arrays_of_one_fold(void **state)
{
    (void)state;
    struct unseen_scoring_options options = options_of(UNSEEN_ONE_FOLD, "one-wide");
    options.record_also = US_RECORD_DEMAND;
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    struct unseen_trajectory *t = open_in(&options, "trajectory");
    size_t d = (size_t)t->feature_count;
    assert_int_equal(t->repeats, FOLDS - 1);
    assert_memory_not_equal(t->features, t->features + N * d, d * sizeof(float));
    for (int r = 0; r < FOLDS - 1; r++) {
        for (int64_t i = 0; i < N; i++) {
            double square = 0;
            for (size_t j = 0; j < d; j++)
                square += pow((double)t->features[((size_t)r * N + (size_t)i) * d + j], 2);
            assert_true(
                fabs(t->value[UNSEEN_FEATURE_NORM][(r * EPOCHS + EPOCHS - 1) * N + i] - sqrt(square)) < 1e-5);
        }
    }
    unseen_trajectory_close(t);
}

static void repeats_differ(void **state)
{
    (void)state;
    struct unseen_scoring_options options = options_of(UNSEEN_FOLD, "repeats");
    options.repeats = 2;
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    struct unseen_trajectory *t = open_in(&options, "trajectory");
    assert_int_equal(t->repeats, 2);
    assert_memory_not_equal(t->fold, t->fold + N, N);
    assert_memory_not_equal(t->value[UNSEEN_P_TRUE], t->value[UNSEEN_P_TRUE] + EPOCHS * N, N * sizeof(float));
    unseen_trajectory_close(t);
}

/* Every file that the two runs wrote. */
static void same_trajectories(const struct unseen_scoring_options *a, const struct unseen_scoring_options *b)
{
    static const char *const folders[] = {"trajectory", "seen/trajectory"};
    for (int f = 0; f < 2; f++) {
        struct unseen_trajectory *x = open_in(a, folders[f]), *y = open_in(b, folders[f]);
        const size_t n = (size_t)x->repeats * (size_t)x->epochs * (size_t)x->n;
        for (int q = 0; q < UNSEEN_CORRECT; q++)
            assert_memory_equal(x->value[q], y->value[q], n * sizeof(float));
        assert_memory_equal(x->correct, y->correct, n);
        unseen_trajectory_close(x);
        unseen_trajectory_close(y);
    }
}

static void models_side_by_side_are_the_same(void **state)
{
    (void)state;
    struct unseen_scoring_options one = options_of(UNSEEN_FOLD, "one"), more = one;
    one.concurrent = 1;
    one.repeats = more.repeats = 2;
    one.record = more.record = UNSEEN_RECORD_EVAL;
    assert_ok(unseen_record_trajectory(test_device(), data, &one));
    for (int n = 2; n <= 4; n += 2) {
        char name[32];
        snprintf(name, sizeof name, "side-by-side-%d", n);
        more.out = test_path(name);
        more.concurrent = n;
        assert_ok(unseen_record_trajectory(test_device(), data, &more));
        same_trajectories(&one, &more);
    }
}

/* Whichever of the models meets it first, the others stop. */
static void one_failure_stops_all(void **state)
{
    (void)state;
    struct unseen_scoring_options options = options_of(UNSEEN_FOLD, "failure");
    options.concurrent = 2;
    options.recipe.epochs = 500;
    /* The second model's records find a folder, which is taken for ours, where a file should be. */
    struct us_run_lock lock = {0};
    assert_ok(us_run_lock(test_path("failure"), NULL, NULL, &lock));
    assert_ok(us_output_admit(test_path("failure/work/r0-f1/heldout-record-0001.npy"), NULL));
    assert_ok(us_make_folder(test_path("failure/work/r0-f1/heldout-record-0001.npy")));
    us_run_lock_end(&lock);
    assert_fails(UNSEEN_FAILED, "r0-f1/heldout-record-0001.npy",
                 unseen_record_trajectory(test_device(), data, &options));
    options.concurrent = 9;
    options.out = test_path("too-many");
    assert_fails(UNSEEN_USAGE, "--concurrent", unseen_record_trajectory(test_device(), data, &options));
}

static void what_does_not_fit_side_by_side_says_so(void **state)
{
    (void)state;
    struct unseen_device *device = NULL;
    struct unseen_scoring_options options = options_of(UNSEEN_FOLD, "too-large");
    options.recipe.batch = 256;
    options.recipe.width = 16;
    options.concurrent = 3;
    setenv("UNSEEN_MEMORY_LIMIT", "32", 1);
    assert_ok(unseen_device_open(NULL, &device));
    unsetenv("UNSEEN_MEMORY_LIMIT");
    assert_fails(UNSEEN_FAILED, "--concurrent", unseen_record_trajectory(device, data, &options));
    printf("# %s; %s\n", unseen_last_error(), unseen_last_hint());
    assert_non_null(strstr(unseen_last_hint(), "--concurrent 1 would fit"));
    options.concurrent = 0;
    assert_ok(unseen_record_trajectory(device, data, &options));
    unseen_device_close(device);
}

/* Models start from the same weights, and a folder belongs to their content, not to their name. */
static void models_start_from_weights(void **state)
{
    (void)state;
    struct unseen_scoring_options options = options_of(UNSEEN_SEEN, "started");
    const uint8_t folds[N] = {0};
    char first[1024], renamed[1024];
    struct by_hand hand;
    snprintf(first, sizeof first, "%s", test_path("first.safetensors"));
    snprintf(renamed, sizeof renamed, "%s", test_path("renamed.safetensors"));
    saved_as = first;
    train_by_hand(&options.recipe, 5, folds, 1, true, &hand);
    saved_as = NULL;
    options.init = started_from = first;
    train_by_hand(&options.recipe, 0, folds, 1, true, &hand);
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    struct unseen_trajectory *t = open_in(&options, "trajectory");
    for (int e = 0; e < EPOCHS; e++)
        for (int64_t i = 0; i < N; i++)
            assert_float_equal(p_true(t, 0, e, i), hand.trained[e][i], 0);
    unseen_trajectory_close(t);
    assert_int_equal(rename(first, renamed), 0);
    options.init = started_from = renamed;
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    saved_as = first;
    train_by_hand(&options.recipe, 5, folds, 1, true, &hand);
    saved_as = started_from = NULL;
    options.init = first;
    assert_fails(UNSEEN_USAGE, "initial_weights", unseen_record_trajectory(test_device(), data, &options));
    options.init = NULL;
    assert_fails(UNSEEN_USAGE, "initial_weights", unseen_record_trajectory(test_device(), data, &options));
    options.init = "missing.safetensors";
    assert_fails(UNSEEN_BAD_DATA, "missing.safetensors",
                 unseen_record_trajectory(test_device(), data, &options));
}

static void another_run_in_the_folder_is_refused(void **state)
{
    (void)state;
    struct unseen_scoring_options options = options_of(UNSEEN_SEEN, "seen");
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    assert_ok(unseen_record_trajectory(test_device(), data, &options));
    options.recipe.lr = 0.01f;
    assert_fails(UNSEEN_USAGE, "lr", unseen_record_trajectory(test_device(), data, &options));
    options = options_of(UNSEEN_SEEN, "seen");
    options.seed = SEED + 1;
    assert_fails(UNSEEN_USAGE, "seed", unseen_record_trajectory(test_device(), data, &options));
}

static void every_array_is_refused_where_it_is_not_ours(void **state)
{
    (void)state;
    for (int a = 0; a < US_TRAJECTORY_ARRAYS; a++) {
        char name[64];
        bool found = false;
        snprintf(name, sizeof name, "trajectory/%s.npy", us_trajectory_name(a));
        for (const char *const *file = us_scoring_files; *file; file++)
            found = found || strcmp(*file, name) == 0;
        assert_true(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fold_is_scored_by_the_model_that_left_it_out),
        cmocka_unit_test(one_fold_models_score_all_the_others),
        cmocka_unit_test(the_seen_side_can_be_evaluated),
        cmocka_unit_test(what_is_wide_is_recorded_on_demand),
        cmocka_unit_test(wide_arrays_of_one_fold),
        cmocka_unit_test(repeats_differ),
        cmocka_unit_test(models_side_by_side_are_the_same),
        cmocka_unit_test(one_failure_stops_all),
        cmocka_unit_test(what_does_not_fit_side_by_side_says_so),
        cmocka_unit_test(models_start_from_weights),
        cmocka_unit_test(another_run_in_the_folder_is_refused),
        cmocka_unit_test(every_array_is_refused_where_it_is_not_ours),
    };
    test_device();
    return RUN_TESTS(tests, set_up, test_drawn_end);
}
