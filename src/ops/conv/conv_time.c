#include "config.h"

#include "ops/conv/conv_time.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"

/* Seconds that a round of one algorithm should take at least, and calls that it may make for that. */
#define ROUND_SECONDS 0.01
enum { MOST_CALLS = 64, PERIOD = 8191 };

struct candidate {
    struct us_conv *conv; /* NULL: out of the race */
    int calls;            /* in a round */
    double *seconds;      /* [rounds] */
};

struct race {
    struct unseen_device *device;
    struct us_conv_shape shape;
    enum us_conv_direction direction;
    size_t floats[US_CONV_DIRECTIONS]; /* of y, x and the weights: what a pass in that direction writes */
    struct us_buf *buf[US_CONV_DIRECTIONS], *work;
    float *host; /* as long as the longest of them */
    float *want; /* of the reference, or NULL */
    struct candidate *candidate;
    int n, rounds;
};

/* Numbers in [-1, 1) in a period that no size is a multiple of. */
static enum unseen_status fill(struct race *r, struct us_buf *buf, size_t floats)
{
    for (size_t i = 0; i < floats; i++) {
        uint32_t word[4];
        if (i < PERIOD) {
            us_philox(1, US_STREAM_SYNTH, 0, i, word);
            r->host[i] = 2.0f * us_uniform(word[0]) - 1.0f;
        } else {
            r->host[i] = r->host[i - PERIOD];
        }
    }
    return us_write(r->device, buf, 0, r->host, floats * sizeof(float));
}

static enum unseen_status call(struct race *r, struct us_conv *conv)
{
    struct us_buf *y = r->buf[US_CONV_FORWARD], *x = r->buf[US_CONV_BWD_DATA],
                  *w = r->buf[US_CONV_BWD_WEIGHTS];
    switch (r->direction) {
    case US_CONV_FORWARD:
        return us_conv_forward(conv, r->shape.n, x, w, r->work, y);
    case US_CONV_BWD_DATA:
        return us_conv_backward_data(conv, r->shape.n, y, w, r->work, false, x);
    default:
        return us_conv_backward_weights(conv, r->shape.n, x, y, r->work, w);
    }
}

static enum unseen_status timed(struct race *r, const struct candidate *c, double *seconds)
{
    enum unseen_status st = UNSEEN_OK;
    const double start = us_seconds();
    for (int i = 0; i < c->calls; i++)
        US_TRY(call(r, c->conv));
    US_TRY(us_finish(r->device));
    *seconds = (us_seconds() - start) / c->calls;
out:
    return st;
}

/* Buffers and their contents, the workspace of the neediest. */
static enum unseen_status allocate(struct race *r)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &r->shape;
    const size_t oh = (size_t)us_conv_out(s->h, s->kernel, s->stride, s->pad);
    const size_t ow = (size_t)us_conv_out(s->w, s->kernel, s->stride, s->pad);
    size_t work = 0, most = 0;
    r->floats[US_CONV_FORWARD] = (size_t)s->n * oh * ow * (size_t)s->cout;
    r->floats[US_CONV_BWD_DATA] = (size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->cin;
    r->floats[US_CONV_BWD_WEIGHTS] = (size_t)s->kernel * (size_t)s->kernel * (size_t)s->cin * (size_t)s->cout;
    for (int i = 0; i < r->n; i++) {
        const size_t bytes = r->candidate[i].conv ? us_conv_workspace(r->candidate[i].conv) : 0;
        work = bytes > work ? bytes : work;
    }
    for (int i = 0; i < US_CONV_DIRECTIONS; i++)
        most = r->floats[i] > most ? r->floats[i] : most;
    US_TRY_ALLOC(r->host = us_calloc(most, sizeof(float)));
    for (int i = 0; i < US_CONV_DIRECTIONS; i++) {
        US_TRY(us_buf_new(r->device, r->floats[i] * sizeof(float), &r->buf[i]));
        US_TRY(fill(r, r->buf[i], r->floats[i]));
    }
    if (work)
        US_TRY(us_buf_new(r->device, work, &r->work));
out:
    return st;
}

static enum unseen_status build(struct race *r, struct us_conv_timing *timing)
{
    const char *wish[US_CONV_DIRECTIONS] = {NULL, NULL, NULL};
    for (int i = 0; i < r->n; i++) {
        struct candidate *c = &r->candidate[i];
        if (!(c->seconds = us_calloc((size_t)r->rounds, sizeof *c->seconds)))
            return UNSEEN_FAILED;
        wish[r->direction] = timing[i].algorithm[0] ? timing[i].algorithm : NULL;
        enum unseen_status st = us_conv_new(r->device, &r->shape, wish, &c->conv);
        if (st && r->n == 1)
            return st;
        if (st) {
            us_log(UNSEEN_LOG_WARNING, "%s is left out: %s", timing[i].algorithm, unseen_last_error());
            c->conv = NULL;
            continue;
        }
        snprintf(timing[i].algorithm, sizeof timing[i].algorithm, "%s",
                 us_conv_algorithm_name(c->conv, r->direction));
        timing[i].why = us_conv_why(c->conv, r->direction);
    }
    return UNSEEN_OK;
}

static void leave_out(struct race *r, int i)
{
    us_conv_free(r->candidate[i].conv);
    r->candidate[i].conv = NULL;
}

/* The first call of each, checked; then how many calls make a round. */
static enum unseen_status warm_up(struct race *r, const struct us_conv_timing *timing, int i)
{
    enum unseen_status st = UNSEEN_OK;
    struct candidate *c = &r->candidate[i];
    const size_t floats = r->floats[r->direction];
    double seconds, worst = 0.0, largest = 0.0;
    c->calls = 1;
    US_TRY(timed(r, c, &seconds));
    if (r->n > 1) {
        US_TRY(us_read(r->device, r->buf[r->direction], 0, r->host, floats * sizeof(float)));
        if (strcmp(timing[i].algorithm, "im2col") == 0) {
            US_TRY_ALLOC(r->want = us_calloc(floats, sizeof(float)));
            memcpy(r->want, r->host, floats * sizeof(float));
        }
        for (size_t k = 0; r->want && k < floats; k++) {
            const double apart = fabs((double)r->host[k] - r->want[k]);
            worst = apart <= worst ? worst : apart; /* a NaN counts */
            largest = fmax(largest, fabs((double)r->want[k]));
        }
        if (!(worst <= (r->shape.precision != UNSEEN_FLOAT32 ? 5e-2 : 1e-3) * largest)) {
            us_log(UNSEEN_LOG_WARNING, "%s is left out: its results are wrong on this device",
                   timing[i].algorithm);
            leave_out(r, i);
            goto out;
        }
    }
    US_TRY(timed(r, c, &seconds));
    c->calls = seconds * MOST_CALLS > ROUND_SECONDS ? (int)ceil(ROUND_SECONDS / seconds) : MOST_CALLS;
out:
    return st;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum unseen_status run(struct race *r, struct us_conv_timing *timing)
{
    enum unseen_status st = UNSEEN_OK;
    /* The reference first, so that all others are compared with it. */
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < r->n; i++)
            if (r->candidate[i].conv && (strcmp(timing[i].algorithm, "im2col") == 0) == (pass == 0))
                US_TRY(warm_up(r, timing, i));
    }
    for (int k = 0; k < r->rounds; k++) {
        for (int i = 0; i < r->n; i++)
            if (r->candidate[i].conv)
                US_TRY(timed(r, &r->candidate[i], &r->candidate[i].seconds[k]));
    }
    for (int i = 0; i < r->n; i++) {
        struct candidate *c = &r->candidate[i];
        qsort(c->seconds, (size_t)r->rounds, sizeof *c->seconds, by_value);
        timing[i].seconds = c->conv ? c->seconds[r->rounds / 2] : (double)NAN;
    }
out:
    return st;
}

enum unseen_status us_conv_time(struct unseen_device *device, const struct us_conv_shape *shape,
                                enum us_conv_direction direction, int rounds, struct us_conv_timing *timing,
                                int n)
{
    enum unseen_status st = UNSEEN_OK;
    struct race r = {.device = device, .shape = *shape, .direction = direction, .n = n, .rounds = rounds};
    US_TRY_ALLOC(r.candidate = us_calloc((size_t)n, sizeof *r.candidate));
    US_TRY(build(&r, timing));
    US_TRY(allocate(&r));
    US_TRY(run(&r, timing));
out:
    for (int i = 0; r.candidate && i < n; i++) {
        us_conv_free(r.candidate[i].conv);
        free(r.candidate[i].seconds);
    }
    free(r.candidate);
    for (int i = 0; i < US_CONV_DIRECTIONS; i++)
        us_buf_free(device, r.buf[i]);
    us_buf_free(device, r.work);
    free(r.host);
    free(r.want);
    return st;
}
