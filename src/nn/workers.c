#include "config.h"

#include "nn/workers.h"

#include <float.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/threads.h"
#include "nn/gradient.h"
#include "nn/loader.h"
#include "nn/models.h"
#include "nn/session.h"
#include "nn/steps.h"
#include "nn/trial.h"

enum { TRIALS = 3 };

/* When several at once are tried, and when they are worth it. */
static const double long_step = 0.1, short_run = 60, worthwhile = 1.1, trial_seconds = 0.3;

/* Those who work on one device. */
struct group {
    struct unseen_device *device;
    struct us_session *session[US_WORKERS_MOST]; /* the first on `device` itself, the others on clones */
    int n;
    uint64_t limit, used; /* bytes on the device: in all, and with the dataset alone */
};

struct us_workers {
    struct us_workers_task task;
    int feature_count; /* of the task's models */
    struct group group[UNSEEN_DEVICES_MOST];
    int groups;
    struct us_gang *gang; /* of the models that train at a time */
    atomic_bool stop;

    pthread_mutex_t lock; /* of what follows */
    int next, jobs;
    struct us_error error; /* what the run fails with; status UNSEEN_OK: nothing so far */
    int error_job;
    enum unseen_status (*work)(void *context, int i, struct us_session *session);
    void *context;
};

/* ---- size ---- */

static void shrink(struct group *group, int n)
{
    for (; group->n > n; group->n--) {
        struct us_session *last = group->session[group->n - 1];
        struct unseen_device *clone = last->device;
        us_session_free(last);
        if (group->n > 1)
            unseen_device_close(clone);
    }
}

/* Every thread may take an equal share of what the dataset has left. */
static void share_memory(struct group *group)
{
    uint64_t each = (group->limit - group->used) / (uint64_t)group->n;
    for (int i = 0; i < group->n; i++)
        us_device_limit(group->session[i]->device, each + (i == 0 ? group->used : 0));
}

static enum unseen_status grow(struct us_workers *workers, struct group *group, int n)
{
    enum unseen_status st = UNSEEN_OK;
    while (group->n < n) {
        struct unseen_device *clone = NULL;
        US_TRY(us_device_clone(group->device, &clone));
        st = us_session_share(group->session[0], clone, &group->session[group->n]);
        if (st) {
            unseen_device_close(clone);
            goto out;
        }
        group->session[group->n]->stop = &workers->stop;
        group->session[group->n]->gang = workers->gang;
        group->n++;
    }
    share_memory(group);
out:
    return st;
}

/* The next device's group, of one. */
static enum unseen_status add_group(struct us_workers *workers, struct unseen_device *device,
                                    const struct unseen_dataset *data)
{
    enum unseen_status st = UNSEEN_OK;
    struct group *group = &workers->group[workers->groups];
    const uint64_t limit = us_device_memory(device).limit;
    US_TRY(us_session_new(device, data, workers->task.recipe, &group->session[0]));
    group->session[0]->stop = &workers->stop;
    group->session[0]->gang = workers->gang;
    group->device = device;
    group->n = 1;
    group->limit = limit;
    group->used = us_device_memory(device).used;
    workers->groups++;
out:
    return st;
}

struct us_loader_size us_workers_loader(const struct us_workers_task *task, const struct unseen_dataset *data,
                                        int feature_count)
{
    const int64_t n = data->split[UNSEEN_TRAIN].n, test = data->split[UNSEEN_TEST].n;
    return (struct us_loader_size){.passed = 3 * n + test,
                                   .recorded = 2 * n + test,
                                   .batch = us_steps_room_most(task->recipe, task->least),
                                   .weighted = true,
                                   .see = task->see,
                                   .feature_count = feature_count};
}

/* What a model takes from the device at most: in training, and behind it when its gradients are taken. */
static enum unseen_status measure_model(const struct us_workers *workers, const struct us_session *session,
                                        uint64_t *bytes)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_loader_size loader =
        us_workers_loader(&workers->task, session->data, workers->feature_count);
    uint64_t single = 0;
    US_TRY(us_session_model_memory(session, workers->task.recipe, workers->task.least, bytes));
    *bytes += us_loader_bytes(session, &loader);
    if (workers->task.gradients)
        US_TRY(us_gradient_memory(session, workers->task.recipe, &single));
    *bytes = *bytes > single ? *bytes : single;
out:
    return st;
}

/* How many models the device's memory holds. */
static enum unseen_status count_fitting(const struct us_workers *workers, const struct group *group,
                                        int *fitting, double *mib_each)
{
    enum unseen_status st = UNSEEN_OK;
    uint64_t bytes = 0;
    US_TRY(measure_model(workers, group->session[0], &bytes));
    uint64_t most = (group->limit - group->used) / bytes;
    *fitting = most < US_WORKERS_MOST ? (int)most : US_WORKERS_MOST;
    *mib_each = (double)bytes / (1 << 20);
out:
    return st;
}

/* ---- work ---- */

static void note_failure(struct us_workers *workers, int job, enum unseen_status st)
{
    bool real = st != UNSEEN_INTERRUPTED, had_real = workers->error.status != UNSEEN_INTERRUPTED;
    if (workers->error.status == UNSEEN_OK || (real && !had_real) ||
        (!real && !had_real && job < workers->error_job)) {
        us_error_take(st, &workers->error);
        workers->error_job = job;
    }
    atomic_store(&workers->stop, true);
}

struct worker {
    struct us_workers *workers;
    const struct group *group;
    struct us_session *session;
};

/* Put the device's name before what has just failed there. */
static void name_device(const struct unseen_device *device, enum unseen_status st)
{
    struct us_error error;
    char where[sizeof unseen_device_info(device)->name + 32];
    us_error_take(st, &error);
    snprintf(where, sizeof where, "device %d, %s", unseen_device_info(device)->index,
             unseen_device_info(device)->name);
    us_fail(st, where, "%s", error.text);
    if (*error.hint)
        us_hint("%s", error.hint);
}

/* The gang need not wait for a session's first model any longer. */
static void be_expected_no_more(const struct us_workers *workers, struct us_session *session)
{
    if (session->expected)
        us_gang_miss(workers->gang);
    session->expected = false;
}

static void work_on(void *context, int i)
{
    struct worker *worker = (struct worker *)context + i;
    struct us_workers *workers = worker->workers;
    pthread_mutex_lock(&workers->lock);
    while (workers->next < workers->jobs && !atomic_load(&workers->stop)) {
        int job = workers->next++;
        pthread_mutex_unlock(&workers->lock);
        enum unseen_status st = workers->work(workers->context, job, worker->session);
        be_expected_no_more(workers, worker->session);
        if (workers->groups > 1 && (st == UNSEEN_FAILED || st == UNSEEN_NO_DEVICE))
            name_device(worker->group->device, st);
        pthread_mutex_lock(&workers->lock);
        if (st)
            note_failure(workers, job, st);
    }
    pthread_mutex_unlock(&workers->lock);
    be_expected_no_more(workers, worker->session);
}

/* Those that no thread was started for come when others have gone. */
static void expect_no_more_than(void *context, int n)
{
    const struct worker *worker = context;
    for (int i = n; i < us_workers_size(worker->workers); i++)
        be_expected_no_more(worker->workers, worker[i].session);
}

/* All who work, those of each device in turn, so that few are spread over all. */
static int gather(struct us_workers *workers, struct worker worker[])
{
    int n = 0;
    for (int i = 0; i < US_WORKERS_MOST; i++) {
        for (int g = 0; g < workers->groups; g++) {
            if (i < workers->group[g].n)
                worker[n++] = (struct worker){workers, &workers->group[g], workers->group[g].session[i]};
        }
    }
    return n;
}

enum unseen_status
us_workers_run(struct us_workers *workers, int n,
               enum unseen_status (*work)(void *context, int i, struct us_session *session), void *context)
{
    struct worker worker[UNSEEN_DEVICES_MOST * US_WORKERS_MOST];
    _Static_assert(UNSEEN_DEVICES_MOST * US_WORKERS_MOST <= US_THREADS_MOST, "a thread for each");
    const int count = gather(workers, worker);
    workers->next = 0;
    workers->jobs = n;
    workers->work = work;
    workers->context = context;
    workers->error.status = UNSEEN_OK;
    atomic_store(&workers->stop, false);
    const int threads = count < n ? count : n;
    us_gang_expect(workers->gang, threads);
    for (int i = 0; i < threads; i++)
        worker[i].session->expected = true;
    us_threads_run_told(threads, work_on, expect_no_more_than, worker);
    return workers->error.status ? us_error_again(&workers->error) : UNSEEN_OK;
}

/* ---- choosing the size by measurement ---- */

struct us_trial us_workers_trial(const struct us_workers *workers, int64_t steps, bool training)
{
    return (struct us_trial){.recipe = workers->task.recipe,
                             .n = steps * workers->task.recipe->batch,
                             .training = training,
                             .see = workers->task.see,
                             .feature_count = workers->feature_count};
}

/* Training steps of a trial. */
static enum unseen_status train_to_warm_up(void *context, int i, struct us_session *session)
{
    (void)i;
    return us_trial_pass(session, context);
}

/* Lower *best to the seconds that a step takes where `n` of the workers, on the only device, make `steps` of
 * them each. */
static enum unseen_status time_steps(struct us_workers *workers, int n, int64_t steps, double *best)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_trial trial = us_workers_trial(workers, steps, true);
    const double start = us_seconds();
    US_TRY(us_workers_run(workers, n, train_to_warm_up, &trial));
    const double each = (us_seconds() - start) / (double)(steps * n);
    *best = each < *best ? each : *best;
out:
    return st;
}

/* How many times as fast all workers are as half of them: the best of trials that alternate, so that a load
 * from elsewhere meets both. */
static enum unseen_status compare(struct us_workers *workers, int64_t steps, double *gain)
{
    enum unseen_status st = UNSEEN_OK;
    const int n = workers->group[0].n;
    double half = DBL_MAX, whole = DBL_MAX, first = DBL_MAX;
    US_TRY(time_steps(workers, n, 1, &first)); /* makes the models */
    for (int i = 0; i < TRIALS; i++) {
        US_TRY(time_steps(workers, n / 2, steps, &half));
        US_TRY(time_steps(workers, n, steps, &whole));
    }
    *gain = half / whole;
    us_log(UNSEEN_LOG_DEBUG, "%d models at once take %.3f ms a step, %d take %.3f", n, 1e3 * whole, n / 2,
           1e3 * half);
out:
    return st;
}

/* Double the workers on the only device while that is worth it. */
static enum unseen_status measure(struct us_workers *workers, int most, double all_steps)
{
    enum unseen_status st = UNSEEN_OK;
    struct group *group = &workers->group[0];
    double first = DBL_MAX, step = DBL_MAX, gain = DBL_MAX;
    US_TRY(time_steps(workers, 1, 1, &first)); /* compiles */
    US_TRY(time_steps(workers, 1, 1, &step));
    if (step > long_step || step * all_steps < short_run)
        goto out;
    while (group->n * 2 <= most && gain >= worthwhile) {
        int half = group->n;
        US_TRY(grow(workers, group, 2 * half));
        US_TRY(compare(workers, (int64_t)(trial_seconds / step) + 1, &gain));
        if (gain < worthwhile)
            shrink(group, half);
    }
    share_memory(group);
out:
    return st;
}

/* ---- */

static enum unseen_status too_many(int wanted, int fitting, double mib_each, double mib_free)
{
    us_fail(UNSEEN_FAILED, "--concurrent",
            "%d models of %.1f MiB each do not fit the %.1f MiB of device memory that are free", wanted,
            mib_each, mib_free);
    us_hint("--concurrent %d would fit", fitting);
    return UNSEEN_FAILED;
}

/* As many as are wanted, or as a measurement says; `models` is this device's share. */
static enum unseen_status choose_size(struct us_workers *workers, int models)
{
    enum unseen_status st = UNSEEN_OK;
    const int wanted = workers->task.wanted;
    struct group *group = &workers->group[0];
    int fitting;
    double mib_each;
    int most = models < US_WORKERS_MOST ? models : US_WORKERS_MOST;
    if (most <= 1 || wanted == 1)
        return UNSEEN_OK;
    US_TRY(count_fitting(workers, group, &fitting, &mib_each));
    if (fitting < 1)
        goto out; /* the one says better what it lacks */
    if (wanted) {
        most = most < wanted ? most : wanted;
        st = most > fitting
                 ? too_many(most, fitting, mib_each, (double)(group->limit - group->used) / (1 << 20))
                 : grow(workers, group, most);
    } else if (fitting > 1) {
        US_TRY(
            measure(workers, most < fitting ? most : fitting, (double)models * (double)workers->task.steps));
        if (group->n > 1)
            us_log(UNSEEN_LOG_INFO, "training %d models side by side, as measured", group->n);
    }
out:
    return st;
}

/* As many on another device as on the first, if they fit. */
static enum unseen_status follow(struct us_workers *workers, struct group *group, bool wanted)
{
    enum unseen_status st = UNSEEN_OK;
    int n = workers->group[0].n, fitting;
    double mib_each;
    if (n == 1)
        return UNSEEN_OK;
    US_TRY(count_fitting(workers, group, &fitting, &mib_each));
    if (wanted && fitting < n)
        st = too_many(n, fitting, mib_each, (double)(group->limit - group->used) / (1 << 20));
    else
        st = grow(workers, group, fitting < 1 ? 1 : fitting < n ? fitting : n);
out:
    return st;
}

static enum unseen_status count_features(const struct us_session *session, const struct unseen_recipe *recipe,
                                         int *count)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_model_spec spec = us_spec_of(recipe, session->data, session->view[0].input.size);
    struct us_graph graph = {0};
    US_TRY(us_graph_of(&spec, &graph));
    *count = us_graph_feature_count(&graph);
out:
    us_graph_free(&graph);
    return st;
}

enum unseen_status us_workers_new(struct unseen_device *device, const struct unseen_dataset *data,
                                  const struct us_workers_task *task, struct us_workers **out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_workers *workers = NULL;
    const int devices = us_device_count(device);
    if (task->wanted < 0 || task->wanted > US_WORKERS_MOST)
        return us_fail(UNSEEN_USAGE, "--concurrent", "%d is not in 1..%d", task->wanted, US_WORKERS_MOST);
    US_TRY_ALLOC(workers = us_calloc(1, sizeof *workers));
    pthread_mutex_init(&workers->lock, NULL);
    workers->task = *task;
    US_TRY(us_gang_new(&workers->gang));
    US_TRY(add_group(workers, device, data));
    US_TRY(count_features(workers->group[0].session[0], task->recipe, &workers->feature_count));
    US_TRY(choose_size(workers, (task->models + devices - 1) / devices));
    while (workers->groups < devices) {
        US_TRY(add_group(workers, us_device_next(workers->group[workers->groups - 1].device), data));
        US_TRY(follow(workers, &workers->group[workers->groups - 1], task->wanted != 0));
    }
    *out = workers;
    workers = NULL;
out:
    us_workers_free(workers);
    return st;
}

void us_workers_free(struct us_workers *workers)
{
    if (!workers)
        return;
    for (int g = 0; g < workers->groups; g++) {
        shrink(&workers->group[g], 0);
        us_device_limit(workers->group[g].device, workers->group[g].limit);
    }
    us_gang_free(workers->gang);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

int us_workers_size(const struct us_workers *workers)
{
    int n = 0;
    for (int g = 0; g < workers->groups; g++)
        n += workers->group[g].n;
    return n;
}
