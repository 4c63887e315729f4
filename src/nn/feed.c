#include "config.h"

#include "nn/feed.h"

#include <stdlib.h>
#include <string.h>

#include "nn/session.h"
#include "ops/augment.h"

static size_t image_bytes(const struct unseen_dataset *data)
{
    return (size_t)data->height * (size_t)data->width * (size_t)data->channels;
}

static size_t record_bytes(int64_t n)
{
    return (size_t)n * (UNSEEN_QUANTITIES + 1) * sizeof(float);
}

uint64_t us_feed_bytes(const struct us_session *session, const struct us_feed_size *size)
{
    const size_t batch = (size_t)size->batch, row = batch * sizeof(int32_t);
    uint64_t bytes = us_buf_footprint((size_t)size->passed * sizeof(int32_t)) + us_buf_footprint(row) +
                     us_buf_footprint(record_bytes(size->recorded));
    if (us_session_streams(session))
        bytes += us_buf_footprint(batch * image_bytes(session->data)) + us_buf_footprint(row);
    return bytes + us_observe_bytes(session, size);
}

static enum unseen_status stage_new(const struct us_session *session, int batch, struct us_stage *stage)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t bytes = (size_t)batch * image_bytes(session->data);
    int32_t *places = us_calloc((size_t)batch, sizeof *places);
    US_TRY_ALLOC(places);
    for (int i = 0; i < batch; i++)
        places[i] = i;
    US_TRY(us_buf_new(session->device, bytes, &stage->pixels));
    US_TRY(us_buf_new(session->device, (size_t)batch * sizeof *places, &stage->places));
    US_TRY(us_write(session->device, stage->places, 0, places, (size_t)batch * sizeof *places));
    for (int i = 0; i < US_STAGES; i++)
        US_TRY_ALLOC(stage->host[i] = us_calloc(bytes, 1));
out:
    free(places);
    return st;
}

enum unseen_status us_feed_new(const struct us_session *session, const struct us_feed_size *size,
                               struct us_feed *feed)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device *device = session->device;
    *feed = (struct us_feed){.device = device, .size = *size, .batches = 1};
    US_TRY(us_buf_new(device, (size_t)size->passed * sizeof(int32_t), &feed->order));
    US_TRY(us_buf_new(device, (size_t)size->batch * sizeof(int32_t), &feed->rows));
    US_TRY(us_buf_new(device, record_bytes(size->recorded), &feed->record));
    US_TRY_ALLOC(feed->host_order = us_calloc((size_t)size->passed, sizeof *feed->host_order));
    US_TRY_ALLOC(feed->host_record = us_calloc(record_bytes(size->recorded), 1));
    if (us_session_streams(session))
        US_TRY(stage_new(session, size->batch, &feed->stage));
    US_TRY(us_observe_new(session, feed));
out:
    return st;
}

void us_feed_free(struct us_feed *feed)
{
    /* What is under way reads and writes memory of ours; why that failed, if it did, was told already. */
    (void)clFinish(us_device_queue(feed->device));
    for (int i = 0; i < US_WINDOWS; i++)
        us_queue_forget(&feed->window[i].mark);
    for (int i = 0; i < US_STAGES; i++) {
        us_queue_forget(&feed->stage.sent[i]);
        free(feed->stage.host[i]);
    }
    us_buf_free(feed->device, feed->stage.pixels);
    us_buf_free(feed->device, feed->stage.places);
    us_aside_free(feed, &feed->probs);
    us_aside_free(feed, &feed->features);
    us_buf_free(feed->device, feed->order);
    us_buf_free(feed->device, feed->rows);
    us_buf_free(feed->device, feed->record);
    free(feed->host_order);
    free(feed->host_record);
    memset(feed, 0, sizeof *feed);
}

/* Gather the pixels of some samples and send them. */
static enum unseen_status stage_batch(const struct us_session *session, struct us_feed *feed,
                                      const struct us_pass *pass, int64_t at, int n)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_stage *stage = &feed->stage;
    const size_t each = image_bytes(session->data);
    const uint8_t *pixels = session->data->split[pass->split].pixels;
    const int i = stage->next;
    US_TRY(us_queue_wait(&stage->sent[i]));
    for (int k = 0; k < n; k++)
        memcpy(stage->host[i] + (size_t)k * each, pixels + (size_t)pass->samples[at + k] * each, each);
    US_TRY(us_write_later(feed->device, stage->pixels, 0, stage->host[i], (size_t)n * each));
    US_TRY(us_queue_mark(feed->device, &stage->sent[i]));
    stage->next = (i + 1) % US_STAGES;
out:
    return st;
}

enum unseen_status us_feed_batch(struct us_session *session, struct us_model *model, struct us_feed *feed,
                                 const struct us_pass *pass, int64_t at, int n)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_dataset *data = session->data;
    struct us_augment augment = {.n = n,
                                 .h = data->height,
                                 .w = data->width,
                                 .c = data->channels,
                                 .pixels = session->pixels[pass->split],
                                 .rows = feed->rows,
                                 .ids = feed->rows,
                                 .pad = pass->training ? pass->recipe->pad : 0,
                                 .flip = pass->training && pass->recipe->flip,
                                 .seed = pass->seed,
                                 .epoch = (uint32_t)pass->epoch};
    memcpy(augment.mean, data->mean, sizeof augment.mean);
    memcpy(augment.std, data->std, sizeof augment.std);
    US_TRY(us_copy(session->device, feed->order, (size_t)(pass->order + at) * sizeof(int32_t), feed->rows, 0,
                   (size_t)n * sizeof(int32_t)));
    if (!augment.pixels) {
        US_TRY(stage_batch(session, feed, pass, at, n));
        augment.pixels = feed->stage.pixels;
        augment.rows = feed->stage.places;
    }
    US_TRY(us_augment_run(session->device, &augment, us_model_input(model)));
out:
    return st;
}
