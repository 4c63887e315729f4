/* Worked examples of rules that take more than an order of scores. */
#include "config.h"

#include "select/rule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "support/rule.h"

/* Of 0..9 the two hardest go and the next three stay; by a hardness turned round the two easiest go. What the
 * cut would take from those to keep stays. */
static void window_by_hand(void **state)
{
    (void)state;
    static const float scores[] = {3, 9, 0, 8, 5, 1, 7, 2, 6, 4};
    static const float turned[] = {-3, -9, -0, -8, -5, -1, -7, -2, -6, -4};
    struct unseen_select_options options = {.keep = 0.3, .cutoff = 0.2};
    assert_keeps("window", scores, NULL, 10, 0, &options, (int64_t[]){4, 6, 8, -1});
    options.hardness = turned;
    assert_keeps("window", scores, NULL, 10, 0, &options, (int64_t[]){1, 3, 6, -1});
    options = (struct unseen_select_options){.keep = 0.3, .cutoff = 0.9};
    assert_keeps("window", scores, NULL, 10, 0, &options, (int64_t[]){2, 5, 7, -1});
    options.cutoff = UNSEEN_CUTOFF_TABLE; /* 0.1 is published for this ratio */
    assert_keeps("window", scores, NULL, 10, 0, &options, (int64_t[]){3, 6, 8, -1});
}

/* Sorted: samples 5 1 3 4 2 0; the middle two, then the middle three with the odd one on the upper side. */
static void moderate_by_hand(void **state)
{
    (void)state;
    static const float scores[] = {5, 1, 4, 2, 3, 0};
    struct unseen_select_options options = {.keep = 1 / 3.0};
    assert_keeps("moderate", scores, NULL, 6, 0, &options, (int64_t[]){3, 4, -1});
    options.keep = 0.5;
    assert_keeps("moderate", scores, NULL, 6, 0, &options, (int64_t[]){1, 3, 4, -1});
}

/* Class 0 is {0, 2, 4, 5}, class 1 {1, 3}: equal quotas of four are two each; by errors 0 and 1 all that can
 * go to class 1 does. */
static void quotas_change_what_top_keeps(void **state)
{
    (void)state;
    static const float scores[] = {9, 1, 8, 2, 7, 8};
    static const int32_t labels[] = {0, 1, 0, 1, 0, 0};
    static const double error[] = {0, 1};
    struct unseen_select_options options = {.keep = 4 / 6.0, .quota = UNSEEN_QUOTA_EQUAL};
    assert_keeps("top", scores, labels, 6, 2, &options, (int64_t[]){0, 1, 2, 3, -1});
    options = (struct unseen_select_options){.keep = 0.5, .class_focus = 1, .class_error = error};
    assert_keeps("top", scores, labels, 6, 2, &options, (int64_t[]){0, 1, 3, -1});
    options = (struct unseen_select_options){.keep = 0.5, .quota = UNSEEN_QUOTA_PROPORTIONAL};
    assert_keeps("top", scores, labels, 6, 2, &options, (int64_t[]){0, 2, 3, -1});
    assert_keeps("class-balanced", scores, labels, 6, 2, &options, (int64_t[]){0, 2, 3, -1});
}

/* Easy first, in equal numbers: class 0 is {0, 2, 4, 5}, class 1 {1, 3}, class 2 {6}. Of ties the lower index
 * stays. Where a class has too few the others give more, and where there is less than one for each class the
 * lower ones have it. */
static void bottom_with_equal_quotas_keeps_the_easiest_of_each_class(void **state)
{
    (void)state;
    static const float scores[] = {1, 9, 1, 8, 0, 1, 7};
    static const int32_t labels[] = {0, 1, 0, 1, 0, 0, 2};
    struct unseen_select_options options = {.keep = 3 / 7.0, .quota = UNSEEN_QUOTA_EQUAL};
    assert_keeps("bottom", scores, labels, 7, 3, &options, (int64_t[]){3, 4, 6, -1});
    options.keep = 5 / 7.0;
    assert_keeps("bottom", scores, labels, 7, 3, &options, (int64_t[]){0, 1, 3, 4, 6, -1});
    options.keep = 6 / 7.0;
    assert_keeps("bottom", scores, labels, 7, 3, &options, (int64_t[]){0, 1, 2, 3, 4, 6, -1});
    options.keep = 2 / 7.0;
    assert_keeps("bottom", scores, labels, 7, 3, &options, (int64_t[]){3, 4, -1});
    options.quota = UNSEEN_QUOTA_NONE;
    assert_keeps("bottom", scores, labels, 7, 3, &options, (int64_t[]){0, 4, -1});
}

/* A draw belongs to its sample: of one class alone the random rule keeps what it would keep of everything if
 * there were no other class. */
static void draws_in_classes_are_the_samples_own(void **state)
{
    (void)state;
    enum { n = 40 };
    int32_t labels[n];
    int64_t items[n / 2], *kept, m;
    for (int i = 0; i < n; i++) {
        labels[i] = i % 2;
        items[i / 2] = i / 2 * 2;
    }
    struct unseen_select_options options = {.keep = 0.5, .quota = UNSEEN_QUOTA_PROPORTIONAL, .seed = 5};
    assert_ok(unseen_select("random", NULL, labels, n, 2, &options, &kept, &m));
    assert_ok(us_shuffle(5, US_STREAM_SELECT, 0, n / 2, items));
    for (int i = 0; i < n / 2; i++) {
        bool found = false;
        for (int64_t k = 0; k < m; k++)
            found |= kept[k] == items[i];
        assert_int_equal(found, i < n / 4);
    }
    free(kept);
}

/* One of two samples with weights 3 to 1 at the same probability: the first in three quarters of the draws.
 */
static void beta_draws_by_weight(void **state)
{
    (void)state;
    static const float p_true[] = {0.5f, 0.5f}, scores[] = {3, 1};
    int first = 0;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        int64_t *kept, m;
        struct unseen_select_options options = {.keep = 0.5, .p_true = p_true, .seed = seed};
        assert_ok(unseen_select("beta", scores, NULL, 2, 0, &options, &kept, &m));
        first += kept[0] == 0;
        free(kept);
    }
    assert_true(abs(first - 3000) < 110); /* four deviations */
}

/* Probabilities over the whole range and the ten highest scores at a half: the less is kept, the easier. */
static void beta_moves_to_easy_samples(void **state)
{
    (void)state;
    enum { n = 300 };
    static float p_true[n], scores[n];
    int easy[2] = {0};
    for (int i = 0; i < n; i++) {
        p_true[i] = 0.05f + 0.9f * (float)i / n;
        scores[i] = i >= 145 && i < 155 ? 1.001f : 1;
    }
    for (int k = 0; k < 2; k++) {
        int64_t *kept, m;
        struct unseen_select_options options = {.keep = k ? 0.5 : 0.05, .p_true = p_true, .seed = 3};
        assert_ok(unseen_select("beta", scores, NULL, n, 0, &options, &kept, &m));
        double mean = 0;
        for (int64_t i = 0; i < m; i++)
            mean += (double)p_true[kept[i]] / (double)m;
        easy[k] = (int)(100 * mean);
        free(kept);
    }
    assert_true(easy[0] > easy[1] + 10);
}

/* Negative scores become ranks; weight 0 comes last of all. */
static void beta_takes_any_scores(void **state)
{
    (void)state;
    static const float p_true[] = {0.5f, 0.5f, 0.5f, 0.5f}, zero[] = {0, 1, 0, 2};
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct unseen_select_options options = {.keep = 0.5, .p_true = p_true, .seed = seed};
        assert_keeps("beta", zero, NULL, 4, 0, &options, (int64_t[]){1, 3, -1});
        options.keep = 1;
        assert_keeps("beta", (float[]){-3, -2, 0, 5}, NULL, 4, 0, &options, (int64_t[]){0, 1, 2, 3, -1});
    }
}

/* A seed whose draws begin with the sample. */
static uint64_t seed_that_begins_with(int64_t sample, int64_t n)
{
    for (uint64_t seed = 0;; seed++) {
        int64_t best = 0;
        for (int64_t i = 1; i < n; i++)
            best = us_rule_draw(seed, i) < us_rule_draw(seed, best) ? i : best;
        if (best == sample)
            return seed;
    }
}

/* On a line 0, 1, 10, 4, 6: from 0 the farthest is 10; then 4 is 4 from 0 and 6 is 4 from 10: the lower
 * index; then 6, two from 4. */
static void kcenter_by_hand(void **state)
{
    (void)state;
    static const float features[] = {0, 1, 10, 4, 6};
    struct unseen_select_options options = {.features = features, .dimension = 1};
    options.seed = seed_that_begins_with(0, 5);
    options.keep = 0.4;
    assert_keeps("k-center", NULL, NULL, 5, 0, &options, (int64_t[]){0, 2, -1});
    options.keep = 0.6;
    assert_keeps("k-center", NULL, NULL, 5, 0, &options, (int64_t[]){0, 2, 3, -1});
    options.keep = 0.8;
    assert_keeps("k-center", NULL, NULL, 5, 0, &options, (int64_t[]){0, 2, 3, 4, -1});
}

/* Mean 3 of 0 1 2 9: 2 is nearest to 3; then 1 to 6 - 2 = 4; then 9 to 9 - 3 = 6. */
static void herding_by_hand(void **state)
{
    (void)state;
    static const float features[] = {0, 1, 2, 9};
    struct unseen_select_options options = {.features = features, .dimension = 1, .keep = 0.5};
    assert_keeps("herding", NULL, NULL, 4, 0, &options, (int64_t[]){1, 2, -1});
    options.keep = 0.75;
    assert_keeps("herding", NULL, NULL, 4, 0, &options, (int64_t[]){1, 2, 3, -1});
}

/* 0 1 and 10 12 on a line with one neighbour each: squared distances 1 1 4 4, mean 2.5, weights e^-0.4 =
 * 0.670 and e^-1.6 = 0.202. Scores 1 0.9 0.8 0 spread to 1.603 1.570 0.8 0.162; the first is taken, the
 * second falls to 0.496, so the third is next. */
static void d2_by_hand(void **state)
{
    (void)state;
    static const float features[] = {0, 1, 10, 12}, scores[] = {1, 0.9f, 0.8f, 0};
    struct unseen_select_options options = {
        .features = features, .dimension = 1, .keep = 0.5, .neighbours = 1};
    assert_keeps("d2", scores, NULL, 4, 0, &options, (int64_t[]){0, 2, -1});
    assert_keeps("top", scores, NULL, 4, 0, &options, (int64_t[]){0, 1, -1});
    options.keep = 0.75;
    assert_keeps("d2", scores, NULL, 4, 0, &options, (int64_t[]){0, 1, 2, -1});
    options.keep = 1; /* a single sample has no neighbour */
    assert_keeps("d2", scores, NULL, 1, 0, &options, (int64_t[]){0, -1});
}

/* Features of two models: the far ends of the line are each other's model's, so each model gives its own. */
static void folds_are_chosen_from_apart(void **state)
{
    (void)state;
    static const float features[] = {0, 1, 2, 100, 101, 102};
    static const uint8_t fold[] = {0, 0, 0, 1, 1, 1};
    struct unseen_select_options options = {
        .features = features, .dimension = 1, .keep = 2 / 6.0, .fold = fold};
    assert_keeps("herding", NULL, NULL, 6, 0, &options, (int64_t[]){1, 4, -1});
    options.fold = NULL; /* mean 51: 2 is nearest, then 100 */
    assert_keeps("herding", NULL, NULL, 6, 0, &options, (int64_t[]){2, 3, -1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_by_hand),
        cmocka_unit_test(moderate_by_hand),
        cmocka_unit_test(quotas_change_what_top_keeps),
        cmocka_unit_test(bottom_with_equal_quotas_keeps_the_easiest_of_each_class),
        cmocka_unit_test(draws_in_classes_are_the_samples_own),
        cmocka_unit_test(beta_draws_by_weight),
        cmocka_unit_test(beta_moves_to_easy_samples),
        cmocka_unit_test(beta_takes_any_scores),
        cmocka_unit_test(kcenter_by_hand),
        cmocka_unit_test(herding_by_hand),
        cmocka_unit_test(d2_by_hand),
        cmocka_unit_test(folds_are_chosen_from_apart),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
