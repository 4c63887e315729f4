#include "config.h"

#include "unseen/score.h"

#include "base/rng.h"
#include "support/score.h"

/* Two samples over 25 epochs: each quantity is 100 q + epoch for the first and minus that for the second. */
static void snapshots_read_their_epoch(void **state)
{
    (void)state;
    static const struct {
        const char *metric;
        enum unseen_quantity quantity;
        int epoch; /* default of 25 epochs */
        double sign;
    } cases[] = {{"el2n", UNSEEN_EL2N, 20, 1},
                 {"loss", UNSEEN_LOSS, 24, 1},
                 {"entropy", UNSEEN_ENTROPY, 24, 1},
                 {"margin", UNSEEN_MARGIN, 24, -1}};
    struct us_trajectory_build *b = seen(2, 1, 25);
    for (int e = 0; e < 25; e++) {
        for (int q = 0; q < UNSEEN_CORRECT; q++) {
            b->value[q][2 * e] = (float)(100 * q + e);
            b->value[q][2 * e + 1] = -(float)(100 * q + e);
        }
    }
    for (int c = 0; c < 4; c++) {
        double want = cases[c].sign * (100 * cases[c].quantity + cases[c].epoch);
        assert_scores(b, cases[c].metric, NULL, (double[]){want, -want});
        want = cases[c].sign * (100 * cases[c].quantity + 3);
        assert_scores(b, cases[c].metric, &(struct unseen_score_options){.epoch = 3},
                      (double[]){want, -want});
    }
    us_trajectory_free(b);
}

static void el2n_of_a_short_run_is_its_last_epoch(void **state)
{
    (void)state;
    struct us_trajectory_build *b = seen(1, 1, 4);
    b->value[UNSEEN_EL2N][3] = 0.75f;
    assert_scores(b, "el2n", &defaults, (double[]){0.75});
    us_trajectory_free(b);
}

/* Margins 1, 2, 6 have the mean 3; -4, 0, 1 have -1. A large area is an easy sample, hence the signs. */
static void aum_by_hand(void **state)
{
    (void)state;
    static const float margins[] = {1, -4, 2, 0, 6, 1};
    struct us_trajectory_build *b = seen(2, 1, 3);
    memcpy(b->value[UNSEEN_MARGIN], margins, sizeof margins);
    assert_scores(b, "aum", &defaults, (double[]){-3, 1});
    us_trajectory_free(b);
}

/* Two samples over two epochs, whose geometric means of the labels' probabilities are sqrt(0.5 * 0.32) = 0.4
 * and sqrt(0.9 * 0.04444) = 0.2, so that the first epoch weighs two thirds. */
static void confidence_by_hand(void **state)
{
    (void)state;
    static const double p[] = {0.5, 0.32, 0.9, 0.04 / 0.9};
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_FOLD, 2, 1, 2, 2, 2, &b));
    for (int i = 0; i < 4; i++) {
        b->value[UNSEEN_P_TRUE][i] = (float)p[i];
        b->value[UNSEEN_LOSS][i] = (float)-log(p[i]);
    }
    assert_scores(b, "confidence", NULL, (double[]){0.3, 1 - (0.32 + p[3]) / 2});
    assert_scores(b, "unseen-confidence", NULL, (double[]){1 - (1.0 + 0.9) / 3, 1 - (0.64 + p[3]) / 3});
    assert_scores(b, "unseen-confidence", &(struct unseen_score_options){.epoch = -1, .length = 1},
                  (double[]){0.5, 0.68});
    for (int i = 0; i < 4; i++)
        b->value[UNSEEN_LOSS][i] = i < 2 ? 1000 : 1001; /* what is hopeless still differs */
    const double w = 1 / (1 + exp(-1));
    assert_scores(b, "unseen-confidence", NULL,
                  (double[]){1 - (w * p[0] + (1 - w) * p[2]), 1 - (w * p[1] + (1 - w) * p[3])});
    float scores[2];
    b->view.protocol = UNSEEN_SEEN;
    assert_fails(UNSEEN_USAGE, "never saw", unseen_score(&b->view, "unseen-confidence", NULL, scores));
    assert_fails(UNSEEN_USAGE, "never saw", unseen_score_check("unseen-confidence", UNSEEN_SEEN));
    assert_ok(unseen_score_check("unseen-confidence", UNSEEN_ONE_FOLD));
    us_trajectory_free(b);
}

/* right/wrong over five epochs: 01010 is forgotten after the second and after the fourth; 11111 and 01111
 * never; 00000 was never learnt: 5 + 1; 11000 once. */
static void forgetting_by_hand(void **state)
{
    (void)state;
    static const char *const runs[] = {"01010", "11111", "01111", "00000", "11000"};
    struct us_trajectory_build *b = seen(5, 1, 5);
    for (int e = 0; e < 5; e++)
        for (int i = 0; i < 5; i++)
            b->correct[5 * e + i] = runs[i][e] == '1';
    assert_scores(b, "forgetting", &defaults, (double[]){2, 0, 0, 6, 1});
    us_trajectory_free(b);
}

/* p = 0.2, 0.4, 0.8 in windows of 2: means 0.3, 0.6; deviations (divided by 2 - 1) 0.1 sqrt 2, 0.2 sqrt 2.
 * Dyn-Unc = 10 (0.1 + 0.2) sqrt 2 / 2 = 1.5 sqrt 2.
 * DUAL = 10 (0.1 * 0.7 + 0.2 * 0.4) sqrt 2 / 2 = 0.75 sqrt 2.
 * In one window of 3: mean 1.4/3, squares of differences to it 0.1866667, deviation sqrt(0.0933333). */
static void windows_by_hand(void **state)
{
    (void)state;
    static const float p[] = {0.2f, 0.5f, 0.4f, 0.5f, 0.8f, 0.5f};
    const struct unseen_score_options two = {.epoch = -1, .window = 2};
    struct us_trajectory_build *b = seen(2, 1, 3);
    memcpy(b->value[UNSEEN_P_TRUE], p, sizeof p);
    assert_scores(b, "dynunc", &two, (double[]){1.5 * sqrt(2), 0});
    assert_scores(b, "dual", &two, (double[]){0.75 * sqrt(2), 0});
    double deviation = 10 * sqrt(0.28 / 3);
    assert_scores(b, "dynunc", &defaults, (double[]){deviation, 0});
    assert_scores(b, "dual", &defaults, (double[]){deviation * (1 - 1.4 / 3), 0});
    us_trajectory_free(b);
}

/* The definition, window by window and in two passes each. */
static double slow(const struct unseen_trajectory *t, int repeat, int64_t i, int window, bool dual)
{
    const float *p = t->value[UNSEEN_P_TRUE] + (int64_t)repeat * t->epochs * t->n + i;
    double total = 0;
    for (int k = 0; k + window <= t->epochs; k++) {
        double mean = 0, square = 0;
        for (int e = k; e < k + window; e++)
            mean += p[e * t->n] / (double)window;
        for (int e = k; e < k + window; e++)
            square += (p[e * t->n] - mean) * (p[e * t->n] - mean);
        total += 10 * sqrt(square / (window - 1)) * (dual ? 1 - mean : 1);
    }
    return total / (t->epochs - window + 1);
}

static void windows_match_the_definition(void **state)
{
    (void)state;
    enum { n = 200, epochs = 37, repeats = 2 };
    static const int windows[] = {0, 2, 3, 10, 36, 37, 50};
    static const int used[] = {10, 2, 3, 10, 36, 37, 37};
    struct us_trajectory_build *b = seen(n, repeats, epochs);
    for (size_t i = 0; i < (size_t)n * epochs * repeats; i++) {
        uint32_t words[4];
        us_philox(5, US_STREAM_SYNTH, 0, i, words);
        float u = us_uniform(words[0]);
        /* A third of the samples live near 0, a third near 1. */
        b->value[UNSEEN_P_TRUE][i] = i % 3 == 0 ? u : i % 3 == 1 ? u * u * 1e-3f : 1 - u * 1e-3f;
    }
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
        for (int dual = 0; dual <= 1; dual++) {
            double want[n];
            for (int i = 0; i < n; i++)
                want[i] = 0.5 * (slow(&b->view, 0, i, used[w], dual) + slow(&b->view, 1, i, used[w], dual));
            assert_scores(b, dual ? "dual" : "dynunc",
                          &(struct unseen_score_options){.epoch = -1, .window = windows[w]}, want);
        }
    }
    us_trajectory_free(b);
}

/* Two repeats, folds {0,0,1,1} and {0,1,1,0}. Losses 1 3 | 10 30 and 2 5 7 4: within folds the z-scores are
 * -1 1 -1 1 and, of {2,4} and {5,7}, -1 -1 1 1; the means are -1 0 0 1. Ranks likewise in quarters: .25 .75
 * .25 .75 and .25 .25 .75 .75. */
static void repeats_are_averaged_after_calibration(void **state)
{
    (void)state;
    static const uint8_t fold[] = {0, 0, 1, 1, 0, 1, 1, 0};
    static const float loss[] = {1, 3, 10, 30, 2, 5, 7, 4};
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_FOLD, 4, 2, 1, 2, 2, &b));
    memcpy(b->fold, fold, sizeof fold);
    memcpy(b->value[UNSEEN_LOSS], loss, sizeof loss);
    struct unseen_score_options options = defaults;
    assert_scores(b, "loss", &options, (double[]){1.5, 4, 8.5, 17});
    options.calibration = UNSEEN_CALIBRATE_ZSCORE;
    assert_scores(b, "loss", &options, (double[]){-1, 0, 0, 1});
    options.calibration = UNSEEN_CALIBRATE_RANK;
    assert_scores(b, "loss", &options, (double[]){0.25, 0.5, 0.5, 0.75});
    us_trajectory_free(b);
}

static void random_follows_the_seed(void **state)
{
    (void)state;
    enum { n = 1000 };
    struct us_trajectory_build *b = seen(n, 1, 1);
    float first[n], again[n], other[n];
    struct unseen_score_options options = {.epoch = -1, .seed = 1};
    assert_ok(unseen_score(&b->view, "random", &options, first));
    assert_ok(unseen_score(&b->view, "random", &options, again));
    assert_memory_equal(first, again, sizeof first);
    options.seed = 2;
    assert_ok(unseen_score(&b->view, "random", &options, other));
    double mean = 0;
    int same = 0;
    for (int i = 0; i < n; i++) {
        assert_true(first[i] >= 0 && first[i] < 1);
        mean += first[i] / (double)n;
        same += first[i] == other[i];
    }
    assert_true(fabs(mean - 0.5) < 0.05); /* five standard errors */
    assert_true(same < 3);
    us_trajectory_free(b);
}

static void every_score_is_finite_and_described(void **state)
{
    (void)state;
    struct us_trajectory_build *b, *trained = seen(3, 2, 3);
    float scores[3];
    int count = 0;
    assert_ok(us_trajectory_new(UNSEEN_FOLD, 3, 2, 3, 2, 2, &b));
    assert_ok(us_trajectory_demand(b, US_RECORD_DEMAND, 4));
    b->view.seen = &trained->view;
    for (; unseen_score_name(count); count++) {
        assert_true(strlen(unseen_score_help(count)) > 10);
        assert_ok(unseen_score(&b->view, unseen_score_name(count), &defaults, scores));
        for (int i = 0; i < 3; i++)
            assert_true(isfinite(scores[i]));
    }
    assert_int_equal(count, 28);
    assert_null(unseen_score_help(count));
    assert_null(unseen_score_name(-1));
    us_trajectory_free(trained);
    us_trajectory_free(b);
}

static void refuses(void **state)
{
    (void)state;
    struct us_trajectory_build *b = seen(2, 1, 1);
    float scores[2] = {7, 7};
    struct unseen_score_options options = defaults;
    assert_fails(UNSEEN_USAGE, "--metric: there is no score 'el3n'",
                 unseen_score(&b->view, "el3n", &options, scores));
    assert_non_null(strstr(unseen_last_hint(), "el2n, el2n-ccs"));
    assert_non_null(strstr(unseen_last_hint(), "random"));
    assert_fails(UNSEEN_USAGE, "dual needs at least 2 epochs; there are 1",
                 unseen_score(&b->view, "dual", &options, scores));
    options.epoch = 1;
    assert_fails(UNSEEN_USAGE, "--epoch: 1 is not in 0..0", unseen_score(&b->view, "loss", &options, scores));
    options.epoch = -2;
    assert_fails(UNSEEN_USAGE, "--epoch: -2", unseen_score(&b->view, "loss", &options, scores));
    options = (struct unseen_score_options){.epoch = -1, .window = 1};
    assert_fails(UNSEEN_USAGE, "--window: 1 ", unseen_score(&b->view, "loss", &options, scores));
    options = (struct unseen_score_options){.epoch = -1, .length = 2};
    assert_fails(UNSEEN_USAGE, "--length: 2 is not in 1..1",
                 unseen_score(&b->view, "loss", &options, scores));
    options = (struct unseen_score_options){.epoch = -1, .decay = 1.5};
    assert_fails(UNSEEN_USAGE, "--decay: 1.5 ", unseen_score(&b->view, "loss", &options, scores));
    options = (struct unseen_score_options){.epoch = -1, .clusters = -1};
    assert_fails(UNSEEN_USAGE, "--clusters: -1 ", unseen_score(&b->view, "loss", &options, scores));
    assert_fails(UNSEEN_USAGE, "tdds needs change.npy", unseen_score(&b->view, "tdds", NULL, scores));
    assert_non_null(strstr(unseen_last_hint(), "--record-also change"));
    b->view.value[UNSEEN_EL2N] = NULL;
    b->view.correct = NULL;
    assert_fails(UNSEEN_USAGE, "el2n needs el2n.npy", unseen_score(&b->view, "el2n", NULL, scores));
    assert_fails(UNSEEN_USAGE, "needs correct.npy", unseen_score(&b->view, "forgetting", NULL, scores));
    assert_true(scores[0] == 7 && scores[1] == 7);
    us_trajectory_free(b);
}

static void says_what_to_record(void **state)
{
    (void)state;
    unsigned bits;
    assert_ok(unseen_score_needs("dual", &bits));
    assert_int_equal(bits, 0);
    assert_ok(unseen_score_needs("grand", &bits));
    assert_int_equal(bits, 1u << UNSEEN_FEATURE_NORM);
    assert_ok(unseen_score_needs("0.5*tdds - moderate", &bits));
    assert_int_equal(bits, 1u << UNSEEN_CHANGE | 1u << UNSEEN_FEATURES | 1u << UNSEEN_FEATURE_NORM);
    assert_fails(UNSEEN_USAGE, "there is no score 'tdd'", unseen_score_needs("tdd", &bits));
}

/* More samples than are scored at once, and each in its place: the loss of sample i of repeat r is i + r. */
static void many_samples_are_scored_in_pieces(void **state)
{
    (void)state;
    enum { n = 200001 };
    struct us_trajectory_build *b = seen(n, 2, 2);
    for (int64_t r = 0; r < 2; r++) {
        for (int64_t i = 0; i < n; i++)
            b->value[UNSEEN_LOSS][(2 * r + 1) * n + i] = (float)(i + r);
    }
    double *want = calloc(n, sizeof *want);
    assert_non_null(want);
    for (int64_t i = 0; i < n; i++)
        want[i] = (double)i + 0.5;
    assert_scores(b, "loss", NULL, want);
    free(want);
    us_trajectory_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_read_their_epoch),
        cmocka_unit_test(el2n_of_a_short_run_is_its_last_epoch),
        cmocka_unit_test(aum_by_hand),
        cmocka_unit_test(confidence_by_hand),
        cmocka_unit_test(forgetting_by_hand),
        cmocka_unit_test(windows_by_hand),
        cmocka_unit_test(windows_match_the_definition),
        cmocka_unit_test(repeats_are_averaged_after_calibration),
        cmocka_unit_test(random_follows_the_seed),
        cmocka_unit_test(every_score_is_finite_and_described),
        cmocka_unit_test(refuses),
        cmocka_unit_test(says_what_to_record),
        cmocka_unit_test(many_samples_are_scored_in_pieces),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
