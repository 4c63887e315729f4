#include "config.h"

#include "support/drawn.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/gradient.h"
#include "nn/session.h"
#include "nn/workers.h"

/* Crews on several devices: the same device named twice, as there is one at least. */

enum { N = 60, JOBS = 6 };

static struct unseen_device *pair;

static int set_up(void **state)
{
    char selector[32];
    int index = unseen_device_info(test_device())->index;
    snprintf(selector, sizeof selector, "%d,%d", index, index);
    return unseen_device_open(selector, &pair) ? -1 : test_drawn(state, N);
}

static int tear_down(void **state)
{
    unseen_device_close(pair);
    return test_drawn_end(state);
}

static void handles_share_the_memory_of_a_device(void **state)
{
    (void)state;
    assert_int_equal(us_device_count(test_device()), 1);
    assert_int_equal(us_device_count(pair), 2);
    struct unseen_device *second = us_device_next(pair);
    assert_null(us_device_next(second));
    assert_int_equal(us_device_memory(pair).limit, us_device_memory(second).limit);
    assert_true(us_device_memory(pair).limit * 2 <= us_device_memory(test_device()).limit);
    assert_ok(us_device_alone(test_device(), "this"));
    assert_fails(UNSEEN_USAGE, "names 2 devices; this takes one", us_device_alone(pair, "this"));
}

static const struct us_workers_task *task_of(const struct unseen_recipe *recipe, int wanted)
{
    static struct us_workers_task task;
    task = (struct us_workers_task){.recipe = recipe, .wanted = wanted, .models = JOBS, .steps = 10};
    return &task;
}

/* Who did what. */
struct log {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int done[JOBS], met;
    struct us_session *first, *second;
    float p_true[JOBS][N];
};

/* Each of the two sessions waits in its first job for the other's. */
static void meet(struct log *log, struct us_session *own)
{
    pthread_mutex_lock(&log->lock);
    if (!log->first || log->first == own)
        log->first = own;
    else
        log->second = own;
    log->met = log->first && log->second;
    pthread_cond_broadcast(&log->changed);
    while (!log->met)
        pthread_cond_wait(&log->changed, &log->lock);
    pthread_mutex_unlock(&log->lock);
}

static enum unseen_status note(void *context, int i, struct us_session *own)
{
    struct log *log = context;
    meet(log, own);
    log->done[i]++;
    return UNSEEN_OK;
}

static void both_devices_work_at_once(void **state)
{
    (void)state;
    struct us_workers *workers;
    struct unseen_recipe recipe = test_small_recipe();
    struct log log = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    assert_ok(us_workers_new(pair, data, task_of(&recipe, 1), &workers));
    assert_int_equal(us_workers_size(workers), 2);
    assert_ok(us_workers_run(workers, JOBS, note, &log));
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(log.done[i], 1);
    assert_true(log.first->device != log.second->device);
    assert_true(!log.first->borrows && !log.second->borrows);
    us_workers_free(workers);
    /* So many on each. */
    assert_ok(us_workers_new(pair, data, task_of(&recipe, 3), &workers));
    assert_int_equal(us_workers_size(workers), 6);
    us_workers_free(workers);
    assert_ok(us_workers_new(pair, data, task_of(&recipe, 0), &workers));
    assert_int_equal(us_workers_size(workers) % 2, 0);
    us_workers_free(workers);
}

static enum unseen_status keep_last(void *context, const struct unseen_epoch *epoch,
                                    const struct us_sample_stats *trained,
                                    const struct us_sample_stats *heldout,
                                    const struct us_sample_stats *probe)
{
    (void)epoch;
    (void)heldout;
    (void)probe;
    memcpy(context, trained->value + UNSEEN_P_TRUE * trained->n, N * sizeof(float));
    return UNSEEN_OK;
}

static enum unseen_status train(void *context, int i, struct us_session *own)
{
    struct log *log = context;
    struct unseen_recipe recipe = test_small_recipe();
    int64_t everyone[N];
    struct us_train_job job = {.recipe = &recipe,
                               .seed = 3,
                               .model = (uint32_t)i,
                               .train = everyone,
                               .n_train = N,
                               .on_epoch = keep_last,
                               .context = log->p_true[i]};
    for (int k = 0; k < N; k++)
        everyone[k] = k;
    return us_train(own, &job, NULL, NULL);
}

static void results_do_not_depend_on_the_device(void **state)
{
    (void)state;
    static struct log one, two;
    struct unseen_device *devices[] = {test_device(), pair};
    struct unseen_recipe recipe = test_small_recipe();
    for (int k = 0; k < 2; k++) {
        struct us_workers *workers;
        assert_ok(us_workers_new(devices[k], data, task_of(&recipe, 1 + k), &workers));
        assert_ok(us_workers_run(workers, JOBS, train, k ? &two : &one));
        us_workers_free(workers);
    }
    assert_memory_equal(one.p_true, two.p_true, sizeof one.p_true);
    assert_memory_not_equal(one.p_true[0], one.p_true[1], sizeof one.p_true[0]);
}

static int wants_all(void *context, enum us_pass_kind pass, int epoch)
{
    (void)context;
    (void)pass;
    return epoch == 1 ? US_SEE_PROBS | US_SEE_FEATURES : 0;
}

static enum unseen_status look_away(void *context, const struct us_rows *rows)
{
    (void)context;
    (void)rows;
    return UNSEEN_OK;
}

/* All that a scoring model may take from a device: every pass recorded and seen, gradients behind it. */
static enum unseen_status train_all(void *context, int i, struct us_session *own)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_workers_task *task = context;
    const struct us_observer observer = {.wants = wants_all, .see = look_away};
    char name[32];
    int64_t everyone[N];
    float norms[2];
    for (int k = 0; k < N; k++)
        everyone[k] = k;
    snprintf(name, sizeof name, "weights-%d.safetensors", i);
    char *weights = us_format("%s/%s", test_folder, name);
    US_TRY_ALLOC(weights);
    const struct us_train_job job = {.recipe = task->recipe,
                                     .model = (uint32_t)i,
                                     .train = everyone,
                                     .n_train = N,
                                     .probe = everyone,
                                     .n_probe = N,
                                     .test = true,
                                     .save = weights,
                                     .observer = &observer};
    US_TRY(us_train(own, &job, NULL, NULL));
    US_TRY(us_gradient_norms(own, task->recipe, weights, everyone, 2, NULL, norms));
out:
    free(weights);
    return st;
}

/* The least memory at which two workers are granted is enough for two. */
static void what_is_planned_fits(void **state)
{
    (void)state;
    struct us_workers *workers = NULL;
    struct unseen_recipe recipe = test_small_recipe();
    recipe.batch = 60;
    const struct us_workers_task task = {.recipe = &recipe,
                                         .wanted = 2,
                                         .models = 2,
                                         .steps = 2,
                                         .see = US_SEE_PROBS | US_SEE_FEATURES,
                                         .gradients = true};
    const uint64_t limit = us_device_memory(test_device()).limit;
    uint64_t least = 1 << 16;
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    while (!workers && least < limit) {
        least += least / 16;
        us_device_limit(test_device(), least);
        if (us_workers_new(test_device(), data, &task, &workers) == UNSEEN_OK &&
            us_workers_size(workers) < 2) {
            us_workers_free(workers);
            workers = NULL;
        }
    }
    unseen_log_level_set(UNSEEN_LOG_INFO);
    assert_non_null(workers);
    printf("# two models are granted %.2f MiB\n", (double)least / (1 << 20));
    assert_ok(us_workers_run(workers, 2, train_all, (void *)&task));
    us_workers_free(workers);
    us_device_limit(test_device(), limit);
}

static enum unseen_status fail_at_4(void *context, int i, struct us_session *own)
{
    (void)context;
    (void)own;
    if (i != 4)
        return UNSEEN_OK;
    us_fail(UNSEEN_FAILED, "work", "it broke");
    us_hint("mend it");
    return UNSEEN_FAILED;
}

static void failures_name_their_device(void **state)
{
    (void)state;
    struct us_workers *workers;
    struct unseen_recipe recipe = test_small_recipe();
    char start[sizeof unseen_device_info(pair)->name + 64];
    snprintf(start, sizeof start, "device %d, %s: work: it broke", unseen_device_info(pair)->index,
             unseen_device_info(pair)->name);
    assert_ok(us_workers_new(pair, data, task_of(&recipe, 1), &workers));
    assert_fails(UNSEEN_FAILED, start, us_workers_run(workers, JOBS, fail_at_4, NULL));
    assert_string_equal(unseen_last_hint(), "mend it");
    us_workers_free(workers);
    /* With one device there is nothing to tell apart. */
    assert_ok(us_workers_new(test_device(), data, task_of(&recipe, 1), &workers));
    assert_fails(UNSEEN_FAILED, "work: it broke", us_workers_run(workers, JOBS, fail_at_4, NULL));
    assert_null(strstr(unseen_last_error(), "device"));
    us_workers_free(workers);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_share_the_memory_of_a_device), cmocka_unit_test(both_devices_work_at_once),
        cmocka_unit_test(results_do_not_depend_on_the_device),  cmocka_unit_test(what_is_planned_fits),
        cmocka_unit_test(failures_name_their_device),
    };
    return RUN_TESTS(tests, set_up, tear_down);
}
