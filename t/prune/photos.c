/* From a folder of photos of many sizes to a coreset. */
#include "config.h"

#include "support/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "nn/train.h"
#include "support/files.h"
#include "support/folder.h"
#include "unseen/prune.h"

enum { PHOTOS = 24, TESTS = 6 };

static struct unseen_dataset *photos;

static int set_up(void **state)
{
    if (test_folder_make(state))
        return -1;
    for (int i = 0; i < PHOTOS + TESTS; i++) {
        char name[64];
        snprintf(name, sizeof name, "photos/%s/%s/%02d.jpg", i < PHOTOS ? "train" : "val",
                 i % 2 ? "dark" : "light", i);
        test_jpeg(test_folder, name, 30 + 7 * (i % 5), 75 - 6 * (i % 7),
                  (i % 2 ? 0x101820u : 0xd0c0b0u) + (unsigned)i, i % 6 == 5);
    }
    return unseen_dataset_open(test_path("photos"), NULL, &photos) ? -1 : 0;
}

static int tear_down(void **state)
{
    unseen_dataset_close(photos);
    return test_folder_remove(state);
}

static struct unseen_recipe recipe_of(void)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    strcpy(recipe.model, "convnet3");
    recipe.width = 4;
    recipe.epochs = 2;
    recipe.batch = 8;
    recipe.size[0] = recipe.size[1] = 16;
    recipe.crop = UNSEEN_CROP_RESIZED;
    return recipe;
}

static void assert_same_file(const char *a, const char *b)
{
    char *bytes[2];
    size_t size[2];
    assert_ok(us_read_file(a, &bytes[0], &size[0]));
    assert_ok(us_read_file(b, &bytes[1], &size[1]));
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
}

/* One model at a time or four, with what is decoded kept or not: the same scores. */
static void scores_do_not_depend_on_how_photos_come(void **state)
{
    (void)state;
    const char *out[] = {"one", "four"};
    struct unseen_loading before, after;
    assert_int_equal(photos->height, 0);
    for (int k = 0; k < 2; k++) {
        struct unseen_prune_options options;
        struct unseen_prune_result result;
        unseen_prune_defaults(&options);
        options.scoring.recipe = recipe_of();
        options.scoring.recipe.cache = k ? UNSEEN_CACHE_OFF : UNSEEN_CACHE_MEMORY;
        options.scoring.folds = 4;
        options.scoring.concurrent = k ? 4 : 1;
        options.scoring.out = test_path(out[k]);
        options.rule = "top";
        unseen_loading(&before);
        assert_ok(unseen_prune(test_device(), photos, &options, &result));
        unseen_loading(&after);
        assert_int_equal(result.m, PHOTOS / 2);
        /* Every model has each epoch's photos but a fourth of them: decoded for each model, or once for all.
         * What is held out is decoded once, or in each epoch. */
        assert_int_equal(after.decoded - before.decoded, k ? 2 * (PHOTOS + PHOTOS) : 2 * 3 * PHOTOS + PHOTOS);
        assert_true(after.seconds > before.seconds && after.fed - before.fed == 2 * 4 * PHOTOS);
    }
    assert_same_file(test_path("one/scores.npy"), test_path("four/scores.npy"));
    assert_true(us_exists(test_path("one/keep.npy")));
    char *text;
    assert_ok(us_read_file(test_path("four/run.json"), &text, NULL));
    assert_non_null(strstr(text, "\"loading\""));
    assert_non_null(strstr(text, "\"waited_share\""));
    free(text);
}

/* A photo that is gone ends training by its name; with the photo back, the same command goes on. */
static void a_photo_that_vanishes_is_named(void **state)
{
    (void)state;
    char photo[1024], aside[1024];
    const struct unseen_train_options options = {
        .recipe = recipe_of(), .sampler = {"all", 0.5}, .out = test_path("run")};
    snprintf(photo, sizeof photo, "%s", test_path("photos/train/light/10.jpg"));
    snprintf(aside, sizeof aside, "%s", test_path("aside.jpg"));
    assert_int_equal(rename(photo, aside), 0);
    assert_fails(UNSEEN_BAD_DATA, "train/light/10.jpg",
                 unseen_train(test_device(), photos, &options, NULL, NULL));
    assert_int_equal(rename(aside, photo), 0);
    assert_ok(unseen_train(test_device(), photos, &options, NULL, NULL));
}

/* Photos that all fit are decoded once, and lie on the device for all epochs. */
static void small_photos_lie_on_the_device(void **state)
{
    (void)state;
    struct unseen_train_options options = {
        .recipe = recipe_of(), .sampler = {"all", 0.5}, .out = test_path("resident")};
    struct unseen_loading before, after;
    struct unseen_epoch *history;
    int epochs;
    options.recipe.crop = UNSEEN_CROP_PAD;
    options.recipe.epochs = 12;
    unseen_loading(&before);
    assert_ok(unseen_train(test_device(), photos, &options, &history, &epochs));
    unseen_loading(&after);
    assert_int_equal(after.decoded - before.decoded, PHOTOS + TESTS);
    assert_true(history[epochs - 1].test_accuracy > 0.9);
    free(history);
}

/* Threads that were busy for a fifth of the time are not what a run was short of. */
static void decoding_is_named_where_threads_are_busy(void **state)
{
    (void)state;
    const struct unseen_loading little = {.seconds = 100, .waited = 5, .busy = 0.9},
                                start = {.seconds = 100, .waited = 7.6, .busy = 0.22},
                                much = {.seconds = 100, .waited = 7.6, .busy = 0.9};
    assert_string_equal(unseen_loading_bottleneck(&little), "device");
    assert_string_equal(unseen_loading_bottleneck(&start), "start");
    assert_string_equal(unseen_loading_bottleneck(&much), "decoding");
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_do_not_depend_on_how_photos_come),
        cmocka_unit_test(a_photo_that_vanishes_is_named),
        cmocka_unit_test(small_photos_lie_on_the_device),
        cmocka_unit_test(decoding_is_named_where_threads_are_busy),
    };
    return RUN_TESTS(tests, set_up, tear_down);
}
