#include "config.h"

#include "nn/loading.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "loader/decoders.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int feeding, starving;
static struct unseen_loading sum; /* but for what the decoders count */

void us_loading_add(int64_t fed, double seconds, double waited)
{
    pthread_mutex_lock(&lock);
    sum.fed += fed;
    sum.seconds += fed ? seconds : 0;
    sum.waited += waited;
    pthread_mutex_unlock(&lock);
}

void unseen_loading(struct unseen_loading *loading)
{
    const struct us_decoders_use use = us_decoders_use();
    pthread_mutex_lock(&lock);
    *loading = sum;
    pthread_mutex_unlock(&lock);
    loading->threads = use.threads;
    loading->decoded = use.images;
    loading->busy = use.seconds > 0 ? use.busy / (use.threads * use.seconds) : 0;
}

void us_loading_feeds(bool begins)
{
    atomic_fetch_add(&feeding, begins ? 1 : -1);
}

void us_loading_starves(bool begins)
{
    atomic_fetch_add(&starving, begins ? 1 : -1);
}

bool us_loading_all_starve(void)
{
    return atomic_load(&starving) >= atomic_load(&feeding);
}

const char *unseen_loading_bottleneck(const struct unseen_loading *loading)
{
    if (loading->waited <= 0.05 * loading->seconds)
        return "device";
    return loading->busy > 0.5 ? "decoding" : "start";
}

const char *us_bottleneck_text(const char *bottleneck)
{
    if (strcmp(bottleneck, "device") == 0)
        return "the bottleneck is the device";
    return strcmp(bottleneck, "start") == 0 ? "at the start of the run" : "the bottleneck is decoding";
}

json_t *us_loading_json(void)
{
    struct unseen_loading l;
    unseen_loading(&l);
    if (l.decoded == 0 || l.seconds <= 0)
        return NULL;
    return json_pack("{s:I, s:I, s:f, s:f, s:s, s:f, s:i, s:f}", "decoded", (json_int_t)l.decoded, "sent",
                     (json_int_t)l.fed, "seconds", l.seconds, "waited_share", l.waited / l.seconds,
                     "bottleneck", unseen_loading_bottleneck(&l), "images_per_second",
                     (double)l.fed / l.seconds, "decode_threads", l.threads, "decode_busy_share", l.busy);
}
