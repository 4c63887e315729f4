#include "config.h"

#include "nn/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/progress.h"
#include "nn/fingerprint.h"
#include "nn/model_copy.h"
#include "nn/steps.h"
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
static enum unseen_status decode_pieces(struct us_session *session, const struct us_view *view,
                                        const struct us_image_order *order, struct us_buf *buf,
                                        struct us_progress *progress)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t bytes = us_image_bytes(view->images);
    const int most = bytes < PIECE ? (int)(PIECE / bytes) : 1;
    const struct us_waiting waiting = {goes_on, session};
    struct us_reader *reader = NULL;
    uint8_t *piece = us_calloc((size_t)most, bytes);
    US_TRY_ALLOC(piece);
    US_TRY(us_reader_begin(view->images, order, &reader));
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
static enum unseen_status decode_all(struct us_session *session, struct us_view *view,
                                     enum unseen_split split, uint64_t bytes)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_image_order order = {.split = split, .n = session->data->split[split].n};
    struct us_progress *progress = us_progress_begin("reading", "images", (uint64_t)order.n);
    int64_t *all = us_calloc((size_t)order.n, sizeof *all);
    US_TRY_ALLOC(all);
    for (int64_t i = 0; i < order.n; i++)
        all[i] = i;
    order.sample = all;
    US_TRY(us_buf_new(session->device, (size_t)bytes, &view->pixels[split]));
    US_TRY(decode_pieces(session, view, &order, view->pixels[split], progress));
out:
    us_progress_end(progress);
    free(all);
    return st;
}

/* A split's pixels if they fit and all passes take them as they are. A test split that is still to be decoded
 * waits until somebody tests. */
static enum unseen_status place(struct us_session *session, struct us_view *view, enum unseen_split split)
{
    enum unseen_status st = UNSEEN_OK;
    static const char *const names[2] = {"training", "test"};
    const struct unseen_images *images = &session->data->split[split];
    const uint8_t *held = us_images_held(view->images, split);
    const uint64_t n = (uint64_t)images->n, bytes = n * us_image_bytes(view->images);
    if (images->n < 1)
        return UNSEEN_OK;
    if (!held && (split == UNSEEN_TEST || view->input.resized))
        return UNSEEN_OK;
    if (!fits(session->device, bytes))
        us_log(UNSEEN_LOG_INFO,
               "the %s split (%.1f MiB) stays in host memory: it would leave models less than "
               "half of the device's",
               names[split], (double)bytes / (1 << 20));
    else if (held)
        US_TRY(upload(session->device, held, bytes, &view->pixels[split]));
    else
        US_TRY(decode_all(session, view, split, bytes));
out:
    return st;
}

/* Of the views for training alone those of random parts have nothing to keep. */
static enum unseen_status open_view(struct us_session *session, const struct unseen_recipe *recipe, int size)
{
    enum unseen_status st = UNSEEN_OK;
    const bool evaluates = session->views == 0;
    struct us_view *view = &session->view[session->views];
    US_TRY(us_input_of(recipe, session->data, size, &view->input));
    const enum us_image_cache cache =
        evaluates || !view->input.resized ? (enum us_image_cache)recipe->cache : US_CACHE_OFF;
    US_TRY(us_images_open(session->data, &view->input, cache, &view->images));
    session->views++;
    US_TRY(place(session, view, UNSEEN_TRAIN));
    if (evaluates)
        US_TRY(place(session, view, UNSEEN_TEST));
    if (us_session_streams(session))
        us_log(UNSEEN_LOG_DEBUG,
               "images of %d pixels are decoded ahead into rings of %.1f MiB, two a model at most", size,
               (double)us_images_ahead(view->images) * (double)us_image_bytes(view->images) / (1 << 20));
out:
    return st;
}

static enum unseen_status place_labels(struct us_session *session)
{
    enum unseen_status st = UNSEEN_OK;
    for (int s = 0; s < 2; s++) {
        const struct unseen_images *images = &session->data->split[s];
        if (images->n > 0)
            US_TRY(upload(session->device, images->labels, (uint64_t)images->n * sizeof(int32_t),
                          &session->labels[s]));
    }
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
    int size[US_SIZES_MOST];
    const int n = us_input_sizes(recipe, data, size);
    US_TRY(place_labels(session));
    for (int i = 0; i < n; i++)
        US_TRY(open_view(session, recipe, size[i]));
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
    t->views = session->views;
    t->borrows = true;
    memcpy(t->view, session->view, sizeof t->view);
    memcpy(t->labels, session->labels, sizeof t->labels);
    *other = t;
    return UNSEEN_OK;
}

bool us_session_streams(const struct us_session *session)
{
    bool streams = session->labels[UNSEEN_TEST] && !session->view[0].pixels[UNSEEN_TEST];
    for (int i = 0; i < session->views; i++)
        streams = streams || session->view[i].input.resized || !session->view[i].pixels[UNSEEN_TRAIN];
    return streams;
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
    for (int i = 0; i < US_SIZES_MOST && !session->borrows; i++) {
        us_buf_free(session->device, session->view[i].pixels[UNSEEN_TRAIN]);
        us_buf_free(session->device, session->view[i].pixels[UNSEEN_TEST]);
        us_images_close(session->view[i].images);
    }
    for (int s = 0; s < 2 && !session->borrows; s++)
        us_buf_free(session->device, session->labels[s]);
    free(session);
}

static bool same_spec(const struct us_model_spec *a, const struct us_model_spec *b)
{
    return strcmp(a->name, b->name) == 0 && a->width == b->width && a->batch == b->batch &&
           a->height == b->height && a->precision == b->precision && a->accumulate == b->accumulate &&
           a->recompute == b->recompute && a->lookahead == b->lookahead && a->evaluates == b->evaluates;
}

static const struct us_view *find_view(const struct us_session *session, int size)
{
    for (int i = 0; i < session->views; i++) {
        if (session->view[i].input.size == size)
            return &session->view[i];
    }
    return NULL;
}

enum unseen_status us_session_check(const struct us_session *session, const struct unseen_recipe *recipe)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_image_input input;
    int size[US_SIZES_MOST];
    const int n = us_input_sizes(recipe, session->data, size);
    for (int i = 0; i < n; i++) {
        const struct us_view *view = find_view(session, size[i]);
        US_TRY(us_input_of(recipe, session->data, size[i], &input));
        if (!view || view->input.resize != input.resize || view->input.resized != input.resized) {
            st = us_fail(UNSEEN_FAILED, "training", "a session for images of %d pixels takes no model for %d",
                         session->view[0].input.size, size[i]);
            goto out;
        }
    }
out:
    return st;
}

const struct us_view *us_session_view(const struct us_session *session, const struct unseen_recipe *recipe,
                                      int epoch)
{
    return find_view(session, us_input_size(recipe, session->data, epoch));
}

size_t us_session_image_bytes(const struct us_session *session)
{
    size_t most = 0;
    for (int i = 0; i < session->views; i++) {
        const size_t bytes = us_image_bytes(session->view[i].images);
        most = bytes > most ? bytes : most;
    }
    return most;
}

struct us_model_spec us_spec_of(const struct unseen_recipe *recipe, const struct unseen_dataset *data,
                                int size)
{
    return (struct us_model_spec){.name = recipe->model,
                                  .width = recipe->width,
                                  .classes = data->classes,
                                  .height = size,
                                  .channels_in = data->channels,
                                  .batch = us_recipe_part(recipe),
                                  .precision = recipe->precision,
                                  .training = true,
                                  .accumulate = recipe->accumulate,
                                  .recompute = recipe->recompute != 0,
                                  .lookahead = recipe->lookahead != 0,
                                  .evaluates = !us_input_trains(recipe, data, size)};
}

enum unseen_status us_session_model_memory(const struct us_session *session,
                                           const struct unseen_recipe *recipe, int64_t least, uint64_t *bytes)
{
    enum unseen_status st = UNSEEN_OK;
    *bytes = 0;
    for (int i = 0; i < session->views; i++) {
        struct us_model_spec spec = us_spec_of(recipe, session->data, session->view[i].input.size);
        uint64_t each = 0;
        spec.batch = us_steps_room_most(recipe, least);
        US_TRY(us_model_memory(session->device, &spec, &each));
        *bytes = each > *bytes ? each : *bytes;
    }
out:
    return st;
}

void us_session_drop_model(struct us_session *session)
{
    us_model_free(session->model);
    session->model = NULL;
}

enum unseen_status us_session_model(struct us_session *session, const struct unseen_recipe *recipe, int64_t n,
                                    int size, struct us_model **model)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device *device = session->device;
    struct us_model_spec spec = us_spec_of(recipe, session->data, size);
    spec.batch = us_steps_room(recipe, n);
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

enum unseen_status us_session_models(struct us_session *session, const struct unseen_recipe *recipe,
                                     int64_t n, struct us_model **model)
{
    enum unseen_status st = UNSEEN_OK;
    int size[US_SIZES_MOST];
    uint64_t sum = US_HASH_START;
    session->n = n;
    for (int i = us_input_sizes(recipe, session->data, size) - 1; i >= 0; i--) {
        US_TRY(us_session_model(session, recipe, n, size[i], model));
        sum = us_algorithms_hash(sum, *model);
    }
    session->algorithms = sum;
out:
    return st;
}

enum unseen_status us_session_resize(struct us_session *session, const struct unseen_recipe *recipe, int size,
                                     struct us_model **model)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_model_copy copy = {0};
    double start;
    *model = session->model;
    if (session->spec.height == size)
        return UNSEEN_OK;
    US_TRY(us_finish(session->device)); /* what is under way is no part of the time below */
    start = us_seconds();
    US_TRY(us_model_copy_read(session->model, &copy));
    US_TRY(us_session_model(session, recipe, session->n, size, model));
    US_TRY(us_model_copy_write(*model, &copy));
    us_log(UNSEEN_LOG_DEBUG, "made the model anew for images of %d pixels in %.3f s", size,
           us_seconds() - start);
out:
    us_model_copy_free(&copy);
    return st;
}
