/* Training on images that grow, and evaluation at a size of its own. */
#include "config.h"

#include "support/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "loader/images.h"
#include "nn/fingerprint.h"
#include "nn/model_copy.h"
#include "nn/model_parts.h"
#include "nn/session.h"
#include "nn/workers.h"
#include "support/fake_reader.h"
#include "support/folder.h"

/* Epochs 0 and 1 take the first size, 2 and 3 the last. */
enum { EPOCHS = 4, MODELS = 2, HELDOUT = PICTURES / MODELS, FIRST = 32, LAST = 64, TEST = 48 };

static atomic_int reads[LAST + 1]; /* by size */

static enum unseen_status count_read(const struct unseen_dataset *dataset, struct us_scratch *scratch,
                                     enum unseen_split split, int64_t i, const struct us_crop *crop,
                                     int height, int width, uint8_t *pixels)
{
    atomic_fetch_add(&reads[height], 1);
    return picture_read(dataset, scratch, split, i, crop, height, width, pixels);
}

static int begin(void **state)
{
    picture_reader.read = count_read;
    us_images_ahead_limit(7);
    return test_folder_make(state);
}

static int reset(void **state)
{
    (void)state;
    pictures_reset();
    memset(reads, 0, sizeof reads);
    return 0;
}

static struct unseen_recipe recipe_of(enum unseen_crop crop, enum unseen_cache cache)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    strcpy(recipe.model, "resnet10");
    recipe.width = 2;
    recipe.epochs = EPOCHS;
    recipe.batch = 16;
    recipe.size[0] = FIRST;
    recipe.size[1] = LAST;
    recipe.test_size = TEST;
    recipe.crop = crop;
    recipe.cache = cache;
    return recipe;
}

static int size_in(int first, int last, int epochs, int epoch)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    recipe.epochs = epochs;
    recipe.size[0] = first;
    recipe.size[1] = last;
    return us_input_size(&recipe, &pictures, epoch);
}

static void sizes_by_epoch(void **state)
{
    (void)state;
    for (int epoch = 0; epoch < 16; epoch++)
        assert_int_equal(size_in(160, 192, 16, epoch), epoch <= 11 ? 160 : 192);
    for (int epoch = 0; epoch < 88; epoch++) /* from 65 to 76 */
        assert_int_equal(size_in(128, 192, 88, epoch), epoch <= 67 ? 128 : epoch <= 73 ? 160 : 192);
    for (int epochs = 1; epochs < 200; epochs++) {
        int before = epochs > 1 ? 8 : 1000;
        for (int epoch = 0; epoch < epochs; epoch++) {
            const int size = size_in(8, 1000, epochs, epoch);
            assert_true(size >= before && size <= 1000 && size % US_SIZE_STEP == 8);
            before = size;
        }
        assert_int_equal(before, 1000);
        assert_int_equal(size_in(8, 1000, epochs, 0), epochs > 1 ? 8 : 1000);
    }
    assert_int_equal(size_in(0, 0, 16, 15), 224);
}

static void sizes_of_a_recipe(void **state)
{
    (void)state;
    int size[US_SIZES_MOST];
    struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_AUTO, UNSEEN_CACHE_AUTO);
    struct us_image_input input;
    assert_int_equal(us_input_sizes(&recipe, &pictures, size), 3);
    assert_true(size[0] == TEST && size[1] == FIRST && size[2] == LAST);
    recipe.stop_after = 1; /* a run may be prolonged */
    assert_int_equal(us_input_sizes(&recipe, &pictures, size), 3);
    recipe.test_size = 0;
    assert_int_equal(us_input_sizes(&recipe, &pictures, size), 2);
    assert_true(size[0] == LAST && size[1] == FIRST);
    recipe.size[0] = 8;
    recipe.size[1] = 1000;
    recipe.test_size = 1024;
    recipe.epochs = 1000;
    assert_int_equal(us_input_sizes(&recipe, &pictures, size), US_SIZES_MOST);
    recipe.size[0] = 160;
    recipe.size[1] = 192;
    recipe.test_size = 256;
    assert_ok(us_input_of(&recipe, &pictures, 256, &input));
    assert_true(input.resized && input.resize == 293);
    recipe.crop = UNSEEN_CROP_NONE;
    recipe.resize = 320; /* and in training as much of the picture */
    assert_ok(us_input_of(&recipe, &pictures, 160, &input));
    assert_true(!input.resized && input.resize == 200);
}

/* All that a run says: what its models recorded, epoch by epoch. */
struct result {
    float trained[MODELS][EPOCHS][PICTURES], heldout[MODELS][EPOCHS][HELDOUT];
    double test[MODELS];
    uint64_t parameters[MODELS];
};

struct model {
    struct result *result;
    int number, stop_at; /* the epoch after which the user interrupts; 0: never */
    int epochs;          /* that were run */
};

static enum unseen_status note(void *context, const struct unseen_epoch *epoch,
                               const struct us_sample_stats *trained, const struct us_sample_stats *heldout,
                               const struct us_sample_stats *probe)
{
    struct model *model = context;
    struct result *result = model->result;
    const int e = epoch->epoch;
    (void)probe;
    for (int64_t i = 0; i < trained->n; i++)
        result->trained[model->number][e][trained->samples[i]] = trained->value[UNSEEN_LOSS * trained->n + i];
    memcpy(result->heldout[model->number][e], heldout->value + UNSEEN_LOSS * heldout->n,
           sizeof result->heldout[0][0]);
    result->test[model->number] = epoch->test_loss;
    model->epochs++;
    if (model->stop_at && e + 1 == model->stop_at)
        unseen_interrupt();
    return UNSEEN_OK;
}

static uint64_t hash_of(struct us_model *model)
{
    struct us_model_copy copy;
    uint64_t sum = US_HASH_START;
    assert_ok(us_model_copy_read(model, &copy));
    for (int i = 0; i < copy.n; i++)
        sum = us_hash(sum, copy.values[i], copy.count[i] * sizeof(float));
    sum = us_hash(sum, &copy.batches, sizeof copy.batches);
    us_model_copy_free(&copy);
    return sum;
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
    const enum unseen_status st = us_train(session, &job, NULL, NULL);
    if (!st)
        model->result->parameters[model->number] = hash_of(session->model);
    return st;
}

static void train_one(const struct unseen_recipe *recipe, struct result *result)
{
    struct us_session *session;
    struct model model = {.result = result};
    assert_ok(us_session_new(test_device(), &pictures, recipe, &session));
    assert_ok(train(session, recipe, &model, NULL));
    us_session_free(session);
}

/* Training takes the epoch's size, held-out samples and the test split their own; where images lie changes
 * nothing. */
static void each_pass_takes_its_size(void **state)
{
    (void)state;
    static struct result streamed, kept, plain;
    for (int crop = UNSEEN_CROP_PAD; crop <= UNSEEN_CROP_RESIZED; crop++) {
        const int trained = (PICTURES - HELDOUT) * EPOCHS / 2;
        struct unseen_recipe recipe = recipe_of(crop, UNSEEN_CACHE_OFF);
        const uint64_t limit = us_device_memory(test_device()).limit;
        struct us_session *session;
        struct model model = {.result = &streamed};
        reset(state);
        us_device_limit(test_device(), 65536);
        unseen_log_level_set(UNSEEN_LOG_ERROR);
        assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
        unseen_log_level_set(UNSEEN_LOG_INFO);
        us_device_limit(test_device(), limit);
        assert_ok(train(session, &recipe, &model, NULL));
        us_session_free(session);
        assert_int_equal(reads[FIRST], trained);
        assert_int_equal(reads[LAST], trained);
        assert_int_equal(reads[TEST], (HELDOUT + PICTURES / 2) * EPOCHS);
        recipe.cache = UNSEEN_CACHE_MEMORY;
        train_one(&recipe, &kept);
        assert_memory_equal(&streamed, &kept, sizeof kept);
        recipe.test_size = 0;
        train_one(&recipe, &plain);
        assert_memory_equal(streamed.trained, plain.trained, sizeof plain.trained);
        assert_true(streamed.parameters[0] == plain.parameters[0] && streamed.test[0] != plain.test[0]);
    }
}

static void runs_go_on(void **state)
{
    (void)state;
    static struct result whole, broken;
    struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_RESIZED, UNSEEN_CACHE_AUTO);
    struct us_session *session;
    struct model model = {.result = &broken};
    const char *checkpoint = test_path("stopped.safetensors");
    train_one(&recipe, &whole);
    assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
    for (model.stop_at = 1; model.stop_at < EPOCHS; model.stop_at++) {
        assert_fails(UNSEEN_INTERRUPTED, "of 4 epochs", train(session, &recipe, &model, checkpoint));
        unseen_interrupt_clear();
    }
    model.stop_at = 0;
    assert_ok(train(session, &recipe, &model, checkpoint));
    assert_int_equal(model.epochs, EPOCHS);
    assert_memory_equal(&whole, &broken, sizeof whole);
    recipe.size[0] = LAST;
    assert_fails(UNSEEN_USAGE, "it has \"size 32..64\", this run \"size 64\"",
                 train(session, &recipe, &model, checkpoint));
    us_session_free(session);
}

struct gang_run {
    struct unseen_recipe recipe;
    struct result result;
};

static enum unseen_status train_fold(void *context, int i, struct us_session *session)
{
    struct gang_run *run = context;
    struct model model = {.result = &run->result, .number = i};
    return train(session, &run->recipe, &model, NULL);
}

static void models_side_by_side_are_those_one_by_one(void **state)
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
        assert_int_equal(reads[FIRST], PICTURES * EPOCHS / 2);
        assert_int_equal(reads[LAST], PICTURES * EPOCHS / 2);
    }
    assert_memory_equal(&run[0].result, &run[1].result, sizeof run[0].result);
}

static void no_bit_changes_between_sizes(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_RESIZED, UNSEEN_CACHE_OFF);
    const enum unseen_precision precisions[] = {UNSEEN_FLOAT32, UNSEEN_F16};
    for (int k = 0; k < 2; k++) {
        struct us_session *session;
        struct us_model *model;
        recipe.precision = precisions[k];
        assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
        assert_ok(us_session_models(session, &recipe, PICTURES, &model));
        assert_int_equal(model->spec.height, TEST);
        assert_ok(us_model_init(model, 5));
        model->batches = 7;
        const uint64_t before = hash_of(model);
        assert_ok(us_session_resize(session, &recipe, TEST, &model));
        assert_int_equal(model->spec.height, TEST);
        assert_ok(us_session_resize(session, &recipe, LAST, &model));
        assert_int_equal(model->spec.height, LAST);
        assert_true(hash_of(model) == before);
        assert_ok(us_session_resize(session, &recipe, FIRST, &model));
        assert_true(hash_of(model) == before);
        us_session_free(session);
    }
}

/* A size that no training epoch takes has no room for training, and computes the same. */
static void evaluation_alone_takes_less(void **state)
{
    (void)state;
    enum { N = 3 };
    const struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_RESIZED, UNSEEN_CACHE_OFF);
    static float input[N * TEST * TEST * 3];
    float logits[2][N * 2];
    uint64_t bytes[2];
    for (size_t i = 0; i < sizeof input / sizeof *input; i++)
        input[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    for (int evaluates = 0; evaluates < 2; evaluates++) {
        struct us_model_spec spec = us_spec_of(&recipe, &pictures, TEST);
        struct us_model *model;
        assert_true(spec.evaluates);
        assert_false(us_spec_of(&recipe, &pictures, FIRST).evaluates);
        spec.evaluates = evaluates;
        assert_ok(us_model_memory(test_device(), &spec, &bytes[evaluates]));
        const uint64_t used = us_device_memory(test_device()).used;
        assert_ok(us_model_new(test_device(), &spec, &model));
        assert_int_equal(us_device_memory(test_device()).used - used, bytes[evaluates]);
        assert_ok(us_model_init(model, 5));
        assert_ok(us_write(test_device(), us_model_input(model), 0, input, sizeof input));
        assert_ok(us_model_forward(model, N, false));
        assert_ok(us_read(test_device(), us_model_logits(model), 0, logits[evaluates], sizeof logits[0]));
        if (evaluates)
            assert_fails(UNSEEN_USAGE, "not built for training", us_model_forward(model, N, true));
        us_model_free(model);
    }
    assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
    assert_true(2 * bytes[1] < bytes[0]);
}

/* The largest size counts, and lacks room before the first epoch, not after half of them. */
static void memory_is_that_of_the_largest(void **state)
{
    (void)state;
    static struct result result;
    const struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_RESIZED, UNSEEN_CACHE_OFF);
    const uint64_t limit = us_device_memory(test_device()).limit;
    struct model model = {.result = &result};
    struct us_session *session;
    uint64_t most, first;
    assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
    const struct us_model_spec spec = us_spec_of(&recipe, &pictures, FIRST);
    assert_ok(us_model_memory(test_device(), &spec, &first));
    assert_ok(us_session_model_memory(session, &recipe, PICTURES, &most));
    assert_true(most > 2 * first);
    us_device_limit(test_device(), us_device_memory(test_device()).used + most - 1);
    assert_fails(UNSEEN_FAILED, "of device memory", train(session, &recipe, &model, NULL));
    assert_int_equal(model.epochs, 0);
    us_device_limit(test_device(), limit);
    us_session_free(session);
}

static void what_does_not_go_together_is_refused(void **state)
{
    (void)state;
    static struct result result;
    struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_PAD, UNSEEN_CACHE_AUTO);
    struct model model = {.result = &result};
    struct us_session *session;
    assert_ok(us_recipe_check_on(&recipe, &pictures));
    assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
    recipe.size[0] = recipe.size[1] = 16;
    assert_fails(UNSEEN_FAILED, "takes no model for 16", train(session, &recipe, &model, NULL));
    us_session_free(session);
    recipe.size[1] = 63;
    assert_fails(UNSEEN_USAGE, "--size: from 16 to 63 are no whole steps of 32",
                 unseen_recipe_check(&recipe));
    assert_string_equal(unseen_last_hint(), "--size 16..48 would be");
    recipe.size[1] = 30;
    assert_fails(UNSEEN_USAGE, "--size", unseen_recipe_check(&recipe));
    assert_string_equal(unseen_last_hint(), "--size 16..48 would be");
    recipe.size[1] = 8;
    assert_fails(UNSEEN_USAGE, "--size: 16..8 does not ascend", unseen_recipe_check(&recipe));
    recipe.size[1] = 80;
    assert_fails(UNSEEN_USAGE, "resnet10 has other parameters for images of 80 pixels than for 48",
                 us_recipe_check_on(&recipe, &pictures));
    recipe.size[0] = 16;
    recipe.size[1] = 48;
    recipe.test_size = 0;
    strcpy(recipe.model, "convnet3");
    assert_fails(UNSEEN_USAGE, "--size: convnet3 has other parameters",
                 us_recipe_check_on(&recipe, &pictures));
    assert_non_null(strstr(unseen_last_hint(), "the mean over all pixels"));
    strcpy(recipe.model, "resnet10");
    recipe.test_size = 32;
    recipe.resize = 31;
    assert_fails(UNSEEN_USAGE, "--resize: 31 is less than --test-size, 32",
                 us_recipe_check_on(&recipe, &pictures));
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sizes_by_epoch, reset),
        cmocka_unit_test_setup(sizes_of_a_recipe, reset),
        cmocka_unit_test_setup(each_pass_takes_its_size, reset),
        cmocka_unit_test_setup(runs_go_on, reset),
        cmocka_unit_test_setup(models_side_by_side_are_those_one_by_one, reset),
        cmocka_unit_test_setup(no_bit_changes_between_sizes, reset),
        cmocka_unit_test_setup(evaluation_alone_takes_less, reset),
        cmocka_unit_test_setup(memory_is_that_of_the_largest, reset),
        cmocka_unit_test_setup(what_does_not_go_together_is_refused, reset),
    };
    return RUN_TESTS(tests, begin, test_folder_remove);
}
