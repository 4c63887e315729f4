/* Training on pictures of many sizes that are decoded as they are needed: the same bits however they come. */
#include "config.h"

#include "support/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "loader/decoders.h"
#include "loader/reading.h"
#include "nn/gradient.h"
#include "nn/session.h"
#include "nn/workers.h"
#include "support/fake_reader.h"
#include "support/folder.h"

enum { EPOCHS = 3, MODELS = 4, HELDOUT = PICTURES / MODELS };

static int begin(void **state)
{
    pictures_reset();
    us_images_ahead_limit(7);
    return test_folder_make(state);
}

static int reset(void **state)
{
    (void)state;
    pictures_reset();
    return 0;
}

static struct unseen_recipe recipe_of(enum unseen_crop crop, enum unseen_cache cache)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    strcpy(recipe.model, "convnet3");
    recipe.width = 4;
    recipe.epochs = EPOCHS;
    recipe.batch = 8;
    recipe.size[0] = recipe.size[1] = PICTURE;
    recipe.pad = 1;
    recipe.crop = crop;
    recipe.cache = cache;
    return recipe;
}

/* All that a run says: what its models recorded, epoch by epoch. */
struct result {
    float trained[MODELS][EPOCHS][PICTURES], heldout[MODELS][EPOCHS][HELDOUT];
    double test[MODELS];
};

struct model {
    struct result *result;
    const struct unseen_sampler *sampler; /* NULL: all */
    int number;
    int stop_at, bad_at; /* the epoch after which the user interrupts, or a file goes bad; 0: never */
};

static enum unseen_status note(void *context, const struct unseen_epoch *epoch,
                               const struct us_sample_stats *trained, const struct us_sample_stats *heldout,
                               const struct us_sample_stats *probe)
{
    const struct model *model = context;
    const int e = epoch->epoch;
    (void)probe;
    for (int64_t i = 0; i < trained->n; i++)
        model->result->trained[model->number][e][trained->samples[i]] =
            trained->value[UNSEEN_LOSS * trained->n + i];
    memcpy(model->result->heldout[model->number][e], heldout->value + UNSEEN_LOSS * heldout->n,
           sizeof model->result->heldout[0][0]);
    model->result->test[model->number] = epoch->test_loss;
    if (model->stop_at && e + 1 == model->stop_at)
        unseen_interrupt();
    if (model->bad_at && e + 1 == model->bad_at)
        atomic_store(&picture_bad, 17);
    return UNSEEN_OK;
}

/* A fold model. */
static enum unseen_status train(struct us_session *session, const struct unseen_recipe *recipe,
                                struct model *model, const char *state)
{
    int64_t samples[PICTURES], heldout[HELDOUT];
    int n = 0, n_heldout = 0;
    for (int i = 0; i < PICTURES; i++) {
        if (i % MODELS == model->number)
            heldout[n_heldout++] = i;
        else
            samples[n++] = i;
    }
    const struct us_train_job job = {.recipe = recipe,
                                     .sampler = model->sampler,
                                     .seed = 3,
                                     .model = (uint32_t)model->number,
                                     .train = samples,
                                     .n_train = n,
                                     .heldout = heldout,
                                     .n_heldout = n_heldout,
                                     .test = true,
                                     .state = state,
                                     .on_epoch = note,
                                     .context = model};
    return us_train(session, &job, NULL, NULL);
}

static void train_one(const struct unseen_recipe *recipe, struct result *result)
{
    struct us_session *session;
    struct model model = {.result = result};
    assert_ok(us_session_new(test_device(), &pictures, recipe, &session));
    assert_ok(train(session, recipe, &model, NULL));
    us_session_free(session);
}

static int count_reads(void)
{
    int reads = 0;
    for (int i = 0; i < PICTURES; i++)
        reads += atomic_load(&picture_reads[i]);
    return reads;
}

/* Resident on the device, kept in memory, decoded in every epoch: one result, for each crop. */
static void where_images_lie_changes_nothing(void **state)
{
    (void)state;
    static struct result result[3];
    static const enum unseen_crop crops[] = {UNSEEN_CROP_PAD, UNSEEN_CROP_NONE, UNSEEN_CROP_RESIZED};
    for (int k = 0; k < 3; k++) {
        struct unseen_recipe recipe = recipe_of(crops[k], UNSEEN_CACHE_AUTO);
        memset(result, 0, sizeof result);
        train_one(&recipe, &result[0]);
        const uint64_t limit = us_device_memory(test_device()).limit;
        us_device_limit(test_device(), 8192); /* pixels take 11520 */
        unseen_log_level_set(UNSEEN_LOG_ERROR);
        for (int cached = 0; cached < 2; cached++) {
            struct us_session *session;
            struct model model = {.result = &result[1 + cached]};
            reset(state);
            recipe.cache = cached ? UNSEEN_CACHE_MEMORY : UNSEEN_CACHE_OFF;
            us_device_limit(test_device(), 8192);
            assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
            us_device_limit(test_device(), limit);
            assert_true(us_session_streams(session));
            assert_ok(train(session, &recipe, &model, NULL));
            us_session_free(session);
            assert_memory_equal(&result[0], &result[1 + cached], sizeof result[0]);
            if (recipe.crop == UNSEEN_CROP_RESIZED)
                assert_int_equal(count_reads(),
                                 (PICTURES - HELDOUT) * EPOCHS + HELDOUT * (cached ? 1 : EPOCHS));
            else
                assert_int_equal(count_reads(), PICTURES * (cached ? 1 : EPOCHS));
        }
        unseen_log_level_set(UNSEEN_LOG_INFO);
    }
}

struct gang_run {
    struct unseen_recipe recipe;
    const struct unseen_sampler *sampler;
    struct result result;
};

static enum unseen_status train_fold(void *context, int i, struct us_session *session)
{
    struct gang_run *run = context;
    struct model model = {.result = &run->result, .sampler = run->sampler, .number = i};
    return train(session, &run->recipe, &model, NULL);
}

/* Fold models side by side: the bits of one after the other, and each image decoded once an epoch for all. */
static void concurrent_models_share_what_is_decoded(void **state)
{
    (void)state;
    static struct gang_run run[2];
    for (int k = 0; k < 2; k++) {
        struct us_workers *workers;
        reset(state);
        run[k].recipe = recipe_of(UNSEEN_CROP_RESIZED, UNSEEN_CACHE_MEMORY);
        const struct us_workers_task task = {
            .recipe = &run[k].recipe, .wanted = k ? MODELS : 1, .models = MODELS, .steps = 10};
        assert_ok(us_workers_new(test_device(), &pictures, &task, &workers));
        assert_int_equal(us_workers_size(workers), k ? MODELS : 1);
        assert_ok(us_workers_run(workers, MODELS, train_fold, &run[k]));
        us_workers_free(workers);
        /* What is held out is decoded once and kept. */
        assert_int_equal(count_reads(), (k ? PICTURES : MODELS * (PICTURES - HELDOUT)) * EPOCHS + PICTURES);
    }
    assert_memory_equal(&run[0].result, &run[1].result, sizeof run[0].result);
    assert_memory_not_equal(run[0].result.trained[0], run[0].result.trained[1],
                            sizeof run[0].result.trained[0]);
}

/* Each by itself: side by side too a model decodes what its sampler takes, and gets the bits that it gets
 * alone. */
static void sampled_models_share_nothing(void **state)
{
    (void)state;
    static struct gang_run run[2];
    const struct unseen_sampler rs2 = {"rs2", 0.2};
    for (int k = 0; k < 2; k++) {
        struct us_workers *workers;
        reset(state);
        run[k].recipe = recipe_of(UNSEEN_CROP_RESIZED, UNSEEN_CACHE_MEMORY);
        run[k].sampler = &rs2;
        const struct us_workers_task task = {
            .recipe = &run[k].recipe, .wanted = k ? MODELS : 1, .models = MODELS, .steps = 10};
        assert_ok(us_workers_new(test_device(), &pictures, &task, &workers));
        assert_ok(us_workers_run(workers, MODELS, train_fold, &run[k]));
        us_workers_free(workers);
        assert_int_equal(count_reads(), MODELS * (PICTURES - HELDOUT) / 5 * EPOCHS + PICTURES);
    }
    assert_memory_equal(&run[0].result, &run[1].result, sizeof run[0].result);
}

/* Stopped after an epoch, and gone on with. */
static void check_going_on(const struct unseen_sampler *sampler, const char *checkpoint)
{
    static struct result whole, broken;
    const struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_RESIZED, UNSEEN_CACHE_AUTO);
    struct us_session *session;
    struct model all = {.result = &whole, .sampler = sampler};
    struct model model = {.result = &broken, .sampler = sampler, .stop_at = 1};
    memset(&whole, 0, sizeof whole);
    memset(&broken, 0, sizeof broken);
    assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
    assert_ok(train(session, &recipe, &all, NULL));
    assert_fails(UNSEEN_INTERRUPTED, "1 of 3", train(session, &recipe, &model, checkpoint));
    unseen_interrupt_clear();
    model.stop_at = 0;
    assert_ok(train(session, &recipe, &model, checkpoint));
    assert_memory_equal(&whole, &broken, sizeof whole);
    us_session_free(session);
}

static void runs_go_on(void **state)
{
    (void)state;
    const struct unseen_sampler rs2 = {"rs2", 0.5}, infobatch = {"infobatch", 0.5};
    check_going_on(NULL, test_path("stopped.safetensors"));
    check_going_on(&rs2, test_path("rs2.safetensors"));
    check_going_on(&infobatch, test_path("infobatch.safetensors"));
}

/* A file that cannot be read any more ends the run by its name; the checkpoint is that of the epoch before.
 */
static void a_file_that_vanishes_is_named(void **state)
{
    (void)state;
    static struct result whole, broken;
    for (int crop = UNSEEN_CROP_PAD; crop <= UNSEEN_CROP_RESIZED; crop++) {
        const struct unseen_recipe recipe = recipe_of(crop, UNSEEN_CACHE_OFF);
        struct us_session *session;
        struct model model = {.result = &broken, .bad_at = 1};
        const char *checkpoint =
            test_path(crop == UNSEEN_CROP_PAD ? "pad.safetensors" : "resized.safetensors");
        const uint64_t limit = us_device_memory(test_device()).limit;
        reset(state);
        train_one(&recipe, &whole);
        unseen_log_level_set(UNSEEN_LOG_ERROR);
        us_device_limit(test_device(), 8192);
        assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
        us_device_limit(test_device(), limit);
        unseen_log_level_set(UNSEEN_LOG_INFO);
        assert_fails(UNSEEN_BAD_DATA, "pictures/bad.jpg: cannot be read",
                     train(session, &recipe, &model, checkpoint));
        atomic_store(&picture_bad, -1);
        model.bad_at = 0;
        assert_true(us_exists(checkpoint));
        assert_ok(train(session, &recipe, &model, checkpoint));
        assert_memory_equal(&whole, &broken, sizeof whole);
        us_session_free(session);
    }
}

/* One fold's failure stops the others, which wait for its share of the images. */
static void a_failure_in_a_gang_ends_all(void **state)
{
    (void)state;
    static struct gang_run run;
    struct us_workers *workers;
    run.recipe = recipe_of(UNSEEN_CROP_RESIZED, UNSEEN_CACHE_OFF);
    const struct us_workers_task task = {
        .recipe = &run.recipe, .wanted = MODELS, .models = MODELS, .steps = 10};
    assert_ok(us_workers_new(test_device(), &pictures, &task, &workers));
    atomic_store(&picture_bad, 17);
    assert_fails(UNSEEN_BAD_DATA, "pictures/bad.jpg", us_workers_run(workers, MODELS, train_fold, &run));
    atomic_store(&picture_bad, -1);
    assert_ok(us_workers_run(workers, MODELS, train_fold, &run));
    us_workers_free(workers);
}

/* Gradients of single samples take the same pixels. */
static void gradients_are_taken_of_decoded_images(void **state)
{
    (void)state;
    const struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_RESIZED, UNSEEN_CACHE_OFF);
    struct us_session *session;
    int64_t samples[PICTURES];
    float norms[2][PICTURES];
    const char *weights = test_path("weights.safetensors");
    struct us_model *model;
    for (int i = 0; i < PICTURES; i++)
        samples[i] = PICTURES - 1 - i;
    assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
    assert_ok(us_session_model(session, &recipe, PICTURES, PICTURE, &model));
    assert_ok(us_model_init(model, 1));
    assert_ok(us_model_save(model, weights));
    assert_ok(us_gradient_norms(session, &recipe, weights, samples, PICTURES, NULL, norms[0]));
    assert_int_equal(count_reads(), PICTURES);
    assert_ok(us_gradient_norms(session, &recipe, weights, samples + 9, 1, NULL, &norms[1][9]));
    assert_true(norms[0][9] == norms[1][9] && norms[0][8] != norms[0][9]);
    us_session_free(session);
}

static void what_does_not_go_together_is_refused(void **state)
{
    (void)state;
    struct us_session *session;
    struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_PAD, UNSEEN_CACHE_AUTO);
    recipe.resize = 9;
    recipe.size[0] = recipe.size[1] = 10;
    assert_fails(UNSEEN_USAGE, "--resize: 9 is less than --size, 10",
                 us_session_new(test_device(), &pictures, &recipe, &session));
    recipe.resize = 0;
    recipe.pad = 10;
    assert_fails(UNSEEN_USAGE, "--pad: 10 is too large", us_recipe_check_on(&recipe, &pictures));
    recipe.crop = UNSEEN_CROP_RESIZED;
    assert_ok(us_recipe_check_on(&recipe, &pictures));
    recipe.size[0] = recipe.size[1] = 4;
    assert_fails(UNSEEN_USAGE, "--size", us_recipe_check_on(&recipe, &pictures));
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(where_images_lie_changes_nothing, reset),
        cmocka_unit_test_setup(concurrent_models_share_what_is_decoded, reset),
        cmocka_unit_test_setup(sampled_models_share_nothing, reset),
        cmocka_unit_test_setup(runs_go_on, reset),
        cmocka_unit_test_setup(a_file_that_vanishes_is_named, reset),
        cmocka_unit_test_setup(a_failure_in_a_gang_ends_all, reset),
        cmocka_unit_test_setup(gradients_are_taken_of_decoded_images, reset),
        cmocka_unit_test_setup(what_does_not_go_together_is_refused, reset),
    };
    return RUN_TESTS(tests, begin, test_folder_remove);
}
