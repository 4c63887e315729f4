#include "config.h"

#include "nn/loader.h"

#include <stdlib.h>
#include <string.h>

#include "nn/loading.h"
#include "nn/session.h"
#include "nn/views.h"
#include "ops/augment.h"

static size_t record_bytes(int64_t n)
{
    return (size_t)n * (UNSEEN_N_ALWAYS + 1) * sizeof(float);
}

uint64_t us_loader_bytes_of(const struct us_loader_size *size, int classes, size_t streamed)
{
    const size_t batch = (size_t)size->batch, row = batch * sizeof(int32_t);
    uint64_t bytes = us_buf_footprint((size_t)size->passed * sizeof(int32_t)) + us_buf_footprint(row) +
                     us_buf_footprint(record_bytes(size->recorded));
    if (size->weighted)
        bytes += us_buf_footprint((size_t)size->passed * sizeof(float));
    if (size->views)
        bytes += us_buf_footprint(batch * (size_t)classes * sizeof(float));
    if (streamed)
        bytes += us_buf_footprint(batch * streamed) + us_buf_footprint(row);
    return bytes + us_observe_bytes(classes, size);
}

uint64_t us_loader_bytes(const struct us_session *session, const struct us_loader_size *size)
{
    const size_t streamed = us_session_streams(session) ? us_session_image_bytes(session) : 0;
    return us_loader_bytes_of(size, session->data->classes, streamed);
}

static enum unseen_status staging_new(const struct us_session *session, int batch, struct us_staging *staging)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t bytes = (size_t)batch * us_session_image_bytes(session);
    int32_t *places = us_calloc((size_t)batch, sizeof *places);
    US_TRY_ALLOC(places);
    for (int i = 0; i < batch; i++)
        places[i] = i;
    US_TRY(us_buf_new(session->device, bytes, &staging->pixels));
    US_TRY(us_buf_new(session->device, (size_t)batch * sizeof *places, &staging->places));
    US_TRY(us_write(session->device, staging->places, 0, places, (size_t)batch * sizeof *places));
    for (int i = 0; i < US_STAGED; i++)
        US_TRY_ALLOC(staging->host[i] = us_calloc(bytes, 1));
out:
    free(places);
    return st;
}

enum unseen_status us_loader_new(const struct us_session *session, const struct us_loader_size *size,
                                 struct us_loader *loader)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device *device = session->device;
    *loader = (struct us_loader){.device = device, .size = *size, .batches = 1};
    US_TRY(us_buf_new(device, (size_t)size->passed * sizeof(int32_t), &loader->order));
    US_TRY(us_buf_new(device, (size_t)size->batch * sizeof(int32_t), &loader->rows));
    US_TRY(us_buf_new(device, record_bytes(size->recorded), &loader->record));
    US_TRY_ALLOC(loader->host_order = us_calloc((size_t)size->passed, sizeof *loader->host_order));
    US_TRY_ALLOC(loader->host_record = us_calloc(record_bytes(size->recorded), 1));
    if (size->weighted) {
        US_TRY(us_buf_new(device, (size_t)size->passed * sizeof(float), &loader->weights));
        US_TRY_ALLOC(loader->host_weights = us_calloc((size_t)size->passed, sizeof(float)));
    }
    if (size->views)
        US_TRY(us_buf_new(device, (size_t)size->batch * (size_t)session->data->classes * sizeof(float),
                          &loader->average));
    if (us_session_streams(session))
        US_TRY(staging_new(session, size->batch, &loader->staging));
    US_TRY(us_observe_new(session, loader));
out:
    return st;
}

void us_loader_free(struct us_loader *loader)
{
    /* What is under way reads and writes memory of ours; why that failed, if it did, was told already. */
    (void)clFinish(us_device_queue(loader->device));
    for (int i = 0; i < US_INFLIGHT; i++)
        us_queue_forget(&loader->inflight[i].mark);
    us_queue_forget(&loader->staging.fed);
    us_loading_add(loader->fed, loader->seconds, loader->waited);
    for (int i = 0; i < US_STAGED; i++) {
        us_queue_forget(&loader->staging.sent[i]);
        free(loader->staging.host[i]);
    }
    us_buf_free(loader->device, loader->staging.pixels);
    us_buf_free(loader->device, loader->staging.places);
    us_capture_free(loader, &loader->probs);
    us_capture_free(loader, &loader->features);
    us_buf_free(loader->device, loader->order);
    us_buf_free(loader->device, loader->rows);
    us_buf_free(loader->device, loader->weights);
    us_buf_free(loader->device, loader->average);
    us_buf_free(loader->device, loader->record);
    free(loader->host_order);
    free(loader->host_weights);
    free(loader->host_record);
    memset(loader, 0, sizeof *loader);
}

int us_pass_epoch(const struct us_pass *pass)
{
    return pass->training ? pass->epoch : US_EVALUATION;
}

static const struct us_view *view_of(const struct us_session *session, const struct us_pass *pass)
{
    return us_session_view(session, pass->recipe, us_pass_epoch(pass));
}

/* Whether a pass takes other parts of the pictures than evaluation does. */
static bool is_random(const struct us_view *view, const struct us_pass *pass)
{
    return pass->training && view->input.resized;
}

/* Who waits for images, and for how long the device did. */
struct wait {
    struct us_session *session;
    struct us_loader *loader;
};

static void set_starving(struct us_loader *loader, bool starves)
{
    if (starves != loader->starves)
        us_loading_starves(starves);
    loader->starves = starves;
}

static bool goes_on(void *context, double seconds)
{
    const struct wait *wait = context;
    struct us_loader *loader = wait->loader;
    if (us_queue_reached(loader->staging.fed)) {
        set_starving(loader, true);
        loader->waited += us_loading_all_starve() ? seconds : 0;
    }
    return !us_session_stopped(wait->session);
}

enum unseen_status us_pass_prepare(struct us_session *session, struct us_loader *loader, struct us_pass *pass)
{
    const struct us_view *view = view_of(session, pass);
    const bool random = is_random(view, pass);
    const struct us_image_order order = {.split = pass->split,
                                         .random = random,
                                         .seed = pass->crop_seed,
                                         .epoch = (uint32_t)pass->epoch,
                                         .sample = pass->samples,
                                         .n = pass->n};
    const bool lies_ready = view->pixels[pass->split] || us_images_held(view->images, pass->split);
    struct wait wait = {session, loader};
    if (pass->reader || pass->n == 0 || (lies_ready && !random))
        return UNSEEN_OK;
    if (random && pass->member) {
        const enum unseen_status st = us_gang_begin(pass->member, view->images, pass->epoch,
                                                    &(struct us_waiting){goes_on, &wait}, &pass->reader);
        set_starving(loader, false);
        return st;
    }
    return us_reader_begin(view->images, &order, &pass->reader);
}

void us_pass_end(struct us_pass *pass)
{
    us_reader_end(pass->reader);
    pass->reader = NULL;
}

/* Gather the pixels of some samples, from host memory or as they are decoded. */
static enum unseen_status gather(struct us_session *session, struct us_loader *loader,
                                 const struct us_pass *pass, int64_t at, int n, uint8_t *pixels)
{
    const struct us_view *view = view_of(session, pass);
    const size_t each = us_image_bytes(view->images);
    const uint8_t *held = us_images_held(view->images, pass->split);
    struct wait wait = {session, loader};
    if (pass->reader) {
        const enum unseen_status st =
            us_reader_take(pass->reader, pass->samples + at, n, &(struct us_waiting){goes_on, &wait}, pixels);
        set_starving(loader, false);
        return st;
    }
    for (int k = 0; k < n; k++)
        memcpy(pixels + (size_t)k * each, held + (size_t)pass->samples[at + k] * each, each);
    return UNSEEN_OK;
}

/* Send the pixels of some samples. */
static enum unseen_status stage_batch(struct us_session *session, struct us_loader *loader,
                                      const struct us_pass *pass, int64_t at, int n)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_staging *staging = &loader->staging;
    const int i = staging->next;
    US_TRY(us_queue_wait(&staging->sent[i]));
    US_TRY(gather(session, loader, pass, at, n, staging->host[i]));
    US_TRY(us_write_later(loader->device, staging->pixels, 0, staging->host[i],
                          (size_t)n * us_image_bytes(view_of(session, pass)->images)));
    US_TRY(us_queue_mark(loader->device, &staging->sent[i]));
    staging->next = (i + 1) % US_STAGED;
    loader->fed += n;
out:
    return st;
}

/* Whether the pixels of a pass are sent batch by batch. */
static bool is_staged(const struct us_session *session, const struct us_pass *pass)
{
    const struct us_view *view = view_of(session, pass);
    return is_random(view, pass) || !view->pixels[pass->split];
}

enum unseen_status us_loader_look(struct us_session *session, struct us_buf *input, struct us_loader *loader,
                                  const struct us_pass *pass, int n, const struct us_look *look)
{
    const struct unseen_dataset *data = session->data;
    const struct us_view *view = view_of(session, pass);
    const bool staged = is_staged(session, pass);
    struct us_augment augment = {.n = n,
                                 .h = view->input.size,
                                 .w = view->input.size,
                                 .c = data->channels,
                                 .pixels = staged ? loader->staging.pixels : view->pixels[pass->split],
                                 .rows = staged ? loader->staging.places : loader->rows,
                                 .ids = loader->rows,
                                 .pad = pass->training ? us_input_pad(pass->recipe, &view->input) : 0,
                                 .flip = pass->training && pass->recipe->flip != UNSEEN_FLIP_NONE,
                                 .alternate = pass->recipe->flip == UNSEEN_FLIP_ALTERNATING,
                                 .reflect =
                                     !pass->training || pass->recipe->padding == UNSEEN_PADDING_REFLECT,
                                 .down = look->down,
                                 .right = look->right,
                                 .mirrored = look->mirrored,
                                 .seed = pass->seed,
                                 .epoch = (uint32_t)pass->epoch};
    memcpy(augment.mean, data->mean, sizeof augment.mean);
    memcpy(augment.std, data->std, sizeof augment.std);
    return us_augment_run(session->device, &augment, input);
}

enum unseen_status us_loader_batch(struct us_session *session, struct us_buf *input, struct us_loader *loader,
                                   const struct us_pass *pass, int64_t at, int n)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_copy(session->device, loader->order, (size_t)(pass->order + at) * sizeof(int32_t), loader->rows,
                   0, (size_t)n * sizeof(int32_t)));
    if (is_staged(session, pass))
        US_TRY(stage_batch(session, loader, pass, at, n));
    US_TRY(us_loader_look(session, input, loader, pass, n, us_looks(UNSEEN_VIEWS_NONE)->look));
out:
    return st;
}
