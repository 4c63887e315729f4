/* Training runs: what they leave, how they go on, what is refused. */
#include "config.h"

#include "support/quadrants.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "nn/session.h"

/* What a run's callback saw, all epochs one after another. */
struct seen {
    int calls, tests, interrupt_at;
    float trained[8][UNSEEN_N_ALWAYS][N - 40], heldout[8][UNSEEN_N_ALWAYS][40];
};

static enum unseen_status watch(void *context, const struct unseen_epoch *epoch,
                                const struct us_sample_stats *trained, const struct us_sample_stats *heldout,
                                const struct us_sample_stats *probe)
{
    struct seen *seen = context;
    seen->calls++;
    assert_int_equal(trained->n, N - 40);
    assert_int_equal(probe->n, 0);
    assert_int_equal(heldout->n, 40);
    assert_ptr_equal(heldout->samples, everyone + N - 40);
    memcpy(seen->trained[epoch->epoch], trained->value, sizeof seen->trained[0]);
    memcpy(seen->heldout[epoch->epoch], heldout->value, sizeof seen->heldout[0]);
    if (seen->calls == seen->interrupt_at)
        unseen_interrupt();
    return UNSEEN_OK;
}

static struct seen whole, broken;

/* Tests come with their samples, and the history has their mean. */
static enum unseen_status watch_test(void *context, const struct unseen_epoch *epoch,
                                     const struct us_sample_stats *tested)
{
    struct seen *seen = context;
    double right = 0;
    for (int64_t i = 0; i < tested->n; i++) {
        assert_int_equal(tested->samples[i], i);
        right += (double)tested->value[UNSEEN_CORRECT * tested->n + i];
    }
    assert_float_equal(right / (double)tested->n, epoch->test_accuracy, 1e-12);
    seen->tests++;
    return UNSEEN_OK;
}

static struct unseen_epoch *whole_history;

static void loss_falls(void **state)
{
    (void)state;
    int epochs;
    struct unseen_recipe recipe = recipe_of(4);
    struct us_train_job job = job_of(&recipe, NULL);
    job.on_epoch = watch;
    job.on_test = watch_test;
    job.context = &whole;
    job.save = test_path("whole.safetensors");
    assert_ok(us_train(session, &job, &whole_history, &epochs));
    assert_int_equal(epochs, 4);
    assert_int_equal(whole.calls, 4);
    assert_int_equal(whole.tests, 4);
    const struct unseen_epoch *first = &whole_history[0], *last = &whole_history[3];
    assert_true(last->train_loss < 0.7 * first->train_loss);
    assert_true(last->train_accuracy > 0.8);
    assert_true(last->heldout_accuracy > 0.6);
    assert_true(last->test_accuracy > 0.6);
    assert_float_equal(last->lr, us_schedule_lr(&recipe, 19, 20), 1e-9);
    /* The records belong to their samples: probabilities and losses agree, and so do the means. */
    double loss = 0;
    for (int i = 0; i < N - 40; i++) {
        assert_float_equal(exp(-(double)whole.trained[3][UNSEEN_LOSS][i]), whole.trained[3][UNSEEN_P_TRUE][i],
                           1e-5);
        loss += (double)whole.trained[3][UNSEEN_LOSS][i] / (N - 40);
    }
    assert_float_equal(loss, last->train_loss, 1e-6);
}

/* Everything but the seconds. */
static void assert_same_history(const struct unseen_epoch *a, const struct unseen_epoch *b, int epochs)
{
    for (int e = 0; e < epochs; e++) {
        assert_int_equal(a[e].epoch, b[e].epoch);
        assert_memory_equal(&a[e].lr, &b[e].lr,
                            offsetof(struct unseen_epoch, seconds) - offsetof(struct unseen_epoch, lr));
    }
}

/* Interrupted after two epochs and run again: the bits of the unbroken run. */
static void goes_on_bit_for_bit(void **state)
{
    (void)state;
    struct unseen_epoch *history;
    int epochs;
    struct unseen_recipe recipe = recipe_of(4);
    struct us_train_job job = job_of(&recipe, test_path("state.safetensors"));
    job.on_epoch = watch;
    job.context = &broken;
    broken.interrupt_at = 2;
    assert_fails(UNSEEN_INTERRUPTED, "2 of 4", us_train(session, &job, &history, &epochs));
    unseen_interrupt_clear();
    job.save = test_path("broken.safetensors");
    assert_ok(us_train(session, &job, &history, &epochs));
    assert_int_equal(broken.calls, 4);
    assert_int_equal(epochs, 4);
    assert_same_history(history, whole_history, 4);
    free(history);
    assert_memory_equal(whole.trained, broken.trained, sizeof whole.trained);
    assert_memory_equal(whole.heldout, broken.heldout, sizeof whole.heldout);
    assert_same_bytes(test_path("whole.safetensors"), job.save);
    /* A finished state returns at once, and makes the weights again if they have gone. */
    assert_int_equal(remove(job.save), 0);
    assert_ok(us_train(session, &job, &history, &epochs));
    assert_int_equal(broken.calls, 4);
    assert_same_history(history, whole_history, 4);
    assert_same_bytes(test_path("whole.safetensors"), job.save);
    free(history);
}

static void other_settings_are_refused(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of(4);
    struct us_train_job job = job_of(&recipe, test_path("state.safetensors"));
    job.seed = 4;
    assert_fails(UNSEEN_USAGE, "it has \"seed 3\", this run \"seed 4\"", us_train(session, &job, NULL, NULL));
    job.seed = 3;
    job.n_train--;
    assert_fails(UNSEEN_USAGE, "state.safetensors", us_train(session, &job, NULL, NULL));
    job.n_train++;
    if (!us_device_precision(test_device(), UNSEEN_BF16)) {
        recipe.precision = UNSEEN_BF16;
        assert_fails(UNSEEN_USAGE, "this run \"precision bf16\"", us_train(session, &job, NULL, NULL));
        recipe.precision = UNSEEN_FLOAT32;
    }
    recipe.width = 9;
    assert_fails(UNSEEN_USAGE, "width 9", us_train(session, &job, NULL, NULL));
    recipe.width = 8; /* which builds the model anew, now with other convolutions */
    assert_int_equal(setenv("UNSEEN_CONV", us_device_is_cpu(test_device()) ? "im2col" : "direct", 1), 0);
    assert_fails(UNSEEN_USAGE, "it has \"convolutions", us_train(session, &job, NULL, NULL));
    assert_non_null(strstr(unseen_last_hint(), "UNSEEN_TUNING=0"));
    unsetenv("UNSEEN_CONV");
    recipe.width = 9;
    assert_fails(UNSEEN_USAGE, "width 9", us_train(session, &job, NULL, NULL));
    recipe.width = 8;
    recipe.stop_after = 3;
    assert_fails(UNSEEN_USAGE, "4 epochs already", us_train(session, &job, NULL, NULL));
}

/* A file cut short, or with a bit turned over, is not gone on from. */
static void torn_states_begin_again(void **state)
{
    (void)state;
    struct unseen_epoch *history;
    int epochs;
    char *bytes;
    size_t size;
    struct unseen_recipe recipe = recipe_of(4);
    struct us_train_job job = job_of(&recipe, test_path("torn.safetensors"));
    assert_ok(us_read_file(test_path("state.safetensors"), &bytes, &size));
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    for (int k = 0; k < 2; k++) {
        bytes[size - 100] ^= 1;
        assert_ok(us_write_file(job.state, bytes, k ? size : size / 2));
        bytes[size - 100] ^= (char)!k;
        broken.calls = broken.interrupt_at = 0;
        job.on_epoch = watch;
        job.context = &broken;
        assert_ok(us_train(session, &job, &history, &epochs));
        assert_int_equal(broken.calls, 4);
        assert_same_history(history, whole_history, 4);
        free(history);
    }
    unseen_log_level_set(UNSEEN_LOG_INFO);
    free(bytes);
}

/* stop_after ends early without shortening the schedule, and can be prolonged. */
static void stops_early_and_goes_on(void **state)
{
    (void)state;
    struct unseen_epoch *history;
    int epochs;
    struct unseen_recipe recipe = recipe_of(4);
    recipe.stop_after = 1;
    struct us_train_job job = job_of(&recipe, test_path("early.safetensors"));
    assert_ok(us_train(session, &job, &history, &epochs));
    assert_int_equal(epochs, 1);
    assert_same_history(history, whole_history, 1);
    free(history);
    recipe.stop_after = 2;
    assert_ok(us_train(session, &job, &history, &epochs));
    assert_int_equal(epochs, 2);
    assert_same_history(history, whole_history, 2);
    free(history);
}

static void models_of_a_run_differ(void **state)
{
    (void)state;
    struct unseen_epoch *history;
    int epochs;
    struct unseen_recipe recipe = recipe_of(4);
    recipe.stop_after = 1;
    struct us_train_job job = job_of(&recipe, NULL);
    job.model = 1;
    assert_ok(us_train(session, &job, &history, &epochs));
    assert_true(history->train_loss != whole_history->train_loss);
    assert_true(isfinite(history->heldout_loss));
    free(history);
    job.n_heldout = 0;
    job.test = false;
    job.model = 0;
    assert_ok(us_train(session, &job, &history, &epochs));
    assert_true(history->train_loss == whole_history->train_loss);
    assert_true(isnan(history->heldout_loss));
    assert_true(isnan(history->test_accuracy));
    free(history);
}

/* Pixels that do not fit beside models stay in host memory: the bits of a run where they do. */
static void streamed_pixels_change_nothing(void **state)
{
    (void)state;
    struct unseen_device *device;
    struct us_session *streaming;
    struct unseen_epoch *history;
    int epochs;
    struct unseen_recipe recipe = recipe_of(4);
    struct us_train_job job = job_of(&recipe, NULL);
    assert_ok(unseen_device_open(NULL, &device));
    uint64_t limit = us_device_memory(device).limit;
    us_device_limit(device, sizeof pixels[0]); /* the test split fits half of it */
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    assert_ok(us_session_new(device, &data, &recipe, &streaming));
    unseen_log_level_set(UNSEEN_LOG_INFO);
    us_device_limit(device, limit);
    assert_false(us_session_streams(session));
    assert_true(us_session_streams(streaming));
    assert_null(streaming->view[0].pixels[UNSEEN_TRAIN]);
    assert_non_null(streaming->view[0].pixels[UNSEEN_TEST]);
    memset(&broken, 0, sizeof broken);
    job.on_epoch = watch;
    job.context = &broken;
    job.save = test_path("streamed.safetensors");
    assert_ok(us_train(streaming, &job, &history, &epochs));
    assert_same_history(history, whole_history, 4);
    assert_memory_equal(whole.trained, broken.trained, sizeof whole.trained);
    assert_memory_equal(whole.heldout, broken.heldout, sizeof whole.heldout);
    assert_same_bytes(test_path("whole.safetensors"), job.save);
    free(history);
    us_session_free(streaming);
    unseen_device_close(device);
}

static void divergence_is_told(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of(4);
    recipe.lr = 1000.0f;
    recipe.momentum = 0.99f;
    recipe.weight_decay = 10.0f;
    struct us_train_job job = job_of(&recipe, NULL);
    assert_fails(UNSEEN_FAILED, "not finite", us_train(session, &job, NULL, NULL));
    assert_non_null(strstr(unseen_last_hint(), "--lr"));
}

static void bad_jobs_are_refused(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of(4);
    struct us_train_job job = job_of(&recipe, NULL);
    int64_t twice[] = {1, 1}, beyond[] = {N};
    job.n_train = 0;
    assert_fails(UNSEEN_USAGE, "empty", us_train(session, &job, NULL, NULL));
    job.train = twice;
    job.n_train = 2;
    assert_fails(UNSEEN_USAGE, "ascend", us_train(session, &job, NULL, NULL));
    job.train = beyond;
    job.n_train = 1;
    assert_fails(UNSEEN_USAGE, "0..199", us_train(session, &job, NULL, NULL));
    job = job_of(&recipe, NULL);
    recipe.pad = SIZE;
    assert_fails(UNSEEN_USAGE, "--pad", us_train(session, &job, NULL, NULL));
}

/* The public call: its files, a subset, a start from weights, and a second call that only reads. */
static void a_run_in_a_folder(void **state)
{
    (void)state;
    struct unseen_epoch *history;
    int epochs;
    char *text, out[1024];
    snprintf(out, sizeof out, "%s", test_path("run"));
    struct unseen_train_options options = {.recipe = recipe_of(2),
                                           .sampler = {"all", 0.5},
                                           .seed = 9,
                                           .subset = everyone + 10,
                                           .n_subset = 100,
                                           .out = out,
                                           .init = test_path("whole.safetensors"),
                                           .command = "unseen train"};
    for (int call = 0; call < 2; call++) {
        assert_ok(unseen_train(test_device(), &data, &options, &history, &epochs));
        assert_int_equal(epochs, 2);
        assert_true(history[0].train_accuracy > 0.6);
        free(history);
    }
    assert_true(us_exists(test_path("run/model.safetensors")));
    assert_ok(us_read_file(test_path("run/history.csv"), &text, NULL));
    assert_int_equal(strncmp(text, "epoch,lr,train_loss,train_accuracy,heldout_loss,", 48), 0);
    assert_non_null(strstr(text, ",,"));
    free(text);
    assert_ok(us_read_file(test_path("run/run.json"), &text, NULL));
    assert_non_null(strstr(text, "\"n\": 100"));
    assert_non_null(strstr(text, "\"images\": 200"));
    assert_non_null(strstr(text, "\"lr\": 0.05"));
    assert_non_null(strstr(text, "\"name\": \"test:quadrants\""));
    free(text);
    options.seed = 10;
    assert_fails(UNSEEN_USAGE, "seed 9", unseen_train(test_device(), &data, &options, NULL, NULL));
    assert_int_equal(remove(test_path("run/state.safetensors")), 0);
    assert_fails(UNSEEN_USAGE, "another run", unseen_train(test_device(), &data, &options, NULL, NULL));
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_falls),
        cmocka_unit_test(goes_on_bit_for_bit),
        cmocka_unit_test(other_settings_are_refused),
        cmocka_unit_test(torn_states_begin_again),
        cmocka_unit_test(stops_early_and_goes_on),
        cmocka_unit_test(models_of_a_run_differ),
        cmocka_unit_test(streamed_pixels_change_nothing),
        cmocka_unit_test(divergence_is_told),
        cmocka_unit_test(bad_jobs_are_refused),
        cmocka_unit_test(a_run_in_a_folder),
    };
    int failed = RUN_TESTS(tests, test_quadrants, test_quadrants_end);
    free(whole_history);
    return failed;
}
