#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "nn/trainer.h"
#include "ops/augment.h"
#include "ops/loss.h"
#include "ops/sgd.h"

enum { MAX_WINDOW = 16 };

enum unseen_status us_feed_new(struct unseen_device *device, int64_t n, int batch, struct us_feed *feed)
{
    enum unseen_status st = UNSEEN_OK;
    memset(feed, 0, sizeof *feed);
    feed->device = device;
    feed->n = n;
    feed->window = 1;
    US_TRY(us_buf_new(device, (size_t)n * sizeof(int32_t), &feed->order));
    US_TRY(us_buf_new(device, (size_t)batch * sizeof(int32_t), &feed->rows));
    US_TRY(us_buf_new(device, (size_t)n * (UNSEEN_QUANTITIES + 1) * sizeof(float), &feed->record));
out:
    return st;
}

uint64_t us_feed_bytes(int64_t n, int batch)
{
    return us_buf_footprint((size_t)n * sizeof(int32_t)) + us_buf_footprint((size_t)batch * sizeof(int32_t)) +
           us_buf_footprint((size_t)n * (UNSEEN_QUANTITIES + 1) * sizeof(float));
}

void us_feed_free(struct us_feed *feed)
{
    us_buf_free(feed->device, feed->order);
    us_buf_free(feed->device, feed->rows);
    us_buf_free(feed->device, feed->record);
    us_buf_free(feed->device, feed->probs);
    us_buf_free(feed->device, feed->features);
    free(feed->host_probs);
    free(feed->host_features);
    memset(feed, 0, sizeof *feed);
}

static enum unseen_status write_order(struct us_feed *feed, const struct us_pass *pass)
{
    enum unseen_status st = UNSEEN_OK;
    int32_t *order = us_calloc((size_t)pass->n, sizeof *order);
    US_TRY_ALLOC(order);
    for (int64_t i = 0; i < pass->n; i++)
        order[i] = (int32_t)pass->samples[i];
    US_TRY(us_write(feed->device, feed->order, 0, order, (size_t)pass->n * sizeof *order));
out:
    free(order);
    return st;
}

/* From the images of feed->rows to the model's input. */
static enum unseen_status load_batch(struct us_trainer *trainer, struct us_model *model, struct us_feed *feed,
                                     const struct us_pass *pass, int n)
{
    const struct unseen_dataset *data = trainer->data;
    struct us_augment augment = {.n = n,
                                 .h = data->height,
                                 .w = data->width,
                                 .c = data->channels,
                                 .pixels = trainer->pixels[pass->split],
                                 .rows = feed->rows,
                                 .ids = feed->rows,
                                 .pad = pass->training ? pass->recipe->pad : 0,
                                 .flip = pass->training && pass->recipe->flip,
                                 .seed = pass->seed,
                                 .epoch = (uint32_t)pass->epoch};
    memcpy(augment.mean, data->mean, sizeof augment.mean);
    memcpy(augment.std, data->std, sizeof augment.std);
    return us_augment_run(trainer->device, &augment, us_model_input(model));
}

/* Room for `each` floats of every sample that can be queued. */
static enum unseen_status make_room(struct us_feed *feed, int batch, int each, struct us_buf **buf,
                                    float **host)
{
    enum unseen_status st = UNSEEN_OK;
    size_t count = (size_t)MAX_WINDOW * (size_t)batch * (size_t)each;
    if (!*buf)
        US_TRY(us_buf_new(feed->device, count * sizeof(float), buf));
    if (!*host)
        US_TRY_ALLOC(*host = us_calloc(count, sizeof(float)));
out:
    return st;
}

static enum unseen_status observe_begin(const struct us_trainer *trainer, const struct us_model *model,
                                        struct us_feed *feed, const struct us_pass *pass)
{
    enum unseen_status st = UNSEEN_OK;
    int batch = pass->recipe->batch;
    if (pass->see & US_SEE_PROBS)
        US_TRY(make_room(feed, batch, trainer->data->classes, &feed->probs, &feed->host_probs));
    if (pass->see & US_SEE_FEATURES)
        US_TRY(make_room(feed, batch, us_model_feature_count(model), &feed->features, &feed->host_features));
out:
    return st;
}

/* Set aside what the batch just enqueued computes, as rows `first`.. of those queued. */
static enum unseen_status observe_batch(struct us_trainer *trainer, struct us_model *model,
                                        struct us_feed *feed, const struct us_pass *pass, int n, int first)
{
    enum unseen_status st = UNSEEN_OK;
    if (pass->see & US_SEE_PROBS)
        US_TRY(us_softmax_run(trainer->device, n, trainer->data->classes, us_model_logits(model), feed->probs,
                              first));
    if (pass->see & US_SEE_FEATURES) {
        size_t bytes = (size_t)us_model_feature_count(model) * sizeof(float);
        US_TRY(us_copy(trainer->device, us_model_features(model), 0, feed->features, (size_t)first * bytes,
                       (size_t)n * bytes));
    }
out:
    return st;
}

/* Hand over the `n` rows set aside, those of the pass from position `at` on. */
static enum unseen_status observe(struct us_trainer *trainer, const struct us_model *model,
                                  struct us_feed *feed, const struct us_pass *pass, int64_t at, int n)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_rows rows = {.pass = pass->kind,
                           .epoch = pass->epoch,
                           .n = n,
                           .classes = trainer->data->classes,
                           .feature_count = us_model_feature_count(model),
                           .samples = pass->samples + at};
    if (!pass->see)
        goto out;
    if (pass->see & US_SEE_PROBS) {
        US_TRY(us_read(trainer->device, feed->probs, 0, feed->host_probs,
                       (size_t)n * (size_t)rows.classes * sizeof(float)));
        rows.probs = feed->host_probs;
    }
    if (pass->see & US_SEE_FEATURES) {
        US_TRY(us_read(trainer->device, feed->features, 0, feed->host_features,
                       (size_t)n * (size_t)rows.feature_count * sizeof(float)));
        rows.features = feed->host_features;
    }
    US_TRY(pass->observer->see(pass->observer->context, &rows));
out:
    return st;
}

/* Enqueue one batch of `n` samples from position `at` of the pass on, `first` of which are queued already. */
static enum unseen_status run_batch(struct us_trainer *trainer, struct us_model *model, struct us_feed *feed,
                                    const struct us_pass *pass, int64_t at, int n, int first)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_recipe *recipe = pass->recipe;
    US_TRY(us_copy(trainer->device, feed->order, (size_t)at * sizeof(int32_t), feed->rows, 0,
                   (size_t)n * sizeof(int32_t)));
    US_TRY(load_batch(trainer, model, feed, pass, n));
    US_TRY(us_model_forward(model, n, pass->training));
    struct us_loss loss = {.n = n,
                           .classes = trainer->data->classes,
                           .smoothing = recipe->label_smoothing,
                           .logits = us_model_logits(model),
                           .labels = trainer->labels[pass->split],
                           .rows = feed->rows,
                           .dlogits = pass->training ? us_model_dlogits(model) : NULL,
                           .record = feed->record,
                           .stride = (size_t)pass->n,
                           .column = (size_t)at};
    US_TRY(us_loss_run(trainer->device, &loss));
    US_TRY(observe_batch(trainer, model, feed, pass, n, first));
    if (!pass->training)
        goto out;
    US_TRY(us_model_backward(model, n));
    int64_t step = pass->first_step + at / recipe->batch;
    struct us_sgd sgd = {.lr = us_schedule_lr(recipe, step, pass->steps, pass->steps_per_epoch),
                         .momentum = recipe->momentum,
                         .weight_decay = recipe->weight_decay,
                         .nesterov = recipe->nesterov != 0};
    US_TRY(us_model_step(model, &sgd));
out:
    return st;
}

/* Wait for the queue, and choose how much to queue next: about a quarter of a second, so that an interrupt
 * and the progress display never wait long while a fast device never waits for the host. */
static enum unseen_status drain(struct us_feed *feed, int queued, double *since)
{
    enum unseen_status st = us_finish(feed->device);
    if (st)
        return st;
    double time = us_seconds(), each = (time - *since) / queued;
    *since = time;
    feed->window = each * MAX_WINDOW < 0.25 ? MAX_WINDOW : each > 0.25 ? 1 : (int)(0.25 / each);
    return UNSEEN_OK;
}

enum unseen_status us_pass_run(struct us_trainer *trainer, struct us_model *model, struct us_feed *feed,
                               const struct us_pass *pass, float *record)
{
    enum unseen_status st = UNSEEN_OK;
    int queued = 0;
    int64_t seen = 0; /* samples that are not queued any more */
    double since = us_seconds();
    US_TRY(write_order(feed, pass));
    US_TRY(observe_begin(trainer, model, feed, pass));
    for (int64_t at = 0; at < pass->n; at += pass->recipe->batch) {
        int64_t left = pass->n - at;
        int n = left < pass->recipe->batch ? (int)left : pass->recipe->batch;
        US_TRY(run_batch(trainer, model, feed, pass, at, n, (int)(at - seen)));
        if (++queued < feed->window) {
            US_TRY(us_flush(trainer->device));
            continue;
        }
        US_TRY(drain(feed, queued, &since));
        US_TRY(observe(trainer, model, feed, pass, seen, (int)(at + n - seen)));
        queued = 0;
        seen = at + n;
        us_progress_update(pass->progress, pass->progress_base + (uint64_t)(at + n), pass->note);
        if (us_trainer_stopped(trainer)) {
            st = UNSEEN_INTERRUPTED;
            goto out;
        }
    }
    if (seen < pass->n)
        US_TRY(observe(trainer, model, feed, pass, seen, (int)(pass->n - seen)));
    US_TRY(us_read(trainer->device, feed->record, 0, record,
                   (size_t)pass->n * (UNSEEN_QUANTITIES + 1) * sizeof *record));
out:
    return st;
}
