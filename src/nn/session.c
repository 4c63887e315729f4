#include "config.h"

#include "nn/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/progress.h"
#include "nn/input.h"
#include "ops/augment.h"
#include "ops/loss.h"
#include "ops/sgd.h"

/* Bytes that are decoded at a time on their way to a device. */
enum { PIECE = 4 << 20 };

static enum unseen_status upload(struct unseen_device *device, const void *from, uint64_t bytes,
                                 struct us_buf **buf)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_buf_new(device, (size_t)bytes, buf));
    US_TRY(us_write(device, *buf, 0, from, (size_t)bytes));
out:
    return st;
}

/* Half of the memory is left to models. */
static bool fits(struct unseen_device *device, uint64_t bytes)
{
    const struct us_memory memory = us_device_memory(device);
    return bytes <= memory.max_alloc && memory.used + us_buf_footprint(bytes) <= memory.limit / 2;
}

static bool goes_on(void *context, double seconds)
{
    (void)seconds;
    return !us_session_stopped(context);
}

/* Read all images of an order, and send them piece by piece. */
static enum unseen_status decode_pieces(struct us_session *session, const struct us_image_order *order,
                                        struct us_buf *buf, struct us_progress *progress)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t bytes = us_image_bytes(session->images);
    const int most = bytes < PIECE ? (int)(PIECE / bytes) : 1;
    const struct us_waiting waiting = {goes_on, session};
    struct us_reader *reader = NULL;
    uint8_t *piece = us_calloc((size_t)most, bytes);
    US_TRY_ALLOC(piece);
    US_TRY(us_reader_begin(session->images, order, &reader));
    for (int64_t at = 0; at < order->n; at += most) {
        const int n = order->n - at < most ? (int)(order->n - at) : most;
        US_TRY(us_reader_take(reader, order->sample + at, n, &waiting, piece));
        US_TRY(us_write(session->device, buf, (size_t)at * bytes, piece, (size_t)n * bytes));
        us_progress_update(progress, (uint64_t)(at + n), NULL);
    }
out:
    us_reader_end(reader);
    free(piece);
    return st == UNSEEN_INTERRUPTED ? us_fail(st, "reading images", "stopped on request") : st;
}

/* Decode a split, as evaluation takes it, into a buffer of the device. */
static enum unseen_status decode_all(struct us_session *session, enum unseen_split split, uint64_t bytes)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_image_order order = {.split = split, .n = session->data->split[split].n};
    struct us_progress *progress = us_progress_begin("reading", "images", (uint64_t)order.n);
    int64_t *all = us_calloc((size_t)order.n, sizeof *all);
    US_TRY_ALLOC(all);
    for (int64_t i = 0; i < order.n; i++)
        all[i] = i;
    order.sample = all;
    US_TRY(us_buf_new(session->device, (size_t)bytes, &session->pixels[split]));
    US_TRY(decode_pieces(session, &order, session->pixels[split], progress));
out:
    us_progress_end(progress);
    free(all);
    return st;
}

/* A split's labels, and its pixels if they fit and all passes take them as they are. A test split that is
 * still to be decoded waits until somebody tests. */
static enum unseen_status place(struct us_session *session, enum unseen_split split)
{
    enum unseen_status st = UNSEEN_OK;
    static const char *const names[2] = {"training", "test"};
    const struct unseen_images *images = &session->data->split[split];
    const uint8_t *held = us_images_held(session->images, split);
    const uint64_t n = (uint64_t)images->n, bytes = n * us_image_bytes(session->images);
    if (images->n < 1)
        return UNSEEN_OK;
    US_TRY(upload(session->device, images->labels, n * sizeof(int32_t), &session->labels[split]));
    if (!held && (split == UNSEEN_TEST || session->input.resized))
        return UNSEEN_OK;
    if (!fits(session->device, bytes))
        us_log(UNSEEN_LOG_INFO,
               "the %s split (%.1f MiB) stays in host memory: it would leave models less than "
               "half of the device's",
               names[split], (double)bytes / (1 << 20));
    else if (held)
        US_TRY(upload(session->device, held, bytes, &session->pixels[split]));
    else
        US_TRY(decode_all(session, split, bytes));
out:
    return st;
}

enum unseen_status us_session_new(struct unseen_device *device, const struct unseen_dataset *data,
                                  const struct unseen_recipe *recipe, struct us_session **out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_session *session = NULL;
    if (data->split[UNSEEN_TRAIN].n < 1) {
        st = us_fail(UNSEEN_BAD_DATA, data->location ? data->location : "dataset", "has no training split");
        goto out;
    }
    US_TRY_ALLOC(session = us_calloc(1, sizeof *session));
    session->device = device;
    session->data = data;
    US_TRY(us_input_of(recipe, data, &session->input));
    US_TRY(us_images_open(data, &session->input, (enum us_image_cache)recipe->cache, &session->images));
    US_TRY(place(session, UNSEEN_TRAIN));
    US_TRY(place(session, UNSEEN_TEST));
    if (us_session_streams(session))
        us_log(UNSEEN_LOG_DEBUG, "images are decoded ahead into rings of %.1f MiB, two a model at most",
               (double)us_images_ahead(session->images) * (double)us_image_bytes(session->images) /
                   (1 << 20));
    *out = session;
    session = NULL;
out:
    us_session_free(session);
    return st;
}

enum unseen_status us_session_share(const struct us_session *session, struct unseen_device *clone,
                                    struct us_session **other)
{
    struct us_session *t = us_calloc(1, sizeof *t);
    if (!t)
        return UNSEEN_FAILED;
    t->device = clone;
    t->data = session->data;
    t->input = session->input;
    t->images = session->images;
    t->borrows = true;
    memcpy(t->pixels, session->pixels, sizeof t->pixels);
    memcpy(t->labels, session->labels, sizeof t->labels);
    *other = t;
    return UNSEEN_OK;
}

bool us_session_streams(const struct us_session *session)
{
    return session->input.resized || !session->pixels[UNSEEN_TRAIN] ||
           (session->labels[UNSEEN_TEST] && !session->pixels[UNSEEN_TEST]);
}

bool us_session_stopped(const struct us_session *session)
{
    return us_interrupted() || (session->stop && atomic_load(session->stop));
}

void us_session_free(struct us_session *session)
{
    if (!session)
        return;
    us_model_free(session->model);
    for (int s = 0; s < 2 && !session->borrows; s++) {
        us_buf_free(session->device, session->pixels[s]);
        us_buf_free(session->device, session->labels[s]);
    }
    if (!session->borrows)
        us_images_close(session->images);
    free(session);
}

static bool same_spec(const struct us_model_spec *a, const struct us_model_spec *b)
{
    return strcmp(a->name, b->name) == 0 && a->width == b->width && a->batch == b->batch &&
           a->height == b->height && a->precision == b->precision && a->accumulate == b->accumulate &&
           a->recompute == b->recompute;
}

struct us_model_spec us_spec_of(const struct unseen_recipe *recipe, const struct unseen_dataset *data)
{
    struct us_image_input input;
    /* What is wrong with it is told where recipes are checked. */
    (void)us_input_of(recipe, data, &input);
    return (struct us_model_spec){.name = recipe->model,
                                  .width = recipe->width,
                                  .classes = data->classes,
                                  .height = input.size,
                                  .channels_in = data->channels,
                                  .batch = us_recipe_part(recipe),
                                  .precision = recipe->precision,
                                  .training = true,
                                  .accumulate = recipe->accumulate,
                                  .recompute = recipe->recompute != 0};
}

struct us_model_spec us_session_spec(const struct us_session *session, const struct unseen_recipe *recipe)
{
    return us_spec_of(recipe, session->data);
}

void us_session_drop_model(struct us_session *session)
{
    us_model_free(session->model);
    session->model = NULL;
}

enum unseen_status us_session_model(struct us_session *session, const struct unseen_recipe *recipe,
                                    struct us_model **model)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device *device = session->device;
    struct us_model_spec spec = us_session_spec(session, recipe);
    if (!session->model || !same_spec(&spec, &session->spec)) {
        us_session_drop_model(session);
        us_builds_begin(device);
        st = us_augment_prepare(device, spec.channels_in);
        st = st ? st : us_loss_prepare(device);
        st = st ? st : us_sgd_prepare(device);
        st = st ? st : us_model_new(device, &spec, &session->model);
        st = us_builds_end(device, st);
        if (st) {
            us_session_drop_model(session);
            goto out;
        }
        snprintf(session->name, sizeof session->name, "%s", recipe->model);
        spec.name = session->name;
        session->spec = spec;
    }
    *model = session->model;
out:
    return st;
}
