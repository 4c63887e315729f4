#include "config.h"

#include "nn/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/reader.h"
#include "ops/augment.h"
#include "ops/loss.h"
#include "ops/sgd.h"

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

/* A split's labels, and its pixels if they fit. */
static enum unseen_status place(struct us_session *session, enum unseen_split split)
{
    enum unseen_status st = UNSEEN_OK;
    static const char *const names[2] = {"training", "test"};
    const struct unseen_dataset *data = session->data;
    const struct unseen_images *images = &data->split[split];
    const uint64_t n = (uint64_t)images->n;
    const uint64_t bytes = n * (uint64_t)data->height * (uint64_t)data->width * (uint64_t)data->channels;
    if (images->n < 1)
        return UNSEEN_OK;
    US_TRY(upload(session->device, images->labels, n * sizeof(int32_t), &session->labels[split]));
    US_TRY(us_reader_fill(data, split));
    if (fits(session->device, bytes))
        US_TRY(upload(session->device, data->reader->pixels[split], bytes, &session->pixels[split]));
    else
        us_log(UNSEEN_LOG_INFO,
               "the %s split (%.1f MiB) stays in host memory: it would leave models less than "
               "half of the device's",
               names[split], (double)bytes / (1 << 20));
out:
    return st;
}

enum unseen_status us_session_new(struct unseen_device *device, const struct unseen_dataset *data,
                                  struct us_session **out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_session *session = NULL;
    if (data->split[UNSEEN_TRAIN].n < 1) {
        st = us_fail(UNSEEN_BAD_DATA, data->location ? data->location : "dataset", "has no training split");
        goto out;
    }
    if (data->height != data->width) {
        st = us_fail(UNSEEN_BAD_DATA, data->location ? data->location : "dataset",
                     "images of %d x %d: models take square ones", data->height, data->width);
        goto out;
    }
    US_TRY_ALLOC(session = us_calloc(1, sizeof *session));
    session->device = device;
    session->data = data;
    US_TRY(place(session, UNSEEN_TRAIN));
    US_TRY(place(session, UNSEEN_TEST));
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
    t->borrows = true;
    memcpy(t->pixels, session->pixels, sizeof t->pixels);
    memcpy(t->labels, session->labels, sizeof t->labels);
    *other = t;
    return UNSEEN_OK;
}

bool us_session_streams(const struct us_session *session)
{
    return !session->pixels[UNSEEN_TRAIN] || (session->labels[UNSEEN_TEST] && !session->pixels[UNSEEN_TEST]);
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
    free(session);
}

static bool same_spec(const struct us_model_spec *a, const struct us_model_spec *b)
{
    return strcmp(a->name, b->name) == 0 && a->width == b->width && a->batch == b->batch &&
           a->precision == b->precision && a->accumulate == b->accumulate && a->recompute == b->recompute;
}

struct us_model_spec us_session_spec(const struct us_session *session, const struct unseen_recipe *recipe)
{
    return (struct us_model_spec){.name = recipe->model,
                                  .width = recipe->width,
                                  .classes = session->data->classes,
                                  .height = session->data->height,
                                  .channels_in = session->data->channels,
                                  .batch = us_recipe_part(recipe),
                                  .precision = recipe->precision,
                                  .training = true,
                                  .accumulate = recipe->accumulate,
                                  .recompute = recipe->recompute != 0};
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
