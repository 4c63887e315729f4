#include "config.h"

#include "base/clock.h"
#include "nn/feed.h"
#include "nn/session.h"
#include "ops/loss.h"
#include "ops/sgd.h"

/* Seconds of work that a window aims at, so that an interrupt and the progress display never wait long. */
static const double window_seconds = 0.125;

/* Send the pass's order behind those before, and give its record a place. */
static enum unseen_status begin(struct us_feed *feed, struct us_pass *pass)
{
    enum unseen_status st = UNSEEN_OK;
    const int64_t recorded = pass->unrecorded ? 0 : pass->n;
    if (feed->passed + pass->n > feed->size.passed || feed->recorded + recorded > feed->size.recorded ||
        pass->recipe->batch > feed->size.batch || pass->see & ~feed->size.see) {
        st = us_fail(UNSEEN_FAILED, "training", "a pass over %lld samples where there is room for %lld",
                     (long long)pass->n, (long long)(feed->size.passed - feed->passed));
        goto out;
    }
    pass->order = feed->passed;
    pass->record = feed->recorded * (UNSEEN_QUANTITIES + 1);
    feed->passed += pass->n;
    feed->recorded += recorded;
    for (int64_t i = 0; i < pass->n; i++)
        feed->host_order[pass->order + i] = (int32_t)pass->samples[i];
    US_TRY(us_write_later(feed->device, feed->order, (size_t)pass->order * sizeof(int32_t),
                          feed->host_order + pass->order, (size_t)pass->n * sizeof(int32_t)));
out:
    return st;
}

/* Enqueue one batch of `n` samples from position `at` of the pass on. */
static enum unseen_status run_batch(struct us_session *session, struct us_model *model, struct us_feed *feed,
                                    const struct us_pass *pass, int64_t at, int n)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_recipe *recipe = pass->recipe;
    US_TRY(us_feed_batch(session, model, feed, pass, at, n));
    US_TRY(us_model_forward(model, n, pass->training));
    struct us_loss loss = {.n = n,
                           .classes = session->data->classes,
                           .smoothing = recipe->label_smoothing,
                           .logits = us_model_logits(model),
                           .labels = session->labels[pass->split],
                           .rows = feed->rows,
                           .dlogits = pass->training ? us_model_dlogits(model) : NULL,
                           .record = feed->record,
                           .scaling = us_model_scaling(model),
                           .stride = (size_t)pass->n,
                           .column = (size_t)(pass->record + at)};
    if (!pass->unrecorded)
        US_TRY(us_loss_run(session->device, &loss));
    US_TRY(us_observe_batch(session, model, feed, pass, n));
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

/* Wait for a window, if it is under way, and choose how many batches the next ones have. */
static enum unseen_status settle(struct us_feed *feed, struct us_window *window)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_pass *pass = window->pass;
    if (!window->mark)
        return UNSEEN_OK;
    US_TRY(us_queue_wait(&window->mark));
    const double now = us_seconds(), fit = window_seconds * window->batches / (now - feed->since);
    feed->since = now;
    feed->batches = fit > US_WINDOW_MOST ? US_WINDOW_MOST : fit < 1 ? 1 : (int)fit;
    US_TRY(us_observe(feed, window));
    us_progress_update(pass->progress, pass->progress_base + (uint64_t)(window->at + window->n), pass->note);
    *window = (struct us_window){.pass = NULL};
out:
    return st;
}

/* End the window under way, and wait until the next one's place is free. */
static enum unseen_status turn(struct us_feed *feed)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_window *window = &feed->window[feed->current];
    US_TRY(us_observe_fetch(feed, window));
    US_TRY(us_queue_mark(feed->device, &window->mark));
    feed->current = (feed->current + 1) % US_WINDOWS;
    US_TRY(settle(feed, &feed->window[feed->current]));
out:
    return st;
}

/* The window that the batch from `at` on falls into. */
static struct us_window *window_at(struct us_feed *feed, const struct us_pass *pass, int64_t at)
{
    struct us_window *window = &feed->window[feed->current];
    if (window->batches == 0) {
        *window = (struct us_window){.pass = pass, .at = at};
        if (!feed->window[(feed->current + 1) % US_WINDOWS].mark)
            feed->since = us_seconds(); /* nothing was under way */
    }
    return window;
}

enum unseen_status us_pass_enqueue(struct us_session *session, struct us_model *model, struct us_feed *feed,
                                   struct us_pass *pass)
{
    enum unseen_status st = UNSEEN_OK;
    const int batch = pass->recipe->batch;
    US_TRY(begin(feed, pass));
    for (int64_t at = 0; at < pass->n; at += batch) {
        const int n = pass->n - at < batch ? (int)(pass->n - at) : batch;
        struct us_window *window = window_at(feed, pass, at);
        US_TRY(run_batch(session, model, feed, pass, at, n));
        window->n += n;
        window->batches++;
        if (window->batches < feed->batches && at + n < pass->n) {
            US_TRY(us_flush(feed->device));
            continue;
        }
        US_TRY(turn(feed));
        if (us_session_stopped(session)) {
            st = UNSEEN_INTERRUPTED;
            goto out;
        }
    }
out:
    return st;
}

enum unseen_status us_feed_finish(struct us_feed *feed)
{
    enum unseen_status st = UNSEEN_OK;
    for (int i = 0; i < US_WINDOWS; i++)
        US_TRY(settle(feed, &feed->window[(feed->current + i) % US_WINDOWS]));
    US_TRY(us_read(feed->device, feed->record, 0, feed->host_record,
                   (size_t)feed->recorded * (UNSEEN_QUANTITIES + 1) * sizeof(float)));
    feed->passed = feed->recorded = 0;
out:
    return st;
}

const float *us_feed_record(const struct us_feed *feed, const struct us_pass *pass)
{
    return feed->host_record + pass->record;
}
