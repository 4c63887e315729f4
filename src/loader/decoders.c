#include "config.h"

#include "loader/decoders.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/threads.h"

static pthread_mutex_t users_lock = PTHREAD_MUTEX_INITIALIZER; /* of `users` and of starting and ending */
static int users;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static pthread_cond_t claimable = PTHREAD_COND_INITIALIZER;
static pthread_cond_t progressed; /* on the clock that never jumps */
static pthread_once_t progressed_once = PTHREAD_ONCE_INIT;
static struct us_decoder_work *first;
static pthread_t thread[US_THREADS_MOST];
static int threads, wanted;
static bool stopping;
static struct us_decoders_use use;
static double started;

void us_decoders_lock(void)
{
    pthread_mutex_lock(&lock);
}

void us_decoders_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

static void make_progressed(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&progressed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void us_decoders_wait(double seconds)
{
    struct timespec until;
    pthread_once(&progressed_once, make_progressed);
    clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t nanoseconds = until.tv_nsec + (int64_t)(seconds * 1e9);
    until.tv_sec += (time_t)(nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_cond_timedwait(&progressed, &lock, &until);
}

void us_decoders_notify(void)
{
    pthread_once(&progressed_once, make_progressed);
    pthread_cond_broadcast(&progressed);
}

void us_decoders_wake(void)
{
    pthread_cond_broadcast(&claimable);
}

void us_decoders_note(double seconds)
{
    use.images++;
    use.busy += seconds;
}

static struct us_decoder_work *claim(int64_t *piece)
{
    struct us_decoder_work *work = first;
    while (work && !work->claim(work, piece))
        work = work->next;
    return work;
}

static void *run(void *context)
{
    const int i = (int)(intptr_t)context;
    us_decoders_lock();
    while (!stopping) {
        int64_t piece;
        struct us_decoder_work *work = claim(&piece);
        if (!work) {
            pthread_cond_wait(&claimable, &lock);
            continue;
        }
        work->busy++;
        us_decoders_unlock();
        const double start = us_seconds();
        const bool succeeded = work->decode(work, i, piece);
        const double seconds = us_seconds() - start;
        us_decoders_lock();
        us_decoders_note(seconds);
        work->busy--;
        work->done(work, piece, succeeded);
        us_decoders_notify();
    }
    us_decoders_unlock();
    return NULL;
}

static enum unseen_status start(void)
{
    const int most = wanted > 0 && wanted < US_THREADS_MOST ? wanted : us_threads(US_THREADS_MOST);
    us_decoders_lock();
    stopping = false;
    started = us_seconds();
    while (threads < most && pthread_create(&thread[threads], NULL, run, (void *)(intptr_t)threads) == 0)
        threads++;
    use.threads = threads;
    us_decoders_unlock();
    return threads > 0 ? UNSEEN_OK : us_fail(UNSEEN_FAILED, "decoding", "no thread can be started");
}

static void stop(void)
{
    us_decoders_lock();
    stopping = true;
    us_decoders_wake();
    us_decoders_unlock();
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    use.seconds += us_seconds() - started;
    threads = 0;
}

enum unseen_status us_decoders_begin(void)
{
    enum unseen_status st = UNSEEN_OK;
    pthread_mutex_lock(&users_lock);
    if (users == 0)
        st = start();
    users += st == UNSEEN_OK;
    pthread_mutex_unlock(&users_lock);
    return st;
}

void us_decoders_end(void)
{
    pthread_mutex_lock(&users_lock);
    if (--users == 0)
        stop();
    pthread_mutex_unlock(&users_lock);
}

int us_decoders_count(void)
{
    return threads;
}

void us_decoders_limit(int count)
{
    wanted = count;
}

void us_decoders_add(struct us_decoder_work *work)
{
    struct us_decoder_work **at = &first;
    while (*at)
        at = &(*at)->next;
    work->next = NULL;
    *at = work;
    us_decoders_wake();
}

void us_decoders_remove(struct us_decoder_work *work)
{
    struct us_decoder_work **at = &first;
    while (*at != work)
        at = &(*at)->next;
    *at = work->next;
    while (work->busy > 0)
        us_decoders_wait(1);
}

struct us_decoders_use us_decoders_use(void)
{
    us_decoders_lock();
    struct us_decoders_use now = use;
    if (threads > 0)
        now.seconds += us_seconds() - started;
    us_decoders_unlock();
    return now;
}
