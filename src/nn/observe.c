#include "config.h"

#include <stdlib.h>

#include "nn/feed.h"
#include "nn/trainer.h"
#include "ops/loss.h"

/* Rows of one window at most. */
static size_t window_rows(const struct us_feed *feed)
{
    return (size_t)US_WINDOW_MOST * (size_t)feed->size.batch;
}

static enum unseen_status make_room(struct us_feed *feed, int each, struct us_aside *aside)
{
    enum unseen_status st = UNSEEN_OK;
    size_t count = US_WINDOWS * window_rows(feed) * (size_t)each;
    aside->each = each;
    if (!aside->buf)
        US_TRY(us_buf_new(feed->device, count * sizeof(float), &aside->buf));
    if (!aside->host)
        US_TRY_ALLOC(aside->host = us_calloc(count, sizeof(float)));
out:
    return st;
}

void us_aside_free(struct us_feed *feed, struct us_aside *aside)
{
    us_buf_free(feed->device, aside->buf);
    free(aside->host);
}

enum unseen_status us_observe_begin(const struct us_trainer *trainer, const struct us_model *model,
                                    struct us_feed *feed, const struct us_pass *pass)
{
    enum unseen_status st = UNSEEN_OK;
    feed->probs.each = trainer->data->classes;
    feed->features.each = us_model_feature_count(model);
    if (pass->see & US_SEE_PROBS)
        US_TRY(make_room(feed, feed->probs.each, &feed->probs));
    if (pass->see & US_SEE_FEATURES)
        US_TRY(make_room(feed, feed->features.each, &feed->features));
out:
    return st;
}

/* Where the rows of a window begin. */
static size_t first_row(const struct us_feed *feed, const struct us_window *window)
{
    return (size_t)(window - feed->window) * window_rows(feed);
}

enum unseen_status us_observe_batch(struct us_trainer *trainer, struct us_model *model, struct us_feed *feed,
                                    const struct us_pass *pass, int n)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_window *window = &feed->window[feed->current];
    const size_t first = first_row(feed, window) + (size_t)window->n;
    if (pass->see & US_SEE_PROBS)
        US_TRY(us_softmax_run(trainer->device, n, feed->probs.each, us_model_logits(model), feed->probs.buf,
                              (int)first));
    if (pass->see & US_SEE_FEATURES) {
        size_t bytes = (size_t)feed->features.each * sizeof(float);
        US_TRY(us_copy(trainer->device, us_model_features(model), 0, feed->features.buf, first * bytes,
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
