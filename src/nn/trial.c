#include "config.h"

#include "nn/trial.h"

#include <stdlib.h>

#include "nn/loader.h"
#include "nn/steps.h"

enum unseen_status us_trial_pass(struct us_session *session, const struct us_trial *trial)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_recipe *recipe = trial->recipe;
    const int64_t n = trial->n, all = session->data->split[UNSEEN_TRAIN].n;
    struct us_model *model;
    struct us_loader loader = {.device = session->device};
    const struct us_loader_size size = {.passed = n,
                                        .recorded = n,
                                        .batch = us_steps_room(recipe, n),
                                        .see = trial->see,
                                        .feature_count = trial->feature_count};
    int64_t *samples = us_calloc((size_t)n, sizeof *samples);
    US_TRY_ALLOC(samples);
    for (int64_t i = 0; i < n; i++)
        samples[i] = i % all;
    struct us_pass pass = {.split = UNSEEN_TRAIN,
                           .samples = samples,
                           .n = n,
                           .recipe = recipe,
                           .training = trial->training,
                           .kind = trial->training ? US_PASS_TRAIN : US_PASS_HELDOUT,
                           .steps = n,
                           .steps_per_epoch = n,
                           .own_steps = n / recipe->batch};
    US_TRY(us_session_model(session, recipe, n, us_input_size(recipe, session->data, us_pass_epoch(&pass)),
                            &model));
    US_TRY(us_model_init(model, 0));
    US_TRY(us_loader_new(session, &size, &loader));
    st = us_pass_enqueue(session, model, &loader, &pass);
    st = st ? st : us_loader_finish(&loader);
    if (st == UNSEEN_INTERRUPTED)
        us_fail(st, "training", "stopped on request before the first epoch");
out:
    us_loader_free(&loader);
    free(samples);
    return st;
}
