#include "config.h"

#include "device/signals.h"

#include <pthread.h>
#include <signal.h>

#include "base/status.h"

static const int numbers[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGABRT, SIGUSR1,
                              SIGUSR2, SIGPIPE, SIGTERM, SIGXCPU, SIGXFSZ};
enum { SIGNALS = sizeof numbers / sizeof *numbers };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int inside; /* calls under way */
static struct sigaction kept[SIGNALS];

void us_signals_keep(void)
{
    pthread_mutex_lock(&mutex);
    if (inside++ == 0) {
        for (int i = 0; i < SIGNALS; i++)
            (void)sigaction(numbers[i], NULL, &kept[i]);
    }
    pthread_mutex_unlock(&mutex);
}

/* After an interrupt they stay as the program's handler has left them. */
void us_signals_restore(void)
{
    pthread_mutex_lock(&mutex);
    if (--inside == 0 && !us_interrupted()) {
        for (int i = 0; i < SIGNALS; i++)
            (void)sigaction(numbers[i], &kept[i], NULL);
    }
    pthread_mutex_unlock(&mutex);
}
