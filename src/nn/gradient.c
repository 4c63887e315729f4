#include "config.h"

#include "nn/gradient.h"

#include <math.h>
#include <stdlib.h>

#include "base/progress.h"
#include "nn/loader.h"
#include "nn/models.h"
#include "nn/session.h"
#include "ops/loss.h"

struct single {
    struct us_session *session;
    struct us_model *model;
    struct us_loader loader; /* of one sample */
    struct us_pass pass;
    float *gradient;
    size_t count;
};

/* Of the model as it is evaluated. */
static struct us_model_spec spec_of(const struct unseen_dataset *data, const struct unseen_recipe *recipe)
{
    return us_spec_of(recipe, data, us_input_size(recipe, data, US_EVALUATION));
}

enum unseen_status us_gradient_check(const struct unseen_dataset *data, const struct unseen_recipe *recipe)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_model_spec spec = spec_of(data, recipe);
    struct us_graph graph = {0};
    US_TRY(us_graph_of(&spec, &graph));
    if (graph.params.count > US_GRADIENT_PARAMETERS) {
        st =
            us_fail(UNSEEN_USAGE, "grand-full",
                    "takes the gradient of each sample by all parameters, %d at most; %s of width %d has %zu",
                    US_GRADIENT_PARAMETERS, spec.name, spec.width, graph.params.count);
        us_hint("grand takes that by the last layer, of any model; or choose a smaller --model or --width");
    }
out:
    us_graph_free(&graph);
    return st;
}

static struct us_model_spec single_spec(const struct us_session *session, const struct unseen_recipe *recipe)
{
    struct us_model_spec spec = spec_of(session->data, recipe);
    spec.batch = 1;
    spec.accumulate = 1;
    spec.precision = UNSEEN_FLOAT32;
    spec.evaluates = spec.lookahead = false;
    return spec;
}

enum unseen_status us_gradient_memory(const struct us_session *session, const struct unseen_recipe *recipe,
                                      uint64_t *bytes)
{
    const struct us_model_spec spec = single_spec(session, recipe);
    const struct us_loader_size size = {.passed = 1, .recorded = 1, .batch = 1};
    const enum unseen_status st = us_model_memory(session->device, &spec, bytes);
    *bytes += st ? 0 : us_loader_bytes(session, &size);
    return st;
}

/* The model that was trained makes way first: this one, of single samples, needs no more than its place. */
static enum unseen_status begin(struct us_session *session, const struct unseen_recipe *recipe,
                                const char *weights, struct single *s)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_model_spec spec = single_spec(session, recipe);
    const struct us_loader_size size = {.passed = 1, .recorded = 1, .batch = 1};
    s->session = session;
    us_session_drop_model(session);
    US_TRY(us_model_new(session->device, &spec, &s->model));
    US_TRY(us_model_load(s->model, weights));
    us_model_freeze(s->model);
    US_TRY(us_loader_new(session, &size, &s->loader));
    s->count = us_model_count(s->model, US_MODEL_GRADS);
    US_TRY_ALLOC(s->gradient = us_calloc(s->count, sizeof *s->gradient));
out:
    return st;
}

static void end(struct single *s)
{
    us_pass_end(&s->pass);
    us_loader_free(&s->loader);
    us_model_free(s->model);
    free(s->gradient);
}

/* The pixels of the pass's i-th sample, as evaluation takes them, to the model's input. */
static enum unseen_status load(struct single *s, int64_t i)
{
    enum unseen_status st = UNSEEN_OK;
    const int32_t row = (int32_t)s->pass.samples[i];
    US_TRY(us_write(s->session->device, s->loader.order, 0, &row, sizeof row));
    s->pass.order = -i; /* the loader has room for one, which lies at its beginning */
    US_TRY(us_loader_batch(s->session, us_model_input(s->model), &s->loader, &s->pass, i, 1));
out:
    return st;
}

static enum unseen_status gradient_of(struct single *s, int64_t i, float *norm)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_loss loss = {.n = 1,
                           .classes = s->session->data->classes,
                           .logits = us_model_logits(s->model),
                           .labels = s->session->labels[UNSEEN_TRAIN],
                           .rows = s->loader.rows,
                           .dlogits = us_model_dlogits(s->model),
                           .record = s->loader.record,
                           .stride = 1};
    double square = 0;
    US_TRY(load(s, i));
    US_TRY(us_model_forward(s->model, 1, true));
    US_TRY(us_loss_run(s->session->device, &loss));
    US_TRY(us_model_backward(s->model, 1));
    US_TRY(us_model_get(s->model, US_MODEL_GRADS, s->gradient));
    for (size_t p = 0; p < s->count; p++)
        square += (double)s->gradient[p] * s->gradient[p];
    *norm = (float)sqrt(square);
out:
    return st;
}

enum unseen_status us_gradient_norms(struct us_session *session, const struct unseen_recipe *recipe,
                                     const char *weights, const int64_t *samples, int64_t n,
                                     struct us_progress *progress, float *norms)
{
    enum unseen_status st = UNSEEN_OK;
    struct single s = {.session = session, .loader.device = session->device};
    US_TRY(us_gradient_check(session->data, recipe));
    US_TRY(begin(session, recipe, weights, &s));
    s.pass = (struct us_pass){.split = UNSEEN_TRAIN, .samples = samples, .n = n, .recipe = recipe};
    US_TRY(us_pass_prepare(session, &s.loader, &s.pass));
    for (int64_t i = 0; i < n; i++) {
        US_TRY(gradient_of(&s, i, &norms[i]));
        us_progress_update(progress, (uint64_t)i + 1, NULL);
        if (us_session_stopped(session)) {
            st = UNSEEN_INTERRUPTED;
            goto out;
        }
    }
out:
    end(&s);
    return st;
}
