/* What samplers draw: worked examples, and statistics at fixed seeds. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/sampler.h"
#include "support/cmocka.h"

enum { MOST = 1000, SPACING = 3 };

/* A training set whose samples are not their places, and what was drawn from it. */
static int64_t train[MOST], order[MOST];
static int32_t place[SPACING * MOST];
static float losses[MOST], weight[MOST];
static int counts[MOST];

static void make_set(void)
{
    for (int i = 0; i < MOST; i++) {
        train[i] = SPACING * i + 1;
        place[train[i]] = i;
    }
}

static struct unseen_sampler sampler_of(const char *name, double keep)
{
    struct unseen_sampler sampler = {.keep = keep};
    snprintf(sampler.name, sizeof sampler.name, "%s", name);
    return sampler;
}

/* The samples of an epoch in `order`, each once and out of the set; returns their number. */
static int64_t draw(const struct unseen_sampler *sampler, int64_t n, uint64_t seed, int epoch, int epochs)
{
    const struct us_sampler_input in = {.train = train,
                                        .n = n,
                                        .seed = seed,
                                        .epoch = epoch,
                                        .epochs = epochs,
                                        .place = place,
                                        .losses = losses};
    struct us_sampled out = {.order = order, .weight = weight};
    bool there[MOST] = {false};
    assert_ok(us_sampler_check_on(sampler, n));
    assert_ok(us_sampler_run(sampler, &in, &out));
    assert_true(out.m >= 1 && out.m <= us_sampler_most(sampler, n));
    for (int64_t i = 0; i < out.m; i++) {
        const int at = place[order[i]];
        assert_int_equal(order[i], train[at]);
        assert_true(at < n && !there[at]);
        there[at] = true;
    }
    return out.m;
}

static void all_is_a_shuffle(void **state)
{
    (void)state;
    int64_t shuffled[MOST];
    memcpy(shuffled, train, sizeof shuffled);
    assert_ok(us_shuffle(5, US_STREAM_SHUFFLE, 3, MOST, shuffled));
    assert_int_equal(draw(NULL, MOST, 5, 3, 10), MOST);
    assert_memory_equal(order, shuffled, sizeof shuffled);
    const struct unseen_sampler all = sampler_of("all", 0.5);
    assert_int_equal(draw(&all, MOST, 5, 3, 10), MOST);
    assert_memory_equal(order, shuffled, sizeof shuffled);
    assert_true(us_sampler_takes_all(&all) && us_sampler_takes_all(NULL));
}

/* Every sample once in each 1 / keep epochs, by another permutation the next time. */
static void rs2_walks_through_permutations(void **state)
{
    (void)state;
    enum { N = 600, PARTS = 4, M = N / PARTS };
    const struct unseen_sampler rs2 = sampler_of("rs2", 1.0 / PARTS);
    int64_t first[M];
    memset(counts, 0, sizeof counts);
    for (int epoch = 0; epoch < 5 * PARTS; epoch++) {
        assert_int_equal(draw(&rs2, N, 7, epoch, 200), M);
        for (int i = 0; i < M; i++)
            assert_int_equal(counts[place[order[i]]]++, epoch / PARTS);
        if (epoch == 0)
            memcpy(first, order, sizeof first);
        else
            assert_memory_not_equal(first, order, sizeof first);
    }
    draw(&rs2, N, 7, 0, 200);
    assert_memory_equal(first, order, sizeof first);
    draw(&rs2, N, 8, 0, 200);
    assert_memory_not_equal(first, order, sizeof first);
}

/* Ten samples in threes: the fourth part has the last of the permutation and its first two. */
static void rs2_fills_up_the_last_part(void **state)
{
    (void)state;
    const struct unseen_sampler rs2 = sampler_of("rs2", 0.3);
    int64_t permutation[10];
    memcpy(permutation, train, sizeof permutation);
    assert_ok(us_shuffle(1, US_STREAM_SAMPLER, 2, 10, permutation));
    for (int part = 0; part < 4; part++) {
        assert_int_equal(draw(&rs2, 10, 1, 2 * 4 + part, 200), 3);
        for (int i = 0; i < 3; i++)
            assert_int_equal(order[i], permutation[(part * 3 + i) % 10]);
    }
    const struct unseen_sampler most = sampler_of("rs2", 0.7);
    assert_ok(us_shuffle(1, US_STREAM_SAMPLER, 0, 10, permutation));
    for (int part = 0; part < 2; part++) {
        assert_int_equal(draw(&most, 10, 1, part, 200), 7);
        for (int i = 0; i < 7; i++)
            assert_int_equal(order[i], permutation[(part * 7 + i) % 10]);
    }
}

/* Over E epochs a sample is drawn Binomial(E, keep) times, and two epochs share hypergeometrically many:
 * m^2/n in the mean, with variance m^2 (n - m)^2 / (n^2 (n - 1)). Bounds of four standard deviations. */
static void rs2_replacement_is_binomial(void **state)
{
    (void)state;
    enum { N = 500, E = 400, M = 150 };
    const struct unseen_sampler rs2 = sampler_of("rs2-replacement", (double)M / N);
    const double p = (double)M / N, variance = E * p * (1 - p);
    bool before[MOST] = {false};
    double dispersion = 0, shared = 0;
    memset(counts, 0, sizeof counts);
    for (int epoch = 0; epoch < E; epoch++) {
        bool now[MOST] = {false};
        assert_int_equal(draw(&rs2, N, 11, epoch, E), M);
        for (int i = 0; i < M; i++) {
            counts[place[order[i]]]++;
            now[place[order[i]]] = true;
            shared += before[place[order[i]]];
        }
        memcpy(before, now, sizeof before);
    }
    for (int i = 0; i < N; i++) {
        dispersion += (counts[i] - E * p) * (counts[i] - E * p) / variance;
        assert_true(fabs(counts[i] - E * p) < 5 * sqrt(variance)); /* 500 of them */
    }
    printf("# dispersion %.1f of %d, shared %.2f of %.2f\n", dispersion, N - 1, shared / (E - 1), M * p);
    assert_true(fabs(dispersion - (N - 1)) < 4 * sqrt(2.0 * (N - 1)));
    assert_true(fabs(shared / (E - 1) - M * p) <
                4 * sqrt((double)M * M * (N - M) * (N - M) / ((double)N * N * (N - 1)) / (E - 1)));
}

/* Losses 0, 1, 2, .. and 30 more for the last, so that the mean is not the median. */
static double make_losses(int n)
{
    double mean = 0;
    for (int i = 0; i < n; i++) {
        losses[i] = (float)(i + (i + 1 == n ? 30 : 0));
        mean += (double)losses[i] / n;
    }
    return mean;
}

static void infobatch_takes_all_first_and_last(void **state)
{
    (void)state;
    const struct unseen_sampler infobatch = sampler_of("infobatch", 0.5);
    make_losses(100);
    const int whole[] = {0, 14, 15}; /* of 16: the last 2 */
    for (int k = 0; k < 3; k++) {
        assert_int_equal(draw(&infobatch, 100, 2, whole[k], 16), 100);
        for (int i = 0; i < 100; i++)
            assert_true(weight[i] == 1);
    }
    assert_true(draw(&infobatch, 100, 2, 1, 16) < 100);
    assert_true(draw(&infobatch, 100, 2, 13, 16) < 100);
}

/* Samples at the mean or above stay as they are. Of those below each is there in keep of the epochs, weighing
 * 1 / keep. */
static void infobatch_thins_what_is_below_the_mean(void **state)
{
    (void)state;
    enum { N = 100, E = 800, EPOCHS = 1000 };
    const double keep = 0.4, mean = make_losses(N);
    const struct unseen_sampler infobatch = sampler_of("infobatch", keep);
    int below = 0, taken = 0;
    memset(counts, 0, sizeof counts);
    for (int epoch = 1; epoch <= E; epoch++) {
        const int64_t m = draw(&infobatch, N, 3, epoch, EPOCHS);
        for (int64_t i = 0; i < m; i++) {
            const int at = place[order[i]];
            const bool thinned = (double)losses[at] < mean;
            counts[at]++;
            assert_float_equal(weight[i], thinned ? 1 / keep : 1, 1e-6);
        }
    }
    for (int i = 0; i < N; i++) {
        if ((double)losses[i] >= mean) {
            assert_int_equal(counts[i], E);
            continue;
        }
        below++;
        taken += counts[i];
        assert_true(fabs(counts[i] - E * keep) < 5 * sqrt(E * keep * (1 - keep)));
    }
    assert_int_equal(below, 50);
    assert_true(fabs(taken - below * E * keep) < 4 * sqrt(below * E * keep * (1 - keep)));
}

/* With equal losses there are none below the mean. */
static void infobatch_keeps_equals(void **state)
{
    (void)state;
    const struct unseen_sampler infobatch = sampler_of("infobatch", 0.1);
    for (int i = 0; i < MOST; i++)
        losses[i] = 0.1f;
    assert_int_equal(draw(&infobatch, MOST, 4, 5, 100), MOST);
}

static void bad_samplers_are_refused(void **state)
{
    (void)state;
    struct unseen_sampler sampler = sampler_of("rs3", 0.5);
    assert_fails(UNSEEN_USAGE, "no sampler is called \"rs3\"", unseen_sampler_check(&sampler));
    assert_non_null(strstr(unseen_last_hint(), "all, rs2, rs2-replacement, infobatch"));
    const double bad[] = {0, -0.1, 1.01, NAN};
    for (int i = 0; i < 4; i++) {
        sampler = sampler_of("rs2", bad[i]);
        assert_fails(UNSEEN_USAGE, "--sampler-keep", unseen_sampler_check(&sampler));
    }
    sampler = sampler_of("all", 0.3);
    assert_fails(UNSEEN_USAGE, "trains on all samples", unseen_sampler_check(&sampler));
    sampler = sampler_of("rs2", 0.004);
    assert_fails(UNSEEN_USAGE, "0.004 of 100 samples is nothing", us_sampler_check_on(&sampler, 100));
    assert_ok(us_sampler_check_on(&sampler, 125));
    assert_int_equal(us_sampler_most(&sampler, 125), 1);
}

int main(void)
{
    make_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_a_shuffle),
        cmocka_unit_test(rs2_walks_through_permutations),
        cmocka_unit_test(rs2_fills_up_the_last_part),
        cmocka_unit_test(rs2_replacement_is_binomial),
        cmocka_unit_test(infobatch_takes_all_first_and_last),
        cmocka_unit_test(infobatch_thins_what_is_below_the_mean),
        cmocka_unit_test(infobatch_keeps_equals),
        cmocka_unit_test(bad_samplers_are_refused),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
