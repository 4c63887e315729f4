/* Scores on features, and what compares both sides of a fold run. */
#include "config.h"

#include "support/score.h"

static struct us_trajectory_build *with_features(int64_t n, int folds, int classes, const float *features,
                                                 const int64_t *labels)
{
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(folds ? UNSEEN_FOLD : UNSEEN_SEEN, n, 1, 1, classes, folds, &b));
    assert_ok(us_trajectory_demand(b, 1u << UNSEEN_FEATURES, 2));
    memcpy(b->features, features, (size_t)n * 2 * sizeof *features);
    memcpy(b->labels, labels, (size_t)n * sizeof *labels);
    return b;
}

/* Class 0 has its mean at (1,0), one from both; class 1 at (0,6), 3, 1 and 4 away. The median of all is 1. */
static void distances_to_the_means_of_classes(void **state)
{
    (void)state;
    static const float features[] = {0, 0, 0, 3, 2, 0, 0, 5, 0, 10};
    struct us_trajectory_build *b = with_features(5, 0, 2, features, (int64_t[]){0, 1, 0, 1, 1});
    assert_scores(b, "class-distance", NULL, (double[]){1, 3, 1, 1, 4});
    assert_scores(b, "moderate", NULL, (double[]){0, -2, 0, 0, -3});
    us_trajectory_free(b);
}

/* Fold 0's model has its classes at (0,0) and (4,0), fold 1's at (0,10) and (0,0). Distances 1, 3, 5 in fold
 * 0 and 2, 4 in fold 1, whose median is 3. */
static void each_fold_has_its_model(void **state)
{
    (void)state;
    static const float features[] = {0, 1, 0, 8, 4, 3, 0, 4, 5, 0};
    static const float centres[] = {0, 0, 4, 0, 0, 10, 0, 0};
    static const uint8_t fold[] = {0, 1, 0, 1, 0};
    struct us_trajectory_build *b = with_features(5, 2, 2, features, (int64_t[]){0, 0, 1, 1, 0});
    memcpy(b->fold, fold, sizeof fold);
    memcpy(b->centres, centres, sizeof centres);
    assert_scores(b, "class-distance", NULL, (double[]){1, 2, 3, 4, 5});
    assert_scores(b, "moderate", NULL, (double[]){-2, -1, 0, -1, -2});
    b->view.centres = NULL;
    float scores[5];
    assert_fails(UNSEEN_USAGE, "need centres.npy", unseen_score(&b->view, "moderate", NULL, scores));
    us_trajectory_free(b);
}

/* Two bundles of directions, whose prototypes are the directions of the sums of their unit vectors; the last
 * sample has none. */
static void prototypes_are_found(void **state)
{
    (void)state;
    static const float features[] = {1, 0, 7, 24, 0, 2, 24, 7, -7, 24, 5, 0};
    /* Unit vectors (1,0) (.96,.28) (1,0) and (.28,.96) (0,1) (-.28,.96). */
    static const int64_t labels[] = {0, 1, 1, 0, 1, 0};
    struct us_trajectory_build *b = with_features(6, 0, 2, features, labels);
    double length = sqrt(2.96 * 2.96 + 0.28 * 0.28), x = 2.96 / length, y = 0.28 / length;
    const double want[] = {1 - x, 0.04, 0, 1 - (0.96 * x + 0.28 * y), 0.04, 1 - x};
    for (uint64_t seed = 0; seed < 8; seed++)
        assert_scores(b, "prototype", &(struct unseen_score_options){.epoch = -1, .seed = seed}, want);
    assert_scores(b, "prototype", &(struct unseen_score_options){.epoch = -1, .clusters = 99},
                  (double[]){0, 0, 0, 0, 0, 0});
    us_trajectory_free(b);
}

/* The same directions in two folds make prototypes in each, and features of zeros are far from all. */
static void prototypes_of_each_fold(void **state)
{
    (void)state;
    static const float features[] = {1, 0, 0, 5, 2, 0, 0, 1, 0, 0};
    static const uint8_t fold[] = {0, 1, 0, 1, 1};
    struct us_trajectory_build *b = with_features(5, 2, 2, features, (int64_t[]){0, 0, 0, 0, 0});
    memcpy(b->fold, fold, sizeof fold);
    assert_scores(b, "prototype", &(struct unseen_score_options){.epoch = -1, .clusters = 1},
                  (double[]){0, 0, 0, 0, 1});
    us_trajectory_free(b);
}

/* Two folds, two repeats, two epochs; what is seen is 0.9 and 0.8 in the end, what is unseen 0.1, 0.2 and
 * 0.5, 0.6 in the repeats. */
static void memorisation_compares_both_sides(void **state)
{
    (void)state;
    static const float unseen[] = {0.3f, 0.4f, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f};
    static const float trained[] = {0.7f, 0.7f, 0.9f, 0.8f, 0.7f, 0.7f, 0.9f, 0.8f};
    struct us_trajectory_build *b, *both = seen(2, 2, 2), *one = seen(2, 1, 2);
    assert_ok(us_trajectory_new(UNSEEN_FOLD, 2, 2, 2, 2, 2, &b));
    memcpy(b->value[UNSEEN_P_TRUE], unseen, sizeof unseen);
    memcpy(both->value[UNSEEN_P_TRUE], trained, sizeof trained);
    memcpy(one->value[UNSEEN_P_TRUE], trained, sizeof trained / 2);
    b->view.seen = &both->view;
    assert_scores(b, "memorisation", NULL, (double[]){0.6, 0.4});
    assert_scores(b, "memorisation", &(struct unseen_score_options){.epoch = 0}, (double[]){0.4, 0.3});
    /* One-fold: two models that did not train on a sample, one that did. */
    b->view.protocol = UNSEEN_ONE_FOLD;
    b->view.seen = &one->view;
    assert_scores(b, "memorisation", NULL, (double[]){0.6, 0.4});
    us_trajectory_free(one);
    us_trajectory_free(both);
    us_trajectory_free(b);
}

static void memorisation_needs_both_sides(void **state)
{
    (void)state;
    struct us_trajectory_build *b, *short_run = seen(2, 1, 1);
    float scores[2];
    assert_fails(UNSEEN_USAGE, "a seen trajectory has no others",
                 unseen_score(&short_run->view, "memorisation", NULL, scores));
    assert_non_null(strstr(unseen_last_hint(), "fold and one-fold"));
    assert_ok(us_trajectory_new(UNSEEN_FOLD, 2, 1, 2, 2, 2, &b));
    assert_fails(UNSEEN_USAGE, "no record of the samples that its models trained on",
                 unseen_score(&b->view, "memorisation", NULL, scores));
    b->view.seen = &short_run->view;
    assert_fails(UNSEEN_USAGE, "needs epoch 1 of p_true.npy on the seen side",
                 unseen_score(&b->view, "memorisation", NULL, scores));
    us_trajectory_free(short_run);
    us_trajectory_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_to_the_means_of_classes),
        cmocka_unit_test(each_fold_has_its_model),
        cmocka_unit_test(prototypes_are_found),
        cmocka_unit_test(prototypes_of_each_fold),
        cmocka_unit_test(memorisation_compares_both_sides),
        cmocka_unit_test(memorisation_needs_both_sides),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
