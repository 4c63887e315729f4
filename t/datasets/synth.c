#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "support/cmocka.h"
#include "unseen/dataset.h"

static const struct unseen_synth recipe = {.train = 1000,
                                           .test = 100,
                                           .classes = 10,
                                           .size = 16,
                                           .seed = 7,
                                           .hard = UNSEEN_SYNTH_HARD,
                                           .redundant = UNSEEN_SYNTH_REDUNDANT,
                                           .mislabelled = UNSEEN_SYNTH_MISLABELLED};

static void the_same_recipe_draws_the_same(void **state)
{
    (void)state;
    struct unseen_dataset *a = NULL, *b = NULL, *c = NULL;
    struct unseen_synth other = recipe;
    other.seed = 8;
    assert_ok(unseen_synth_draw(&recipe, &a, NULL, NULL));
    assert_ok(unseen_synth_draw(&recipe, &b, NULL, NULL));
    assert_ok(unseen_synth_draw(&other, &c, NULL, NULL));
    assert_string_equal(a->hash, b->hash);
    assert_string_not_equal(a->hash, c->hash);
    assert_memory_equal(a->reader->pixels[UNSEEN_TRAIN], b->reader->pixels[UNSEEN_TRAIN], 1000 * 16 * 16 * 3);
    unseen_dataset_close(a);
    unseen_dataset_close(b);
    unseen_dataset_close(c);
}

static void shares_and_classes_are_exact(void **state)
{
    (void)state;
    struct unseen_dataset *dataset = NULL;
    uint8_t *kinds = NULL;
    int32_t *truth = NULL;
    int by_kind[4] = {0}, by_class[10] = {0}, test[10] = {0};
    assert_ok(unseen_synth_draw(&recipe, &dataset, &kinds, &truth));
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    for (int i = 0; i < 1000; i++) {
        by_kind[kinds[i]]++;
        by_class[truth[i]]++;
        assert_in_range(train->labels[i], 0, 9);
        assert_int_equal(kinds[i] == UNSEEN_MISLABELLED, train->labels[i] != truth[i]);
    }
    assert_int_equal(by_kind[UNSEEN_PLAIN], 550);
    assert_int_equal(by_kind[UNSEEN_HARD], 200);
    assert_int_equal(by_kind[UNSEEN_REDUNDANT], 200);
    assert_int_equal(by_kind[UNSEEN_MISLABELLED], 50);
    for (int i = 0; i < 100; i++)
        test[dataset->split[UNSEEN_TEST].labels[i]]++;
    for (int c = 0; c < 10; c++) {
        assert_int_equal(by_class[c], 100);
        assert_int_equal(test[c], 10);
    }
    free(kinds);
    free(truth);
    unseen_dataset_close(dataset);
}

/* Root mean square difference of images a and b. */
static double distance(const uint8_t *pixels, int64_t a, int64_t b)
{
    double sum = 0;
    for (int p = 0; p < 768; p++) {
        double d = (double)pixels[a * 768 + p] - (double)pixels[b * 768 + p];
        sum += d * d;
    }
    return sqrt(sum / 768);
}

/* A near copy lies much closer to some earlier sample of its class than plain samples do. */
static void redundant_samples_have_an_original(void **state)
{
    (void)state;
    struct unseen_dataset *dataset = NULL;
    uint8_t *kinds = NULL;
    double mean[4] = {0};
    int n[4] = {0};
    assert_ok(unseen_synth_draw(&recipe, &dataset, &kinds, NULL));
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    for (int64_t i = 500; i < 1000; i++) {
        double least = INFINITY;
        for (int64_t j = 0; j < i; j++) {
            if (train->labels[j] == train->labels[i])
                least = fmin(least, distance(dataset->reader->pixels[UNSEEN_TRAIN], i, j));
        }
        mean[kinds[i]] += least;
        n[kinds[i]]++;
    }
    double redundant = mean[UNSEEN_REDUNDANT] / n[UNSEEN_REDUNDANT];
    double plain = mean[UNSEEN_PLAIN] / n[UNSEEN_PLAIN];
    if (redundant > 0.75 * plain)
        fail_msg("nearest neighbours: redundant %g, plain %g", redundant, plain);
    free(kinds);
    unseen_dataset_close(dataset);
}

static void names_give_recipes(void **state)
{
    (void)state;
    struct unseen_dataset *dataset = NULL;
    assert_ok(unseen_dataset_open("synth:100,30,8,1", NULL, &dataset));
    assert_int_equal(dataset->split[UNSEEN_TRAIN].n, 100);
    assert_int_equal(dataset->split[UNSEEN_TEST].n, 30);
    assert_int_equal(dataset->classes, 30);
    assert_int_equal(dataset->height, 8);
    assert_string_equal(dataset->format, "synth");
    assert_string_equal(dataset->location, "100,30,8,1");
    assert_string_equal(dataset->source, "synth:100,30,8,1");
    assert_true(dataset->std[0] > 0 && dataset->std[2] > 0);
    unseen_dataset_close(dataset);
    dataset = NULL;
    static const char *const bad[] = {"synth:",
                                      "synth:100,10,32",
                                      "synth:100,10,32,1,",
                                      "synth:5,10,32,1",
                                      "synth:100,101,32,1",
                                      "synth:100,1,32,1",
                                      "synth:100,10,7,1",
                                      "synth:100,10,257,1",
                                      "synth:-5,10,32,1",
                                      "synth:1e3,2,8,1",
                                      "synth:99999999999999999999,2,8,1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(UNSEEN_USAGE, "synth", unseen_dataset_open(bad[i], NULL, &dataset));
    assert_null(dataset);
}

static void shares_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct unseen_dataset *dataset = NULL;
    struct unseen_synth wrong = recipe;
    wrong.hard = 0.9F;
    assert_fails(UNSEEN_USAGE, "exceed 1", unseen_synth_draw(&wrong, &dataset, NULL, NULL));
    wrong.hard = NAN;
    assert_fails(UNSEEN_USAGE, "exceed 1", unseen_synth_draw(&wrong, &dataset, NULL, NULL));
    wrong = recipe;
    wrong.redundant = -0.1F;
    assert_fails(UNSEEN_USAGE, "less than 0", unseen_synth_draw(&wrong, &dataset, NULL, NULL));
    wrong = recipe;
    wrong.hard = wrong.redundant = wrong.mislabelled = 0;
    wrong.test = 0;
    assert_ok(unseen_synth_draw(&wrong, &dataset, NULL, NULL));
    assert_int_equal(dataset->split[UNSEEN_TEST].n, 0);
    unseen_dataset_close(dataset);
    dataset = NULL;
    wrong.redundant = 1; /* the first of each class cannot be a copy, and has to stay plain */
    uint8_t *kinds = NULL;
    assert_ok(unseen_synth_draw(&wrong, &dataset, &kinds, NULL));
    int plain = 0;
    for (int i = 0; i < 1000; i++)
        plain += kinds[i] == UNSEEN_PLAIN;
    assert_int_equal(plain, 10);
    free(kinds);
    unseen_dataset_close(dataset);
}

/* The bytes are part of what a seed promises: a change here changes every result that used synth data. */
static void bytes_do_not_change(void **state)
{
    (void)state;
    struct unseen_dataset *dataset = NULL;
    assert_ok(unseen_synth_draw(&recipe, &dataset, NULL, NULL));
    assert_string_equal(dataset->hash, "2f44009c5f6b5cd2e5d83b28eade1dd9cd38d1e47e7c8dfe1e0949a02af4ca82");
    unseen_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_recipe_draws_the_same),     cmocka_unit_test(shares_and_classes_are_exact),
        cmocka_unit_test(redundant_samples_have_an_original), cmocka_unit_test(names_give_recipes),
        cmocka_unit_test(shares_that_cannot_be_are_refused),  cmocka_unit_test(bytes_do_not_change),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
