#include "config.h"

#include "bench/bench.h"
#include "bench/bench_options.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "ops/loss.h"
#include "ops/sgd.h"

/* A model with made-up data on the device. */
struct bench {
    struct unseen_device *device;
    const struct unseen_bench_options *options;
    struct us_model *model;
    struct us_buf *labels, *rows, *record;
};

static enum unseen_status fill(struct bench *b)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_bench_options *o = b->options;
    size_t n = (size_t)o->batch * o->size * o->size * 3;
    float *x = us_calloc(n, sizeof *x);
    int32_t *index = us_calloc((size_t)o->batch, sizeof *index);
    US_TRY_ALLOC(x);
    US_TRY_ALLOC(index);
    for (size_t i = 0; i < n; i++) {
        uint32_t word[4];
        us_philox(1, US_STREAM_SYNTH, 0, i, word);
        x[i] = us_uniform(word[0]) - 0.5f;
    }
    US_TRY(us_write(b->device, us_model_input(b->model), 0, x, n * sizeof *x));
    for (int i = 0; i < o->batch; i++)
        index[i] = i;
    US_TRY(us_buf_new(b->device, (size_t)o->batch * sizeof *index, &b->rows));
    US_TRY(us_write(b->device, b->rows, 0, index, (size_t)o->batch * sizeof *index));
    for (int i = 0; i < o->batch; i++)
        index[i] = i % o->classes;
    US_TRY(us_buf_new(b->device, (size_t)o->batch * sizeof *index, &b->labels));
    US_TRY(us_write(b->device, b->labels, 0, index, (size_t)o->batch * sizeof *index));
    US_TRY(us_buf_new(b->device, (UNSEEN_N_ALWAYS + 1) * (size_t)o->batch * sizeof(float), &b->record));
out:
    free(index);
    free(x);
    return st;
}

static enum unseen_status train_step(struct bench *b)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_bench_options *o = b->options;
    /* The speed does not depend on the rate; a tiny one keeps made-up data from diverging. */
    struct us_sgd sgd = {.lr = 1e-5f, .momentum = 0.9f, .weight_decay = 5e-4f, .nesterov = true};
    struct us_loss loss = {.n = o->batch,
                           .classes = o->classes,
                           .logits = us_model_logits(b->model),
                           .labels = b->labels,
                           .rows = b->rows,
                           .dlogits = us_model_dlogits(b->model),
                           .record = b->record,
                           .scaling = us_model_scaling(b->model),
                           .stride = (size_t)o->batch};
    US_TRY(us_model_forward(b->model, o->batch, true));
    US_TRY(us_loss_run(b->device, &loss));
    US_TRY(us_model_backward(b->model, o->batch));
    US_TRY(us_model_step(b->model, &sgd));
out:
    return st;
}

static enum unseen_status infer_step(struct bench *b)
{
    return us_model_forward(b->model, b->options->batch, false);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of one kind of step, over the rounds. */
struct times {
    double median, least, most, host; /* seconds; host: the median of what enqueueing took */
};

/* Two warm-up rounds, then the timed ones. `seconds` has room for both kinds of a round's times. */
static enum unseen_status time_rounds(struct bench *b, enum unseen_status (*step)(struct bench *),
                                      double *seconds, struct times *times)
{
    enum unseen_status st = UNSEEN_OK;
    const int rounds = b->options->rounds;
    double *host = seconds + rounds;
    for (int i = -2; i < rounds; i++) {
        const double start = us_seconds(), host_start = us_thread_seconds();
        US_TRY(step(b));
        const double host_end = us_thread_seconds();
        US_TRY(us_finish(b->device));
        if (i >= 0) {
            seconds[i] = us_seconds() - start;
            host[i] = host_end - host_start;
        }
    }
    qsort(seconds, (size_t)rounds, sizeof *seconds, by_value);
    qsort(host, (size_t)rounds, sizeof *host, by_value);
    *times = (struct times){seconds[rounds / 2], seconds[0], seconds[rounds - 1], host[rounds / 2]};
out:
    return st;
}

enum unseen_status us_bench_check(const struct unseen_bench_options *o)
{
    return us_options_check(us_bench_options, o);
}

struct us_model_spec us_bench_spec(const struct unseen_bench_options *o)
{
    return (struct us_model_spec){.name = o->model,
                                  .width = o->width,
                                  .classes = o->classes,
                                  .height = o->size,
                                  .channels_in = 3,
                                  .batch = o->batch,
                                  .precision = o->precision,
                                  .training = true,
                                  .recompute = o->recompute != 0};
}

enum unseen_status unseen_bench(struct unseen_device *device, const struct unseen_bench_options *options,
                                struct unseen_bench_result *result)
{
    enum unseen_status st = UNSEEN_OK;
    struct bench b = {.device = device, .options = options};
    struct unseen_bench_result r = {0};
    struct times times;
    double *seconds = NULL;
    US_TRY(us_device_alone(device, "a measurement"));
    US_TRY(us_bench_check(options));
    const struct us_model_spec spec = us_bench_spec(options);
    seconds = us_calloc((size_t)options->rounds * 2, sizeof *seconds);
    US_TRY_ALLOC(seconds);
    double start = us_seconds();
    us_builds_begin(device);
    st = us_loss_prepare(device);
    st = st ? st : us_sgd_prepare(device);
    st = st ? st : us_model_new(device, &spec, &b.model);
    US_TRY(us_builds_end(device, st));
    US_TRY(us_model_init(b.model, 1));
    US_TRY(fill(&b));
    r.build_seconds = us_seconds() - start;
    start = us_seconds();
    US_TRY(train_step(&b));
    US_TRY(us_finish(device));
    r.first_step_seconds = us_seconds() - start;
    US_TRY(time_rounds(&b, train_step, seconds, &times));
    r.train_seconds_min = times.least;
    r.train_seconds_max = times.most;
    r.train_host_seconds = times.host;
    r.train_images_per_second = options->batch / times.median;
    US_TRY(time_rounds(&b, infer_step, seconds, &times));
    r.infer_seconds_min = times.least;
    r.infer_seconds_max = times.most;
    r.infer_host_seconds = times.host;
    r.infer_images_per_second = options->batch / times.median;
    r.forward_flops = us_model_flops(b.model);
    r.peak_bytes = us_device_memory(device).peak;
    *result = r;
out:
    free(seconds);
    us_buf_free(device, b.record);
    us_buf_free(device, b.labels);
    us_buf_free(device, b.rows);
    us_model_free(b.model);
    return st;
}
