#include "config.h"

#include "bench/bench.h"

#include <stdlib.h>

#include "base/clock.h"
#include "nn/loader.h"
#include "nn/session.h"
#include "ops/augment.h"

/* Of a round: so many that its begin and end do not count. */
enum { LEAST_BATCHES = 16 };

/* Images on their way from a dataset to what would be a model's input. */
struct bench {
    struct us_session *session;
    struct us_loader loader;
    struct us_buf *input; /* float32 [batch, size, size, channels] */
    int64_t *samples;     /* [n] all, several times if they are few */
    int32_t *rows;        /* the same, as the loader has them */
    int64_t n;
};

static enum unseen_status begin(struct bench *b, struct unseen_device *device,
                                const struct unseen_dataset *data, const struct unseen_recipe *recipe)
{
    enum unseen_status st = UNSEEN_OK;
    const int64_t all = data->split[UNSEEN_TRAIN].n, least = (int64_t)LEAST_BATCHES * recipe->batch;
    b->n = all > 0 && all < least ? least : all;
    const struct us_loader_size size = {.passed = b->n, .recorded = 1, .batch = recipe->batch};
    b->loader.device = device;
    US_TRY(us_session_new(device, data, recipe, &b->session));
    US_TRY(us_augment_prepare(device, data->channels));
    US_TRY(us_loader_new(b->session, &size, &b->loader));
    US_TRY(us_buf_new(device, (size_t)recipe->batch * us_session_image_bytes(b->session) * sizeof(float),
                      &b->input));
    US_TRY_ALLOC(b->samples = us_calloc((size_t)b->n, sizeof *b->samples));
    US_TRY_ALLOC(b->rows = us_calloc((size_t)b->n, sizeof *b->rows));
    for (int64_t i = 0; i < b->n; i++)
        b->samples[i] = b->rows[i] = (int32_t)(i % all);
    US_TRY(us_write(device, b->loader.order, 0, b->rows, (size_t)b->n * sizeof *b->rows));
out:
    return st;
}

static void end(struct bench *b)
{
    if (b->session)
        us_buf_free(b->session->device, b->input);
    us_loader_free(&b->loader);
    us_session_free(b->session);
    free(b->samples);
    free(b->rows);
}

/* All samples once. */
static enum unseen_status run_epoch(struct bench *b, const struct unseen_recipe *recipe, int epoch)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_pass pass = {.split = UNSEEN_TRAIN,
                           .samples = b->samples,
                           .n = b->n,
                           .recipe = recipe,
                           .training = true,
                           .epoch = epoch};
    US_TRY(us_pass_prepare(b->session, &b->loader, &pass));
    for (int64_t at = 0; at < b->n; at += recipe->batch) {
        const int n = b->n - at < recipe->batch ? (int)(b->n - at) : recipe->batch;
        US_TRY(us_loader_batch(b->session, b->input, &b->loader, &pass, at, n));
        US_TRY(us_flush(b->session->device));
    }
    US_TRY(us_finish(b->session->device));
out:
    us_pass_end(&pass);
    return st == UNSEEN_INTERRUPTED ? us_fail(st, "bench", "stopped on request") : st;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum unseen_status unseen_bench_loader(struct unseen_device *device, const struct unseen_dataset *data,
                                       const struct unseen_bench_options *options,
                                       struct unseen_bench_loader *result)
{
    enum unseen_status st = UNSEEN_OK;
    struct bench b = {.loader.device = device};
    struct unseen_recipe recipe;
    struct unseen_loading loading;
    double *rate = NULL;
    US_TRY(us_bench_check(options));
    unseen_recipe_defaults(&recipe);
    recipe.size[0] = recipe.size[1] = options->size;
    recipe.batch = options->batch;
    recipe.crop = UNSEEN_CROP_RESIZED;
    US_TRY_ALLOC(rate = us_calloc((size_t)options->rounds, sizeof *rate));
    US_TRY(us_device_alone(device, "a measurement"));
    US_TRY(us_recipe_check_on(&recipe, data));
    US_TRY(begin(&b, device, data, &recipe));
    for (int i = -1; i < options->rounds; i++) {
        const double start = us_seconds();
        US_TRY(run_epoch(&b, &recipe, i + 1));
        if (i >= 0)
            rate[i] = (double)b.n / (us_seconds() - start);
    }
    qsort(rate, (size_t)options->rounds, sizeof *rate, by_value);
    unseen_loading(&loading);
    *result = (struct unseen_bench_loader){.images_per_second = rate[options->rounds / 2],
                                           .least = rate[0],
                                           .most = rate[options->rounds - 1],
                                           .threads = loading.threads,
                                           .busy = loading.busy};
out:
    free(rate);
    end(&b);
    return st;
}
