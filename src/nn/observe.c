#include "config.h"

#include <stdlib.h>

#include "nn/feed.h"
#include "nn/session.h"
#include "ops/loss.h"

/* Rows of one window at most. */
static size_t window_rows(const struct us_feed_size *size)
{
    return (size_t)US_WINDOW_MOST * (size_t)size->batch;
}

static size_t aside_bytes(const struct us_feed_size *size, int each)
{
    return US_WINDOWS * window_rows(size) * (size_t)each * sizeof(float);
}

uint64_t us_observe_bytes(const struct us_session *session, const struct us_feed_size *size)
{
    uint64_t bytes = 0;
    if (size->see & US_SEE_PROBS)
        bytes += us_buf_footprint(aside_bytes(size, session->data->classes));
    if (size->see & US_SEE_FEATURES)
        bytes += us_buf_footprint(aside_bytes(size, size->feature_count));
    return bytes;
}

static enum unseen_status aside_new(struct us_feed *feed, int each, struct us_aside *aside)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t bytes = aside_bytes(&feed->size, each);
    aside->each = each;
    US_TRY(us_buf_new(feed->device, bytes, &aside->buf));
    US_TRY_ALLOC(aside->host = us_calloc(bytes, 1));
out:
    return st;
}

enum unseen_status us_observe_new(const struct us_session *session, struct us_feed *feed)
{
    enum unseen_status st = UNSEEN_OK;
    if (feed->size.see & US_SEE_PROBS)
        US_TRY(aside_new(feed, session->data->classes, &feed->probs));
    if (feed->size.see & US_SEE_FEATURES)
        US_TRY(aside_new(feed, feed->size.feature_count, &feed->features));
out:
    return st;
}

void us_aside_free(struct us_feed *feed, struct us_aside *aside)
{
    us_buf_free(feed->device, aside->buf);
    free(aside->host);
}

/* Where the rows of a window begin. */
static size_t first_row(const struct us_feed *feed, const struct us_window *window)
{
    return (size_t)(window - feed->window) * window_rows(&feed->size);
}

enum unseen_status us_observe_batch(struct us_session *session, struct us_model *model, struct us_feed *feed,
                                    const struct us_pass *pass, int n)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_window *window = &feed->window[feed->current];
    const size_t first = first_row(feed, window) + (size_t)window->n;
    if (pass->see & US_SEE_PROBS)
        US_TRY(us_softmax_run(session->device, n, feed->probs.each, us_model_logits(model), feed->probs.buf,
                              (int)first));
    if (pass->see & US_SEE_FEATURES) {
        size_t bytes = (size_t)feed->features.each * sizeof(float);
        US_TRY(us_copy(session->device, us_model_features(model), 0, feed->features.buf, first * bytes,
                       (size_t)n * bytes));
    }
out:
    return st;
}

static enum unseen_status fetch(struct us_feed *feed, const struct us_window *window, struct us_aside *aside)
{
    const size_t row = (size_t)aside->each * sizeof(float), first = first_row(feed, window);
    return us_read_later(feed->device, aside->buf, first * row, aside->host + first * (size_t)aside->each,
                         (size_t)window->n * row);
}

enum unseen_status us_observe_fetch(struct us_feed *feed, const struct us_window *window)
{
    enum unseen_status st = UNSEEN_OK;
    if (window->pass->see & US_SEE_PROBS)
        US_TRY(fetch(feed, window, &feed->probs));
    if (window->pass->see & US_SEE_FEATURES)
        US_TRY(fetch(feed, window, &feed->features));
out:
    return st;
}

enum unseen_status us_observe(struct us_feed *feed, const struct us_window *window)
{
    const struct us_pass *pass = window->pass;
    const size_t first = first_row(feed, window);
    struct us_rows rows = {.pass = pass->kind,
                           .epoch = pass->epoch,
                           .n = window->n,
                           .classes = feed->probs.each,
                           .feature_count = feed->features.each,
                           .samples = pass->samples + window->at};
    if (!pass->see)
        return UNSEEN_OK;
    if (pass->see & US_SEE_PROBS)
        rows.probs = feed->probs.host + first * (size_t)feed->probs.each;
    if (pass->see & US_SEE_FEATURES)
        rows.features = feed->features.host + first * (size_t)feed->features.each;
    return pass->observer->see(pass->observer->context, &rows);
}
