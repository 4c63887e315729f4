#include "config.h"

#include "nn/crew.h"

#include <float.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/threads.h"
#include "nn/feed.h"
#include "nn/gradient.h"
#include "nn/models.h"
#include "nn/session.h"

enum { TRIALS = 3 };

/* When several at once are tried, and when they are worth it. */
static const double long_step = 0.1, short_run = 60, worthwhile = 1.1, trial_seconds = 0.3;

/* Those who work on one device. */
struct gang {
    struct unseen_device *device;
    struct us_session *session[US_CREW_MOST]; /* the first on `device` itself, the others on clones */
    int n;
    uint64_t limit, used; /* bytes on the device: in all, and with the dataset alone */
};

struct us_crew {
    struct us_crew_task task;
    int feature_count; /* of the task's models */
    struct gang gang[UNSEEN_DEVICES_MOST];
    int gangs;
    atomic_bool stop;

    pthread_mutex_t lock; /* of what follows */
    int next, jobs;
    struct us_error error; /* what the run fails with; status UNSEEN_OK: nothing so far */
    int error_job;
    enum unseen_status (*work)(void *context, int i, struct us_session *session);
    void *context;
};

/* ---- size ---- */

static void shrink(struct gang *gang, int n)
{
    for (; gang->n > n; gang->n--) {
        struct us_session *last = gang->session[gang->n - 1];
        struct unseen_device *clone = last->device;
        us_session_free(last);
        if (gang->n > 1)
            unseen_device_close(clone);
    }
}

/* Every thread may take an equal share of what the dataset has left. */
static void share_memory(struct gang *gang)
{
    uint64_t each = (gang->limit - gang->used) / (uint64_t)gang->n;
    for (int i = 0; i < gang->n; i++)
        us_device_limit(gang->session[i]->device, each + (i == 0 ? gang->used : 0));
}

static enum unseen_status grow(struct us_crew *crew, struct gang *gang, int n)
{
    enum unseen_status st = UNSEEN_OK;
    while (gang->n < n) {
        struct unseen_device *clone = NULL;
        US_TRY(us_device_clone(gang->device, &clone));
        st = us_session_share(gang->session[0], clone, &gang->session[gang->n]);
        if (st) {
            unseen_device_close(clone);
            goto out;
        }
        gang->session[gang->n]->stop = &crew->stop;
        gang->n++;
    }
    share_memory(gang);
out:
    return st;
}

/* The next device's gang, of one. */
static enum unseen_status add_gang(struct us_crew *crew, struct unseen_device *device,
                                   const struct unseen_dataset *data)
{
    enum unseen_status st = UNSEEN_OK;
    struct gang *gang = &crew->gang[crew->gangs];
    const uint64_t limit = us_device_memory(device).limit;
    US_TRY(us_session_new(device, data, &gang->session[0]));
    gang->session[0]->stop = &crew->stop;
    gang->device = device;
    gang->n = 1;
    gang->limit = limit;
    gang->used = us_device_memory(device).used;
    crew->gangs++;
out:
    return st;
}

/* An epoch runs at most over the training split thrice (training and held-out samples, probe, review, which
 * is not recorded) and over the test split. */
static struct us_feed_size largest_feed(const struct us_crew *crew, const struct unseen_dataset *data)
{
    const int64_t n = data->split[UNSEEN_TRAIN].n, test = data->split[UNSEEN_TEST].n;
    return (struct us_feed_size){.passed = 3 * n + test,
                                 .recorded = 2 * n + test,
                                 .batch = crew->task.recipe->batch,
                                 .see = crew->task.see,
                                 .feature_count = crew->feature_count};
}

/* What a model takes from the device at most: in training, and behind it when its gradients are taken. */
static enum unseen_status measure_model(const struct us_crew *crew, const struct us_session *session,
                                        uint64_t *bytes)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_model_spec spec = us_session_spec(session, crew->task.recipe);
    const struct us_feed_size feed = largest_feed(crew, session->data);
    uint64_t single = 0;
    US_TRY(us_model_memory(session->device, &spec, bytes));
    *bytes += us_feed_bytes(session, &feed);
    if (crew->task.gradients)
        US_TRY(us_gradient_memory(session, crew->task.recipe, &single));
    *bytes = *bytes > single ? *bytes : single;
out:
    return st;
}

/* How many models the device's memory holds. */
static enum unseen_status count_fitting(const struct us_crew *crew, const struct gang *gang, int *fitting,
                                        double *mib_each)
{
    enum unseen_status st = UNSEEN_OK;
    uint64_t bytes = 0;
    US_TRY(measure_model(crew, gang->session[0], &bytes));
    uint64_t most = (gang->limit - gang->used) / bytes;
    *fitting = most < US_CREW_MOST ? (int)most : US_CREW_MOST;
    *mib_each = (double)bytes / (1 << 20);
out:
    return st;
}

/* ---- work ---- */

static void note_failure(struct us_crew *crew, int job, enum unseen_status st)
{
    bool real = st != UNSEEN_INTERRUPTED, had_real = crew->error.status != UNSEEN_INTERRUPTED;
    if (crew->error.status == UNSEEN_OK || (real && !had_real) ||
        (!real && !had_real && job < crew->error_job)) {
        us_error_take(st, &crew->error);
        crew->error_job = job;
    }
    atomic_store(&crew->stop, true);
}

struct hand {
    struct us_crew *crew;
    const struct gang *gang;
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

static void work_on(void *context, int i)
{
    struct hand *hand = (struct hand *)context + i;
    struct us_crew *crew = hand->crew;
    pthread_mutex_lock(&crew->lock);
    while (crew->next < crew->jobs && !atomic_load(&crew->stop)) {
        int job = crew->next++;
        pthread_mutex_unlock(&crew->lock);
        enum unseen_status st = crew->work(crew->context, job, hand->session);
        if (crew->gangs > 1 && (st == UNSEEN_FAILED || st == UNSEEN_NO_DEVICE))
            name_device(hand->gang->device, st);
        pthread_mutex_lock(&crew->lock);
        if (st)
            note_failure(crew, job, st);
    }
    pthread_mutex_unlock(&crew->lock);
}

/* All who work, those of each device in turn, so that few are spread over all. */
static int gather(struct us_crew *crew, struct hand hand[])
{
    int n = 0;
    for (int i = 0; i < US_CREW_MOST; i++) {
        for (int g = 0; g < crew->gangs; g++) {
            if (i < crew->gang[g].n)
                hand[n++] = (struct hand){crew, &crew->gang[g], crew->gang[g].session[i]};
        }
    }
    return n;
}

enum unseen_status us_crew_run(struct us_crew *crew, int n,
                               enum unseen_status (*work)(void *context, int i, struct us_session *session),
                               void *context)
{
    struct hand hand[UNSEEN_DEVICES_MOST * US_CREW_MOST];
    _Static_assert(UNSEEN_DEVICES_MOST * US_CREW_MOST <= US_THREADS_MOST, "a thread for each");
    const int hands = gather(crew, hand);
    crew->next = 0;
    crew->jobs = n;
    crew->work = work;
    crew->context = context;
    crew->error.status = UNSEEN_OK;
    atomic_store(&crew->stop, false);
    us_threads_run(hands < n ? hands : n, work_on, hand);
    return crew->error.status ? us_error_again(&crew->error) : UNSEEN_OK;
}

/* ---- choosing the size by measurement ---- */

struct trial {
    const struct us_crew *crew;
    int64_t *samples; /* [n] */
    int64_t n;
};

/* Training steps that nobody will see the results of. */
static enum unseen_status train_on_trial(void *context, int i, struct us_session *session)
{
    (void)i;
    const struct trial *trial = context;
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_recipe *recipe = trial->crew->task.recipe;
    struct us_model *model;
    struct us_feed feed = {.device = session->device};
    const struct us_feed_size size = {.passed = trial->n,
                                      .recorded = trial->n,
                                      .batch = recipe->batch,
                                      .see = trial->crew->task.see,
                                      .feature_count = trial->crew->feature_count};
    struct us_pass pass = {.split = UNSEEN_TRAIN,
                           .samples = trial->samples,
                           .n = trial->n,
                           .recipe = recipe,
                           .training = true,
                           .steps = trial->n,
                           .steps_per_epoch = trial->n};
    US_TRY(us_session_model(session, recipe, &model));
    US_TRY(us_model_init(model, 0));
    US_TRY(us_feed_new(session, &size, &feed));
    st = us_pass_enqueue(session, model, &feed, &pass);
    st = st ? st : us_feed_finish(&feed);
    if (st == UNSEEN_INTERRUPTED)
        us_fail(st, "training", "stopped on request before the first epoch");
out:
    us_feed_free(&feed);
    return st;
}

/* Lower *best to the seconds that a step takes where `n` of the crew, on its only device, make `steps` of
 * them each. */
static enum unseen_status time_steps(struct us_crew *crew, int n, int64_t steps, double *best)
{
    enum unseen_status st = UNSEEN_OK;
    const int64_t all = crew->gang[0].session[0]->data->split[UNSEEN_TRAIN].n;
    struct trial trial = {.crew = crew, .n = steps * crew->task.recipe->batch};
    US_TRY_ALLOC(trial.samples = us_calloc((size_t)trial.n, sizeof *trial.samples));
    for (int64_t i = 0; i < trial.n; i++)
        trial.samples[i] = i % all;
    double start = us_seconds();
    US_TRY(us_crew_run(crew, n, train_on_trial, &trial));
    double each = (us_seconds() - start) / (double)(steps * n);
    *best = each < *best ? each : *best;
out:
    free(trial.samples);
    return st;
}

/* How many times as fast the whole crew is as half of it: the best of trials that alternate, so that a load
 * from elsewhere meets both. */
static enum unseen_status compare(struct us_crew *crew, int64_t steps, double *gain)
{
    enum unseen_status st = UNSEEN_OK;
    const int n = crew->gang[0].n;
    double half = DBL_MAX, whole = DBL_MAX, first = DBL_MAX;
    US_TRY(time_steps(crew, n, 1, &first)); /* makes the models */
    for (int i = 0; i < TRIALS; i++) {
        US_TRY(time_steps(crew, n / 2, steps, &half));
        US_TRY(time_steps(crew, n, steps, &whole));
    }
    *gain = half / whole;
    us_log(UNSEEN_LOG_DEBUG, "%d models at once take %.3f ms a step, %d take %.3f", n, 1e3 * whole, n / 2,
           1e3 * half);
out:
    return st;
}

/* Double the crew on its only device while that is worth it. */
static enum unseen_status measure(struct us_crew *crew, int most, double all_steps)
{
    enum unseen_status st = UNSEEN_OK;
    struct gang *gang = &crew->gang[0];
    double first = DBL_MAX, step = DBL_MAX, gain = DBL_MAX;
    US_TRY(time_steps(crew, 1, 1, &first)); /* compiles */
    US_TRY(time_steps(crew, 1, 1, &step));
    if (step > long_step || step * all_steps < short_run)
        goto out;
    while (gang->n * 2 <= most && gain >= worthwhile) {
        int half = gang->n;
        US_TRY(grow(crew, gang, 2 * half));
        US_TRY(compare(crew, (int64_t)(trial_seconds / step) + 1, &gain));
        if (gain < worthwhile)
            shrink(gang, half);
    }
    share_memory(gang);
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
static enum unseen_status choose_size(struct us_crew *crew, int models)
{
    enum unseen_status st = UNSEEN_OK;
    const int wanted = crew->task.wanted;
    struct gang *gang = &crew->gang[0];
    int fitting;
    double mib_each;
    int most = models < US_CREW_MOST ? models : US_CREW_MOST;
    if (most <= 1 || wanted == 1)
        return UNSEEN_OK;
    US_TRY(count_fitting(crew, gang, &fitting, &mib_each));
    if (fitting < 1)
        goto out; /* the one says better what it lacks */
    if (wanted) {
        most = most < wanted ? most : wanted;
        st = most > fitting
                 ? too_many(most, fitting, mib_each, (double)(gang->limit - gang->used) / (1 << 20))
                 : grow(crew, gang, most);
    } else if (fitting > 1) {
        US_TRY(measure(crew, most < fitting ? most : fitting, (double)models * (double)crew->task.steps));
        if (gang->n > 1)
            us_log(UNSEEN_LOG_INFO, "training %d models side by side, as measured", gang->n);
    }
out:
    return st;
}

/* As many on another device as on the first, if they fit. */
static enum unseen_status follow(struct us_crew *crew, struct gang *gang, bool wanted)
{
    enum unseen_status st = UNSEEN_OK;
    int n = crew->gang[0].n, fitting;
    double mib_each;
    if (n == 1)
        return UNSEEN_OK;
    US_TRY(count_fitting(crew, gang, &fitting, &mib_each));
    if (wanted && fitting < n)
        st = too_many(n, fitting, mib_each, (double)(gang->limit - gang->used) / (1 << 20));
    else
        st = grow(crew, gang, fitting < 1 ? 1 : fitting < n ? fitting : n);
out:
    return st;
}

static enum unseen_status count_features(const struct us_session *session, const struct unseen_recipe *recipe,
                                         int *count)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_model_spec spec = us_session_spec(session, recipe);
    struct us_graph graph = {0};
    US_TRY(us_graph_of(&spec, &graph));
    *count = us_graph_feature_count(&graph);
out:
    us_graph_free(&graph);
    return st;
}

enum unseen_status us_crew_new(struct unseen_device *device, const struct unseen_dataset *data,
                               const struct us_crew_task *task, struct us_crew **out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_crew *crew = NULL;
    const int devices = us_device_count(device);
    if (task->wanted < 0 || task->wanted > US_CREW_MOST)
        return us_fail(UNSEEN_USAGE, "--concurrent", "%d is not in 1..%d", task->wanted, US_CREW_MOST);
    US_TRY_ALLOC(crew = us_calloc(1, sizeof *crew));
    pthread_mutex_init(&crew->lock, NULL);
    crew->task = *task;
    US_TRY(add_gang(crew, device, data));
    US_TRY(count_features(crew->gang[0].session[0], task->recipe, &crew->feature_count));
    US_TRY(choose_size(crew, (task->models + devices - 1) / devices));
    while (crew->gangs < devices) {
        US_TRY(add_gang(crew, us_device_next(crew->gang[crew->gangs - 1].device), data));
        US_TRY(follow(crew, &crew->gang[crew->gangs - 1], task->wanted != 0));
    }
    *out = crew;
    crew = NULL;
out:
    us_crew_free(crew);
    return st;
}

void us_crew_free(struct us_crew *crew)
{
    if (!crew)
        return;
    for (int g = 0; g < crew->gangs; g++) {
        shrink(&crew->gang[g], 0);
        us_device_limit(crew->gang[g].device, crew->gang[g].limit);
    }
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}

int us_crew_size(const struct us_crew *crew)
{
    int n = 0;
    for (int g = 0; g < crew->gangs; g++)
        n += crew->gang[g].n;
    return n;
}
