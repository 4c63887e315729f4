/* Models whose first convolution whitens the images that they train on, and nothing else. */
#include "config.h"

#include "support/drawn.h"

#include <math.h>
#include <stdlib.h>

#include "base/safetensors.h"
#include "nn/whiten.h"
#include "nn/workers.h"

enum { N = 48, FOLDS = 3, FILTERS = 24 * 12 };

static struct unseen_recipe fast_recipe(void)
{
    struct unseen_recipe recipe = test_small_recipe();
    strcpy(recipe.model, "fastnet-small");
    recipe.lr = 0.01f;
    return recipe;
}

static int begin(void **state)
{
    const struct unseen_recipe recipe = fast_recipe();
    return test_drawn(state, N) || us_session_new(test_device(), data, &recipe, &session) ? -1 : 0;
}

/* All samples but those of a fold. */
static int64_t list_training(int fold, int64_t train[N])
{
    int64_t n = 0;
    for (int i = 0; i < N; i++) {
        if (i % FOLDS != fold)
            train[n++] = i;
    }
    return n;
}

/* The model of a fold, from `init` if it is not NULL, written to `save`. */
static enum unseen_status train_fold(struct us_session *own, int fold, uint32_t model, const char *init,
                                     const char *state, const char *save)
{
    const struct unseen_recipe recipe = fast_recipe();
    int64_t train[N];
    const struct us_train_job job = {.recipe = &recipe,
                                     .seed = 3,
                                     .model = model,
                                     .train = train,
                                     .n_train = list_training(fold, train),
                                     .init = init,
                                     .state = state,
                                     .save = save};
    return us_train(own, &job, NULL, NULL);
}

static void read_filters(const char *path, float filters[FILTERS])
{
    struct us_safetensors *file;
    assert_ok(us_safetensors_open(path, &file));
    const struct us_tensor_view *view = us_safetensors_find(file, "whiten.weight");
    assert_non_null(view);
    assert_memory_equal(view->shape, ((const int64_t[]){24, 3, 2, 2}), 4 * sizeof(int64_t));
    memcpy(filters, view->data, FILTERS * sizeof *filters);
    us_safetensors_close(file);
}

/* Those that the file holds when all is done are those of the fold's training set: no step moved them, no
 * held-out sample took part. */
static void filters_are_of_the_training_set_and_stay(void **state)
{
    (void)state;
    const struct unseen_recipe recipe = fast_recipe();
    float want[FOLDS][FILTERS], got[FILTERS];
    for (int fold = 0; fold < FOLDS; fold++) {
        int64_t train[N];
        const int64_t n = list_training(fold, train);
        assert_ok(us_whiten(session, &recipe, train, n, 2, want[fold]));
        assert_ok(train_fold(session, fold, (uint32_t)fold, NULL, NULL, test_path("fold.safetensors")));
        read_filters(test_path("fold.safetensors"), got);
        assert_memory_equal(got, want[fold], sizeof got);
        for (int other = 0; other < fold; other++)
            assert_memory_not_equal(got, want[other], sizeof got);
    }
}

static void equal_seeds_give_equal_bytes(void **state)
{
    (void)state;
    char *bytes[3];
    size_t n[3];
    for (int k = 0; k < 3; k++) {
        const char *save = test_path("again.safetensors");
        assert_ok(train_fold(session, 1, k == 2, NULL, NULL, save));
        assert_ok(us_read_file(save, &bytes[k], &n[k]));
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    assert_memory_not_equal(bytes[0], bytes[2], n[0]);
    for (int k = 0; k < 3; k++)
        free(bytes[k]);
}

/* Weights that are given, and those of a state, keep their filters, whatever the training set. */
static void what_is_given_is_not_whitened_again(void **state)
{
    (void)state;
    float given[FILTERS], got[FILTERS];
    const char *first = test_path("first.safetensors"), *second = test_path("second.safetensors");
    const char *checkpoint = test_path("state.safetensors");
    assert_ok(train_fold(session, 0, 0, NULL, NULL, first));
    read_filters(first, given);
    assert_ok(train_fold(session, 1, 0, first, checkpoint, second));
    read_filters(second, got);
    assert_memory_equal(given, got, sizeof got);
    assert_int_equal(remove(second), 0);
    assert_ok(train_fold(session, 1, 0, first, checkpoint, second));
    read_filters(second, got);
    assert_memory_equal(given, got, sizeof got);
}

static enum unseen_status train_one(void *context, int i, struct us_session *own)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/%s.%d", test_folder, (const char *)context, i);
    return train_fold(own, i, (uint32_t)i, NULL, NULL, path);
}

/* Fold models at the same time: the bytes of one after the other. */
static void concurrent_models_do_not_meet(void **state)
{
    (void)state;
    static char names[2][8] = {"alone", "beside"};
    const struct unseen_recipe recipe = fast_recipe();
    for (int k = 0; k < 2; k++) {
        struct us_workers *workers;
        const struct us_workers_task task = {
            .recipe = &recipe, .wanted = k ? FOLDS : 1, .models = FOLDS, .steps = 4};
        assert_ok(us_workers_new(test_device(), data, &task, &workers));
        assert_ok(us_workers_run(workers, FOLDS, train_one, names[k]));
        us_workers_free(workers);
    }
    for (int i = 0; i < FOLDS; i++) {
        char path[2][1100], *bytes[2];
        size_t n[2];
        for (int k = 0; k < 2; k++) {
            snprintf(path[k], sizeof path[k], "%s/%s.%d", test_folder, names[k], i);
            assert_ok(us_read_file(path[k], &bytes[k], &n[k]));
        }
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(bytes[0], bytes[1], n[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
}

/* Images without any variance: eigenvalues of 0, and batches that batch norm divides by nothing but eps. */
static void constant_images_stay_finite(void **state)
{
    (void)state;
    static uint8_t pixels[N][SIZE * SIZE * 3];
    const struct unseen_recipe recipe = fast_recipe();
    struct us_session *own;
    struct unseen_dataset constant = *data;
    struct unseen_reader reader = *data->reader;
    float filters[FILTERS];
    memset(pixels, 90, sizeof pixels);
    reader.pixels[UNSEEN_TRAIN] = reader.pixels[UNSEEN_TEST] = pixels[0];
    constant.reader = &reader;
    assert_ok(us_session_new(test_device(), &constant, &recipe, &own));
    assert_ok(train_fold(own, 0, 0, NULL, NULL, test_path("constant.safetensors")));
    us_session_free(own);
    read_filters(test_path("constant.safetensors"), filters);
    for (int i = 0; i < FILTERS; i++)
        assert_true(isfinite(filters[i]));
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_are_of_the_training_set_and_stay),
        cmocka_unit_test(equal_seeds_give_equal_bytes),
        cmocka_unit_test(what_is_given_is_not_whitened_again),
        cmocka_unit_test(concurrent_models_do_not_meet),
        cmocka_unit_test(constant_images_stay_finite),
    };
    return RUN_TESTS(tests, begin, test_drawn_end);
}
