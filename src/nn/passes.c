#include "config.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "nn/loader.h"
#include "nn/loading.h"
#include "nn/session.h"
#include "nn/steps.h"
#include "nn/views.h"
#include "nn/work.h"
#include "ops/elementwise.h"
#include "ops/loss.h"
#include "ops/sgd.h"

/* Seconds of work that a window aims at, so that an interrupt and the progress display never wait long. */
static const double inflight_seconds = 0.125;

/* Send the pass's order behind those before, and give its record a place. */
static enum unseen_status begin(struct us_loader *loader, struct us_pass *pass)
{
    enum unseen_status st = UNSEEN_OK;
    const int64_t recorded = pass->unrecorded ? 0 : pass->n;
    if (loader->passed + pass->n > loader->size.passed ||
        loader->recorded + recorded > loader->size.recorded || us_pass_cut(pass, 0).n > loader->size.batch ||
        (pass->weights && !loader->size.weighted) || (us_looks(pass->views)->n > 1 && !loader->size.views) ||
        pass->see & ~loader->size.see) {
        st = us_fail(UNSEEN_FAILED, "training", "a pass over %lld samples where there is room for %lld",
                     (long long)pass->n, (long long)(loader->size.passed - loader->passed));
        goto out;
    }
    pass->order = loader->passed;
    pass->record = loader->recorded * (UNSEEN_N_ALWAYS + 1);
    loader->passed += pass->n;
    loader->recorded += recorded;
    for (int64_t i = 0; i < pass->n; i++)
        loader->host_order[pass->order + i] = (int32_t)pass->samples[i];
    US_TRY(us_write_later(loader->device, loader->order, (size_t)pass->order * sizeof(int32_t),
                          loader->host_order + pass->order, (size_t)pass->n * sizeof(int32_t)));
    if (pass->weights) {
        float *weights = loader->host_weights + pass->order;
        memcpy(weights, pass->weights, (size_t)pass->n * sizeof *weights);
        US_TRY(us_write_later(loader->device, loader->weights, (size_t)pass->order * sizeof *weights, weights,
                              (size_t)pass->n * sizeof *weights));
    }
out:
    return st;
}

/* Steps of the schedule before a step of the pass. */
static int64_t scheduled(const struct us_pass *pass, int64_t step)
{
    return pass->first_step + step * pass->steps_per_epoch / pass->own_steps;
}

float us_pass_lr(const struct us_pass *pass, int64_t at)
{
    return us_schedule_lr(pass->recipe, scheduled(pass, us_pass_cut(pass, at).step), pass->steps);
}

/* Every so many steps the weights join their average, which keeps ever more of itself, up to 0.95^5; behind
 * the last one they become it (Jordan, airbench, 2024). */
enum { LOOKAHEAD_STEPS = 5 };
static enum unseen_status look_ahead(struct us_model *model, const struct us_pass *pass, int64_t step)
{
    enum unseen_status st = UNSEEN_OK;
    const double share = (double)scheduled(pass, step + 1) / (double)pass->steps;
    const double keep = pow(0.95, LOOKAHEAD_STEPS) * pow(share, 3);
    if (!pass->recipe->lookahead)
        return UNSEEN_OK;
    if ((pass->first_step + step + 1) % LOOKAHEAD_STEPS == 0)
        US_TRY(us_model_lookahead(model, (float)(1 - keep)));
    if (scheduled(pass, step + 1) == pass->steps && step + 1 == pass->own_steps)
        US_TRY(us_model_lookahead(model, 0));
out:
    return st;
}

/* Take up the gradients of a cut, from position `at` on, and step behind the last one of a step. */
static enum unseen_status learn(struct us_model *model, const struct us_pass *pass, int64_t at,
                                const struct us_cut *cut)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_recipe *recipe = pass->recipe;
    US_TRY(us_model_backward(model, cut->n));
    US_TRY(us_model_accumulate(model, cut->first, cut->last));
    if (!cut->last)
        goto out;
    const float summed = (float)us_recipe_summed(recipe);
    struct us_sgd sgd = {.lr = summed * us_pass_lr(pass, at),
                         .momentum = recipe->momentum,
                         .weight_decay = us_recipe_decay(recipe) / summed,
                         .nesterov = recipe->nesterov != 0};
    us_model_groups(model, recipe->bias_lr, recipe->decay_all != 0, &sgd);
    US_TRY(us_model_step(model, &sgd));
    US_TRY(look_ahead(model, pass, cut->step));
out:
    return st;
}

/* Let the logits of a batch, which are those of its first look, become the average over all. */
static enum unseen_status look_again(struct us_session *session, struct us_model *model,
                                     struct us_loader *loader, const struct us_pass *pass, int n)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_looks *looks = us_looks(pass->views);
    const size_t count = (size_t)n * (size_t)session->data->classes;
    struct us_buf *logits = us_model_logits(model), *average = loader->average;
    float weight = looks->look[0].weight;
    if (looks->n > 1)
        US_TRY(us_copy(session->device, logits, 0, average, 0, count * sizeof(float)));
    for (int k = 1; k < looks->n; k++) {
        const struct us_look *look = &looks->look[k];
        US_TRY(us_loader_look(session, us_model_input(model), loader, pass, n, look));
        US_TRY(us_model_forward(model, n, false));
        weight += look->weight;
        US_TRY(us_approach(session->device, count, look->weight / weight, logits, average));
    }
out:
    return st;
}

/* Enqueue a cut from position `at` of the pass on. */
static enum unseen_status run_batch(struct us_session *session, struct us_model *model,
                                    struct us_loader *loader, const struct us_pass *pass, int64_t at,
                                    const struct us_cut *cut)
{
    enum unseen_status st = UNSEEN_OK;
    const int n = cut->n, summed = us_recipe_summed(pass->recipe);
    US_TRY(us_loader_batch(session, us_model_input(model), loader, pass, at, n));
    US_TRY(us_model_forward(model, n, pass->training));
    US_TRY(look_again(session, model, loader, pass, n));
    struct us_loss loss = {.n = n,
                           .over = summed > 1 ? summed : cut->of,
                           .classes = session->data->classes,
                           .smoothing = pass->recipe->label_smoothing,
                           .logits = us_model_logits(model),
                           .labels = session->labels[pass->split],
                           .rows = loader->rows,
                           .weights = pass->weights ? loader->weights : NULL,
                           .first_weight = (size_t)(pass->order + at),
                           .dlogits = pass->training ? us_model_dlogits(model) : NULL,
                           .record = loader->record,
                           .scaling = us_model_scaling(model),
                           .stride = (size_t)pass->n,
                           .column = (size_t)(pass->record + at)};
    if (!pass->unrecorded)
        US_TRY(us_loss_run(session->device, &loss));
    US_TRY(us_observe_batch(session, model, loader, pass, n));
    if (pass->training)
        US_TRY(learn(model, pass, at, cut));
out:
    return st;
}

/* Wait for a window, if it is under way, and choose how many batches the next ones have. */
static enum unseen_status settle(struct us_loader *loader, struct us_inflight *inflight)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_pass *pass = inflight->pass;
    if (!inflight->mark)
        return UNSEEN_OK;
    US_TRY(us_queue_wait(&inflight->mark));
    const double now = us_seconds(), fit = inflight_seconds * inflight->batches / (now - loader->since);
    loader->since = now;
    loader->batches = fit > US_INFLIGHT_BATCHES ? US_INFLIGHT_BATCHES : fit < 1 ? 1 : (int)fit;
    US_TRY(us_observe(loader, inflight));
    const int64_t looks = (int64_t)inflight->n * us_looks(pass->views)->n;
    us_progress_add(pass->progress, us_pass_amount(looks, pass->training, pass->price), pass->note);
    *inflight = (struct us_inflight){.pass = NULL};
out:
    return st;
}

/* End the window under way, and wait until the next one's place is free. */
static enum unseen_status turn(struct us_loader *loader)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_inflight *inflight = &loader->inflight[loader->current];
    US_TRY(us_observe_fetch(loader, inflight));
    US_TRY(us_queue_mark(loader->device, &inflight->mark));
    loader->current = (loader->current + 1) % US_INFLIGHT;
    US_TRY(settle(loader, &loader->inflight[loader->current]));
out:
    return st;
}

/* The window that the batch from `at` on falls into. */
static struct us_inflight *inflight_at(struct us_loader *loader, const struct us_pass *pass, int64_t at)
{
    struct us_inflight *inflight = &loader->inflight[loader->current];
    if (inflight->batches == 0) {
        *inflight = (struct us_inflight){.pass = pass, .at = at};
        if (!loader->inflight[(loader->current + 1) % US_INFLIGHT].mark)
            loader->since = us_seconds(); /* nothing was under way */
    }
    return inflight;
}

/* Let the device be known to be idle when all that is enqueued so far is done. */
static enum unseen_status mark_fed(struct us_loader *loader, const struct us_pass *pass)
{
    if (!pass->reader)
        return UNSEEN_OK;
    us_queue_forget(&loader->staging.fed);
    return us_queue_mark(loader->device, &loader->staging.fed);
}

/* Once the decoders have all of a pass in hand, they may begin with the next one. */
static enum unseen_status prepare_next(struct us_session *session, struct us_loader *loader,
                                       const struct us_pass *pass, int64_t at)
{
    const struct us_view *view = us_session_view(session, pass->recipe, us_pass_epoch(pass));
    if (!pass->next || pass->n - at > us_images_ahead(view->images))
        return UNSEEN_OK;
    return us_pass_prepare(session, loader, pass->next);
}

enum unseen_status us_pass_enqueue(struct us_session *session, struct us_model *model,
                                   struct us_loader *loader, struct us_pass *pass)
{
    enum unseen_status st = UNSEEN_OK;
    const double start = us_seconds();
    bool feeds = false;
    US_TRY(us_pass_prepare(session, loader, pass));
    US_TRY(begin(loader, pass));
    feeds = pass->reader != NULL;
    if (feeds)
        us_loading_feeds(true);
    for (int64_t at = 0, n; at < pass->n; at += n) {
        const struct us_cut cut = us_pass_cut(pass, at);
        n = cut.n;
        struct us_inflight *inflight = inflight_at(loader, pass, at);
        US_TRY(prepare_next(session, loader, pass, at));
        US_TRY(run_batch(session, model, loader, pass, at, &cut));
        US_TRY(mark_fed(loader, pass));
        inflight->n += cut.n;
        inflight->batches++;
        if (inflight->batches < loader->batches && at + n < pass->n) {
            US_TRY(us_flush(loader->device));
            continue;
        }
        US_TRY(turn(loader));
        if (us_session_stopped(session)) {
            st = UNSEEN_INTERRUPTED;
            goto out;
        }
    }
out:
    if (feeds)
        us_loading_feeds(false);
    us_pass_end(pass);
    loader->seconds += us_seconds() - start;
    return st;
}

enum unseen_status us_loader_finish(struct us_loader *loader)
{
    enum unseen_status st = UNSEEN_OK;
    const double start = us_seconds();
    for (int i = 0; i < US_INFLIGHT; i++)
        US_TRY(settle(loader, &loader->inflight[(loader->current + i) % US_INFLIGHT]));
    US_TRY(us_read(loader->device, loader->record, 0, loader->host_record,
                   (size_t)loader->recorded * (UNSEEN_N_ALWAYS + 1) * sizeof(float)));
    loader->passed = loader->recorded = 0;
out:
    loader->seconds += us_seconds() - start;
    return st;
}

const float *us_loader_record(const struct us_loader *loader, const struct us_pass *pass)
{
    return loader->host_record + pass->record;
}
