#include "config.h"

#include <stdlib.h>

#include "nn/loader.h"
#include "nn/session.h"
#include "ops/loss.h"

/* Rows of one window at most. */
static size_t inflight_rows(const struct us_loader_size *size)
{
    return (size_t)US_INFLIGHT_BATCHES * (size_t)size->batch;
}

static size_t capture_bytes(const struct us_loader_size *size, int each)
{
    return US_INFLIGHT * inflight_rows(size) * (size_t)each * sizeof(float);
}

uint64_t us_observe_bytes(int classes, const struct us_loader_size *size)
{
    uint64_t bytes = 0;
    if (size->see & US_SEE_PROBS)
        bytes += us_buf_footprint(capture_bytes(size, classes));
    if (size->see & US_SEE_FEATURES)
        bytes += us_buf_footprint(capture_bytes(size, size->feature_count));
    return bytes;
}

static enum unseen_status capture_new(struct us_loader *loader, int each, struct us_capture *capture)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t bytes = capture_bytes(&loader->size, each);
    capture->each = each;
    US_TRY(us_buf_new(loader->device, bytes, &capture->buf));
    US_TRY_ALLOC(capture->host = us_calloc(bytes, 1));
out:
    return st;
}

enum unseen_status us_observe_new(const struct us_session *session, struct us_loader *loader)
{
    enum unseen_status st = UNSEEN_OK;
    /* us_observe tells the number of classes even where probabilities are not captured. */
    loader->probs.each = session->data->classes;
    if (loader->size.see & US_SEE_PROBS)
        US_TRY(capture_new(loader, session->data->classes, &loader->probs));
    if (loader->size.see & US_SEE_FEATURES)
        US_TRY(capture_new(loader, loader->size.feature_count, &loader->features));
out:
    return st;
}

void us_capture_free(struct us_loader *loader, struct us_capture *capture)
{
    us_buf_free(loader->device, capture->buf);
    free(capture->host);
}

/* Where the rows of a window begin. */
static size_t first_row(const struct us_loader *loader, const struct us_inflight *inflight)
{
    return (size_t)(inflight - loader->inflight) * inflight_rows(&loader->size);
}

enum unseen_status us_observe_batch(struct us_session *session, struct us_model *model,
                                    struct us_loader *loader, const struct us_pass *pass, int n)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_inflight *inflight = &loader->inflight[loader->current];
    const size_t first = first_row(loader, inflight) + (size_t)inflight->n;
    if (pass->see & US_SEE_PROBS)
        US_TRY(us_softmax_run(session->device, n, loader->probs.each, us_model_logits(model),
                              loader->probs.buf, (int)first));
    if (pass->see & US_SEE_FEATURES) {
        size_t bytes = (size_t)loader->features.each * sizeof(float);
        US_TRY(us_copy(session->device, us_model_features(model), 0, loader->features.buf, first * bytes,
                       (size_t)n * bytes));
    }
out:
    return st;
}

static enum unseen_status fetch(struct us_loader *loader, const struct us_inflight *inflight,
                                struct us_capture *capture)
{
    const size_t row = (size_t)capture->each * sizeof(float), first = first_row(loader, inflight);
    return us_read_later(loader->device, capture->buf, first * row,
                         capture->host + first * (size_t)capture->each, (size_t)inflight->n * row);
}

enum unseen_status us_observe_fetch(struct us_loader *loader, const struct us_inflight *inflight)
{
    enum unseen_status st = UNSEEN_OK;
    if (inflight->pass->see & US_SEE_PROBS)
        US_TRY(fetch(loader, inflight, &loader->probs));
    if (inflight->pass->see & US_SEE_FEATURES)
        US_TRY(fetch(loader, inflight, &loader->features));
out:
    return st;
}

enum unseen_status us_observe(struct us_loader *loader, const struct us_inflight *inflight)
{
    const struct us_pass *pass = inflight->pass;
    const size_t first = first_row(loader, inflight);
    struct us_rows rows = {.pass = pass->kind,
                           .epoch = pass->epoch,
                           .n = inflight->n,
                           .classes = loader->probs.each,
                           .feature_count = loader->features.each,
                           .samples = pass->samples + inflight->at};
    if (!pass->see)
        return UNSEEN_OK;
    if (pass->see & US_SEE_PROBS)
        rows.probs = loader->probs.host + first * (size_t)loader->probs.each;
    if (pass->see & US_SEE_FEATURES)
        rows.features = loader->features.host + first * (size_t)loader->features.each;
    return pass->observer->see(pass->observer->context, &rows);
}
