#include "config.h"

#include "nn/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
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
static enum unseen_status place(struct us_trainer *trainer, enum unseen_split split)
{
    enum unseen_status st = UNSEEN_OK;
    static const char *const names[2] = {"training", "test"};
    const struct unseen_dataset *data = trainer->data;
    const struct unseen_images *images = &data->split[split];
    const uint64_t n = (uint64_t)images->n;
    const uint64_t bytes = n * (uint64_t)data->height * (uint64_t)data->width * (uint64_t)data->channels;
    if (images->n < 1)
        return UNSEEN_OK;
    US_TRY(upload(trainer->device, images->labels, n * sizeof(int32_t), &trainer->labels[split]));
    if (fits(trainer->device, bytes))
        US_TRY(upload(trainer->device, images->pixels, bytes, &trainer->pixels[split]));
    else
        us_log(UNSEEN_LOG_INFO,
               "the %s split (%.1f MiB) stays in host memory: it would leave models less than "
               "half of the device's",
               names[split], (double)bytes / (1 << 20));
out:
    return st;
}

enum unseen_status us_trainer_new(struct unseen_device *device, const struct unseen_dataset *data,
                                  struct us_trainer **out)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_trainer *trainer = NULL;
    if (data->split[UNSEEN_TRAIN].n < 1) {
        st = us_fail(UNSEEN_BAD_DATA, data->location ? data->location : "dataset", "has no training split");
        goto out;
    }
    if (data->height != data->width) {
        st = us_fail(UNSEEN_BAD_DATA, data->location ? data->location : "dataset",
                     "images of %d x %d: models take square ones", data->height, data->width);
        goto out;
    }
    US_TRY_ALLOC(trainer = us_calloc(1, sizeof *trainer));
    trainer->device = device;
    trainer->data = data;
    US_TRY(place(trainer, UNSEEN_TRAIN));
    US_TRY(place(trainer, UNSEEN_TEST));
    *out = trainer;
    trainer = NULL;
out:
    us_trainer_free(trainer);
    return st;
}

enum unseen_status us_trainer_share(const struct us_trainer *trainer, struct unseen_device *clone,
                                    struct us_trainer **other)
{
    struct us_trainer *t = us_calloc(1, sizeof *t);
    if (!t)
        return UNSEEN_FAILED;
    t->device = clone;
    t->data = trainer->data;
    t->borrows = true;
    memcpy(t->pixels, trainer->pixels, sizeof t->pixels);
    memcpy(t->labels, trainer->labels, sizeof t->labels);
    *other = t;
    return UNSEEN_OK;
}

bool us_trainer_streams(const struct us_trainer *trainer)
{
    return !trainer->pixels[UNSEEN_TRAIN] || (trainer->labels[UNSEEN_TEST] && !trainer->pixels[UNSEEN_TEST]);
}

bool us_trainer_stopped(const struct us_trainer *trainer)
{
    return us_interrupted() || (trainer->stop && atomic_load(trainer->stop));
}

void us_trainer_free(struct us_trainer *trainer)
{
    if (!trainer)
        return;
    us_model_free(trainer->model);
    for (int s = 0; s < 2 && !trainer->borrows; s++) {
        us_buf_free(trainer->device, trainer->pixels[s]);
        us_buf_free(trainer->device, trainer->labels[s]);
    }
    free(trainer);
}

static bool same_spec(const struct us_model_spec *a, const struct us_model_spec *b)
{
    return strcmp(a->name, b->name) == 0 && a->width == b->width && a->batch == b->batch &&
           a->precision == b->precision;
}

struct us_model_spec us_trainer_spec(const struct us_trainer *trainer, const struct unseen_recipe *recipe)
{
    return (struct us_model_spec){.name = recipe->model,
                                  .width = recipe->width,
                                  .classes = trainer->data->classes,
                                  .height = trainer->data->height,
                                  .channels_in = trainer->data->channels,
                                  .batch = recipe->batch,
                                  .precision = recipe->precision,
                                  .training = true};
}

void us_trainer_drop_model(struct us_trainer *trainer)
{
    us_model_free(trainer->model);
    trainer->model = NULL;
}

enum unseen_status us_trainer_model(struct us_trainer *trainer, const struct unseen_recipe *recipe,
                                    struct us_model **model)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device *device = trainer->device;
    struct us_model_spec spec = us_trainer_spec(trainer, recipe);
    if (!trainer->model || !same_spec(&spec, &trainer->spec)) {
        us_trainer_drop_model(trainer);
        us_builds_begin(device);
        st = us_augment_prepare(device, spec.channels_in);
        st = st ? st : us_loss_prepare(device);
        st = st ? st : us_sgd_prepare(device);
        st = st ? st : us_model_new(device, &spec, &trainer->model);
        st = us_builds_end(device, st);
        if (st) {
            us_trainer_drop_model(trainer);
            goto out;
        }
        snprintf(trainer->name, sizeof trainer->name, "%s", recipe->model);
        spec.name = trainer->name;
        trainer->spec = spec;
    }
    *model = trainer->model;
out:
    return st;
}
