#include "config.h"

#include "select/rule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "support/rule.h"

#define KEEP(ratio) (&(struct unseen_select_options){.keep = (ratio), .cutoff = UNSEEN_CUTOFF_TABLE})

static void top_and_bottom_by_hand(void **state)
{
    (void)state;
    static const float scores[] = {3, 1, 3, 2};
    assert_keeps("top", scores, NULL, 4, 0, KEEP(0.5), (int64_t[]){0, 2, -1});
    assert_keeps("top", scores, NULL, 4, 0, KEEP(0.25), (int64_t[]){0, -1}); /* tie: the lower index */
    assert_keeps("bottom", scores, NULL, 4, 0, KEEP(0.75), (int64_t[]){0, 1, 3, -1});
    assert_keeps("bottom", (float[]){1, 1, 1}, NULL, 3, 0, KEEP(0.34), (int64_t[]){0, -1});
    assert_keeps("top", scores, NULL, 4, 0, KEEP(1), (int64_t[]){0, 1, 2, 3, -1});
    assert_keeps("top", (float[]){-0.0f, 0}, NULL, 2, 0, KEEP(0.5), (int64_t[]){0, -1});
}

/* round(0.2 * 50000) is 10000 although 1 - 0.8 is a little less; halves go up: 0.35 * 10 = 3.5 gives 4. */
static void counts_are_rounded(void **state)
{
    (void)state;
    static float scores[50000];
    int64_t *kept, m;
    for (int i = 0; i < 50000; i++)
        scores[i] = (float)(i * 7919 % 50000);
    assert_ok(unseen_select("top", scores, NULL, 50000, 0, KEEP(1 - 0.8), &kept, &m));
    assert_int_equal(m, 10000);
    for (int i = 0; i < m; i++)
        assert_true(scores[kept[i]] >= 40000 && (i == 0 || kept[i] > kept[i - 1]));
    free(kept);
    assert_ok(unseen_select("top", scores, NULL, 10, 0, KEEP(0.35), &kept, &m));
    assert_int_equal(m, 4);
    free(kept);
}

/* Class 0 is {0, 2, 4, 5} with scores 9 8 7 8, class 1 {1, 3} with 1 2. Half: two of class 0 (9, and the
 * first 8), one of class 1. */
static void class_balanced_by_hand(void **state)
{
    (void)state;
    static const float scores[] = {9, 1, 8, 2, 7, 8};
    static const int32_t labels[] = {0, 1, 0, 1, 0, 0};
    assert_keeps("class-balanced", scores, labels, 6, 2, KEEP(0.5), (int64_t[]){0, 2, 3, -1});
}

/* Populations 10, 2, 0, 5 and m = 9, visited 0, 2, 5, 10: the empty one gets 0; 9/3 = 3 would go to the
 * second, which has 2; 7/2 = 3 to the third; the last gets what is left, 4. */
static void ccs_budgets_by_hand(void **state)
{
    (void)state;
    int64_t budget[4];
    assert_ok(us_ccs_budgets((int64_t[]){10, 2, 0, 5}, 4, 9, budget));
    assert_memory_equal(budget, ((int64_t[]){4, 2, 0, 3}), sizeof budget);
}

static void ccs_budgets_always_sum(void **state)
{
    (void)state;
    for (int trial = 0; trial < 50; trial++) {
        int64_t population[20], budget[20], total = 0;
        for (int s = 0; s < 20; s++) {
            uint32_t words[4];
            us_philox(9, US_STREAM_SYNTH, (uint32_t)trial, (uint64_t)s, words);
            total += population[s] = words[0] % 3 ? words[1] % 20 : 0;
        }
        for (int64_t m = 0; m <= total; m++) {
            int64_t sum = 0;
            assert_ok(us_ccs_budgets(population, 20, m, budget));
            for (int s = 0; s < 20; s++) {
                assert_true(budget[s] >= 0 && budget[s] <= population[s]);
                sum += budget[s];
            }
            assert_int_equal(sum, m);
        }
    }
}

static void ccs_cutoffs_are_the_published_ones(void **state)
{
    (void)state;
    static const double keep[] = {1, 0.7, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.01};
    static const double want[][9] = {
        [UNSEEN_TABLE_CIFAR10] = {0, 0, 0, 0.05, 0.1, 0.1, 0.2, 0.3, 0.3},
        [UNSEEN_TABLE_CIFAR100] = {0, 0.1, 0.2, 0.2, 0.2, 0.4, 0.45, 0.5, 0.5},
        [UNSEEN_TABLE_IMAGENET] = {0, 0, 0.1, 0.15, 0.2, 0.2, 0.25, 0.3, 0.3},
    };
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < 9; i++)
            assert_true(fabs(us_ccs_cutoff((enum unseen_select_table)t, keep[i]) - want[t][i]) < 1e-12);
    }
}

static void assert_cutoff(double cutoff, double keep, double noise_rate, double want)
{
    const struct unseen_select_options options = {.cutoff = cutoff, .keep = keep, .noise_rate = noise_rate};
    if (fabs(us_cutoff(&options) - want) > 1e-12)
        fail_msg("cut-off %g instead of %g", us_cutoff(&options), want);
}

static void cutoffs_follow_the_wrong_labels_if_asked(void **state)
{
    (void)state;
    assert_cutoff(UNSEEN_CUTOFF_TABLE, 0.2, 0.25, 0.1);
    assert_cutoff(UNSEEN_CUTOFF_AUTO, 0.2, 0.25, 0.25 + 0.1 * 0.75);
    assert_cutoff(UNSEEN_CUTOFF_AUTO, 0.2, 0, 0.1);
    assert_cutoff(UNSEEN_CUTOFF_AUTO, 0.7, 0.05, 0.05);
    assert_cutoff(UNSEEN_CUTOFF_AUTO, 0.7, 0, 0);
    assert_cutoff(0, 0.2, 0.25, 0);
    assert_cutoff(0.4, 0.2, 0.5, 0.4);
}

/* Scores 0..99 as hardness too. Keeping 0.1 cuts the upper 30; what a cut of 0.95 leaves is too little for
 * half, so exactly the lower half stays; with hardness turned round the upper half does. */
static void ccs_cuts_the_hardest(void **state)
{
    (void)state;
    float scores[100], turned[100];
    int64_t *kept, m, half[51];
    for (int i = 0; i < 100; i++) {
        scores[i] = (float)i;
        turned[i] = (float)-i;
    }
    assert_ok(unseen_select("ccs", scores, NULL, 100, 0, KEEP(0.1), &kept, &m));
    assert_int_equal(m, 10);
    assert_true(kept[9] < 70);
    free(kept);
    struct unseen_select_options options = {.keep = 0.5, .cutoff = 0.95};
    for (int i = 0; i < 50; i++)
        half[i] = i;
    half[50] = -1;
    assert_keeps("ccs", scores, NULL, 100, 0, &options, half);
    for (int i = 0; i < 50; i++)
        half[i] = 50 + i;
    options.hardness = turned;
    assert_keeps("ccs", scores, NULL, 100, 0, &options, half);
    /* A fifth that is a little less than a fifth still is one of five. */
    options = (struct unseen_select_options){.keep = 0.8, .cutoff = 0.6 - 0.4};
    assert_keeps("ccs", scores, NULL, 5, 0, &options, (int64_t[]){0, 1, 2, 3, -1});
    /* Equally hard: the lower index stays. */
    options = (struct unseen_select_options){.keep = 0.5, .cutoff = 0.5};
    assert_keeps("ccs", (float[]){1, 1, 1, 1}, NULL, 4, 0, &options, (int64_t[]){0, 1, -1});
}

/* 990 samples at the bottom of the range, ten spread over the rest: all ten are kept, since each stratum may
 * give up to its share. */
static void ccs_covers_sparse_strata(void **state)
{
    (void)state;
    static float scores[1000];
    int64_t *kept, m;
    for (int i = 0; i < 1000; i++)
        scores[i] = i < 990 ? (float)(i % 10) * 1e-3f : (float)(i - 989) * 0.1f;
    assert_ok(unseen_select("ccs", scores, NULL, 1000, 0,
                            &(struct unseen_select_options){.keep = 0.1, .cutoff = 0}, &kept, &m));
    assert_int_equal(m, 100);
    for (int i = 0; i < 10; i++)
        assert_int_equal(kept[90 + i], 990 + i);
    free(kept);
}

/* With negative scores the highest must not fall outside the last stratum. */
static void ccs_loses_no_sample(void **state)
{
    (void)state;
    struct unseen_select_options options = {.keep = 1, .cutoff = 0};
    assert_keeps("ccs", (float[]){-3, -1, -2, -1}, NULL, 4, 0, &options, (int64_t[]){0, 1, 2, 3, -1});
    assert_keeps("ccs", (float[]){5, 5, 5}, NULL, 3, 0, &options, (int64_t[]){0, 1, 2, -1});
    options.strata = 1;
    assert_keeps("ccs", (float[]){5, 6, 7}, NULL, 3, 0, &options, (int64_t[]){0, 1, 2, -1});
    assert_keeps("ccs", (float[]){-3e38f, 3e38f}, NULL, 2, 0, &options, (int64_t[]){0, 1, -1});
}

static int ascending(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Equal scores are one stratum: what is kept is the beginning of the samples' shuffle, as for "random". */
static void draws_are_the_samples_own(void **state)
{
    (void)state;
    float scores[40] = {0};
    int64_t items[41];
    struct unseen_select_options options = {.keep = 0.25, .cutoff = 0, .seed = 11};
    for (int i = 0; i < 40; i++)
        items[i] = i;
    assert_ok(us_shuffle(11, US_STREAM_SELECT, 0, 40, items));
    items[10] = -1;
    qsort(items, 10, sizeof *items, ascending);
    assert_keeps("ccs", scores, NULL, 40, 0, &options, items);
    assert_keeps("random", scores, NULL, 40, 0, &options, items);
    assert_keeps("random", NULL, NULL, 40, 0, &options, items);
    options.seed = 12;
    int64_t *kept, m;
    assert_ok(unseen_select("random", NULL, NULL, 40, 0, &options, &kept, &m));
    assert_int_equal(m, 10);
    assert_memory_not_equal(kept, items, 10 * sizeof *kept);
    free(kept);
}

/* Alone, with quotas by class and with features of three models. */
static void every_rule_keeps_exactly_m(void **state)
{
    (void)state;
    enum { n = 297, dimension = 3 };
    static float scores[n], p_true[n], features[n * dimension];
    static int32_t labels[n];
    static uint8_t fold[n];
    static const double error[10] = {0.1, 0.2, 0, 0.3, 0.4, 0.9, 0.1, 0.1, 0.1, 0.1};
    for (int i = 0; i < n; i++) {
        uint32_t words[4];
        float normal[4];
        us_philox(1, US_STREAM_SYNTH, 0, (uint64_t)i, words);
        us_normals(words, normal);
        scores[i] = normal[0];
        labels[i] = (int32_t)(words[2] % 10);
        fold[i] = (uint8_t)(words[3] % 3);
        p_true[i] = us_uniform(words[3]);
        for (int d = 0; d < dimension; d++)
            features[i * dimension + d] = us_uniform(words[d]);
    }
    int rules = 0;
    for (; unseen_rule_name(rules); rules++) {
        assert_true(strlen(unseen_rule_help(rules)) > 10);
        for (int step = 0; step < 20; step++) {
            struct unseen_select_options options = {.keep = 0.01 + 0.05 * step,
                                                    .cutoff = UNSEEN_CUTOFF_TABLE,
                                                    .p_true = p_true,
                                                    .features = features,
                                                    .dimension = dimension,
                                                    .fold = step % 3 ? NULL : fold,
                                                    .quota = (enum unseen_quota)(step % 3),
                                                    .class_focus = step % 4 == 1 ? 0.7 : 0,
                                                    .class_error = error};
            int64_t *kept, m;
            assert_ok(unseen_select(unseen_rule_name(rules), scores, labels, n, 10, &options, &kept, &m));
            assert_int_equal(m, llround(options.keep * n));
            for (int64_t i = 0; i < m; i++)
                assert_true(kept[i] < n && kept[i] > (i ? kept[i - 1] : -1));
            free(kept);
        }
    }
    assert_int_equal(rules, 11);
    assert_null(unseen_rule_help(rules));
}

static void refuses(void **state)
{
    (void)state;
    static const float scores[] = {1, NAN, 3}, infinite[] = {1, 2, -INFINITY}, good[] = {1, 2, 3};
    static const int32_t labels[] = {0, 1, 2};
    int64_t *kept = NULL, m = 0;
#define TRY(rule, s, l, classes, options) unseen_select(rule, s, l, 3, classes, options, &kept, &m)
    assert_fails(UNSEEN_USAGE, "--rule: there is no rule 'best'", TRY("best", good, NULL, 0, KEEP(0.5)));
    assert_non_null(strstr(unseen_last_hint(), "top, bottom, window, class-balanced, ccs, beta"));
    assert_fails(UNSEEN_USAGE, "--keep: 0 ", TRY("top", good, NULL, 0, KEEP(0)));
    assert_fails(UNSEEN_USAGE, "--keep: 1.5 ", TRY("top", good, NULL, 0, KEEP(1.5)));
    assert_fails(UNSEEN_USAGE, "--keep: nan ", TRY("top", good, NULL, 0, KEEP(NAN)));
    assert_fails(UNSEEN_USAGE, "is nothing", TRY("top", good, NULL, 0, KEEP(0.1)));
    assert_fails(UNSEEN_BAD_DATA, "nan of sample 1", TRY("top", scores, NULL, 0, KEEP(0.5)));
    assert_fails(UNSEEN_BAD_DATA, "-inf of sample 2", TRY("ccs", infinite, NULL, 0, KEEP(0.5)));
    assert_fails(UNSEEN_USAGE, "class-balanced needs labels", TRY("class-balanced", good, NULL, 0, KEEP(1)));
    assert_fails(UNSEEN_USAGE, "top needs scores", TRY("top", NULL, NULL, 0, KEEP(1)));
    assert_fails(UNSEEN_BAD_DATA, "2 of sample 2 is not in 0..1",
                 TRY("class-balanced", good, labels, 2, KEEP(1)));
    struct unseen_select_options options = {.keep = 1, .cutoff = 1};
    assert_fails(UNSEEN_USAGE, "--cutoff: 1 ", TRY("ccs", good, NULL, 0, &options));
    options = (struct unseen_select_options){.keep = 1, .strata = -1};
    assert_fails(UNSEEN_USAGE, "--strata: -1 ", TRY("ccs", good, NULL, 0, &options));
    options = (struct unseen_select_options){.keep = 1, .hardness = scores};
    assert_fails(UNSEEN_BAD_DATA, "hardness: value nan", TRY("ccs", good, NULL, 0, &options));
    assert_fails(UNSEEN_USAGE, "beta needs the label's mean", TRY("beta", good, NULL, 0, KEEP(1)));
    assert_fails(UNSEEN_USAGE, "k-center needs features", TRY("k-center", good, NULL, 0, KEEP(1)));
    options = (struct unseen_select_options){.keep = 1, .quota = UNSEEN_QUOTA_EQUAL};
    assert_fails(UNSEEN_USAGE, "quotas need labels", TRY("top", good, NULL, 0, &options));
    options = (struct unseen_select_options){.keep = 1, .class_focus = 0.5};
    assert_fails(UNSEEN_USAGE, "--class-focus: needs", TRY("top", good, labels, 3, &options));
    options.class_focus = 1.5;
    assert_fails(UNSEEN_USAGE, "--class-focus: 1.5", TRY("top", good, labels, 3, &options));
    options = (struct unseen_select_options){.keep = 1, .features = scores, .dimension = 1};
    assert_fails(UNSEEN_BAD_DATA, "features: value nan of sample 1", TRY("herding", good, NULL, 0, &options));
    options = (struct unseen_select_options){.keep = 1, .features = good, .dimension = 1, .neighbours = -1};
    assert_fails(UNSEEN_USAGE, "--neighbours", TRY("d2", good, NULL, 0, &options));
    options = (struct unseen_select_options){.keep = 1, .p_true = good, .beta = -1};
    assert_fails(UNSEEN_USAGE, "--dual-exponent", TRY("beta", good, NULL, 0, &options));
    assert_null(kept);
    assert_int_equal(m, 0);
}

/* Whether or not the rule looks at an option: what is wrong is told before anything is trained. */
static void ranges_hold_for_every_rule(void **state)
{
    (void)state;
    static const struct {
        struct unseen_select_options options;
        const char *says;
    } cases[] = {
        {{.keep = 0.0001}, "--keep: 0.0001 of 400 samples is nothing"},
        {{.keep = 0.5, .cutoff = 1.5}, "--cutoff: 1.5 is not in "},
        {{.keep = 0.5, .cutoff = -0.5}, "--cutoff: -0.5 is not in "},
        {{.keep = 0.5, .cutoff = NAN}, "--cutoff: nan is not in "},
        {{.keep = 0.5, .strata = -1}, "--strata: -1 is not in "},
        {{.keep = 0.5, .beta = -1}, "--dual-exponent: -1 "},
        {{.keep = 0.5, .beta = INFINITY}, "--dual-exponent: inf "},
        {{.keep = 0.5, .class_focus = 2}, "--class-focus: 2 is not in "},
        {{.keep = 0.5, .class_focus = -1}, "--class-focus: -1 is not in "},
        {{.keep = 0.5, .gamma = -1}, "--gamma: -1 is not in "},
        {{.keep = 0.5, .neighbours = -1}, "--neighbours: -1 is not in "},
        {{.keep = 0.5, .neighbours = 1001}, "--neighbours: 1001 is not in "},
        {{.keep = 0.5, .table = (enum unseen_select_table)9}, "--published: 9 is none of"},
        {{.keep = 0.5, .quota = (enum unseen_quota)9}, "--quota: 9 is none of"},
    };
    for (int i = 0; unseen_rule_name(i); i++) {
        assert_ok(us_select_check(unseen_rule_name(i), KEEP(0.5), 400, 4));
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
            assert_fails(UNSEEN_USAGE, cases[k].says,
                         us_select_check(unseen_rule_name(i), &cases[k].options, 400, 4));
    }
    assert_fails(UNSEEN_USAGE, "there is no rule 'best'", us_select_check("best", KEEP(0.5), 400, 4));
    assert_fails(UNSEEN_USAGE, "there is no rule ''", us_select_check(NULL, KEEP(0.5), 400, 4));
    const struct unseen_select_options many = {.keep = 0.5, .strata = 1000000, .quota = UNSEEN_QUOTA_EQUAL};
    assert_fails(UNSEEN_USAGE, "--strata: 1000000 of each of 20 classes",
                 us_select_check("ccs", &many, 400, 20));
    assert_ok(us_select_check("top", &many, 400, 20));
}

static void options_may_be_missing(void **state)
{
    (void)state;
    static const float scores[] = {1, 4, 3, 2};
    int64_t *kept = NULL, m = 0;
    assert_ok(unseen_select("top", scores, NULL, 4, 0, NULL, &kept, &m));
    assert_true(m == 2 && kept[0] == 1 && kept[1] == 2);
    free(kept);
}

/* What is left is chosen from as if it were all. */
static void samples_left_out_are_no_candidates(void **state)
{
    (void)state;
    enum { N = 60, LEFT = 48 };
    uint8_t leave_out[N] = {0};
    float scores[N], left[LEFT], features[N * 2], left_features[LEFT * 2], p_true[N], left_p[LEFT];
    int32_t labels[N], left_labels[LEFT];
    int64_t sample[LEFT], *kept, *expected, m, n = 0;
    for (int i = 0; i < N; i++) {
        leave_out[i] = i % 5 == 2;
        scores[i] = (float)(i * 37 % N);
        p_true[i] = (float)(i * 11 % N) / N;
        features[2 * i] = (float)(i * 7 % 13);
        features[2 * i + 1] = (float)(i * 5 % 17);
        labels[i] = i * i % 3;
        if (leave_out[i])
            continue;
        left[n] = scores[i];
        left_p[n] = p_true[i];
        memcpy(left_features + 2 * n, features + 2 * i, 2 * sizeof *features);
        left_labels[n] = labels[i];
        sample[n++] = i;
    }
    assert_int_equal(n, LEFT);
    for (int rule = 0; unseen_rule_name(rule); rule++) {
        for (int quota = UNSEEN_QUOTA_NONE; quota <= UNSEEN_QUOTA_EQUAL; quota++) {
            struct unseen_select_options options = {
                .keep = 0.5, .cutoff = 0.1, .quota = quota, .dimension = 2};
            options.features = left_features;
            options.p_true = left_p;
            assert_ok(
                unseen_select(unseen_rule_name(rule), left, left_labels, LEFT, 3, &options, &expected, &m));
            options.features = features;
            options.p_true = p_true;
            options.leave_out = leave_out;
            assert_ok(unseen_select(unseen_rule_name(rule), scores, labels, N, 3, &options, &kept, &m));
            assert_int_equal(m, LEFT / 2);
            for (int64_t k = 0; k < m; k++)
                assert_int_equal(kept[k], sample[expected[k]]);
            free(expected);
            free(kept);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_and_bottom_by_hand),
        cmocka_unit_test(counts_are_rounded),
        cmocka_unit_test(class_balanced_by_hand),
        cmocka_unit_test(ccs_budgets_by_hand),
        cmocka_unit_test(ccs_budgets_always_sum),
        cmocka_unit_test(ccs_cutoffs_are_the_published_ones),
        cmocka_unit_test(cutoffs_follow_the_wrong_labels_if_asked),
        cmocka_unit_test(ccs_cuts_the_hardest),
        cmocka_unit_test(ccs_covers_sparse_strata),
        cmocka_unit_test(ccs_loses_no_sample),
        cmocka_unit_test(draws_are_the_samples_own),
        cmocka_unit_test(every_rule_keeps_exactly_m),
        cmocka_unit_test(refuses),
        cmocka_unit_test(ranges_hold_for_every_rule),
        cmocka_unit_test(options_may_be_missing),
        cmocka_unit_test(samples_left_out_are_no_candidates),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
