#include "config.h"

#include "base/threads.h"

#include <pthread.h>
#include <unistd.h>

struct share {
    void (*work)(void *context, int i);
    void *context;
    int i;
};

static void *do_share(void *context)
{
    const struct share *share = context;
    share->work(share->context, share->i);
    return NULL;
}

void us_threads_run(int n, void (*work)(void *context, int i), void *context)
{
    us_threads_run_told(n, work, NULL, context);
}

void us_threads_run_told(int n, void (*work)(void *context, int i),
                         void (*started_some)(void *context, int n), void *context)
{
    struct share share[US_THREADS_MOST];
    pthread_t thread[US_THREADS_MOST];
    int started = 1;
    for (int i = 0; i < n; i++)
        share[i] = (struct share){work, context, i};
    while (started < n && pthread_create(&thread[started], NULL, do_share, &share[started]) == 0)
        started++;
    if (started_some)
        started_some(context, n > 0 ? started : 0);
    if (n > 0)
        work(context, 0);
    for (int i = started; i < n; i++)
        work(context, i);
    for (int i = 1; i < started; i++)
        pthread_join(thread[i], NULL);
}

int us_threads(int most)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores < most ? (int)cores : most;
}
