#include "config.h"

#include "prune/coreset_eval.h"

#include <math.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/npy.h"
#include "base/output.h"
#include "nn/train.h"
#include "nn/workers.h"

/* Scoring models have lower numbers. */
#define FIRST_MODEL (UINT32_C(1) << 19)

struct eval_run {
    const struct us_coreset_eval *eval;
    struct unseen_recipe recipe;
    const struct us_price *price; /* in the plan; may be NULL */
};

/* One model on one coreset. */
struct eval_model {
    const struct eval_run *run;
    char *state, *correct;
};

static char *path_of(const struct us_coreset_eval *eval, int number, const char *suffix)
{
    return us_format("%s/judge-%d.%s", eval->folder, number, suffix);
}

static struct us_train_job job_of(const struct us_coreset_eval *eval, const struct unseen_recipe *recipe,
                                  const char *state)
{
    return (struct us_train_job){.recipe = recipe,
                                 .seed = eval->options->seed,
                                 .train = eval->coreset.item,
                                 .n_train = eval->coreset.n,
                                 .heldout = eval->heldout.item,
                                 .n_heldout = eval->heldout.n,
                                 .state = state,
                                 .title = "judge",
                                 .whole = eval->plan ? eval->plan->progress : NULL};
}

struct us_work us_coreset_eval_left(const struct us_coreset_eval *eval)
{
    struct us_work sum = {0};
    const struct unseen_recipe recipe = us_coreset_eval_recipe(&eval->options->recipe);
    for (int number = 0; number < eval->models; number++) {
        char *state = eval->folder ? path_of(eval, number, "safetensors") : NULL;
        const struct us_train_job job = job_of(eval, &recipe, state);
        const struct us_work work = us_train_left(eval->data, &job);
        us_work_add(&sum, &work);
        free(state);
    }
    return sum;
}

/* The last epoch's answers go to disk before its checkpoint does: a finished run is not asked again. */
static enum unseen_status keep_answers(void *context, const struct unseen_epoch *epoch,
                                       const struct us_sample_stats *trained,
                                       const struct us_sample_stats *heldout,
                                       const struct us_sample_stats *probe)
{
    (void)trained;
    (void)probe;
    const struct eval_model *model = context;
    if (epoch->epoch != model->run->recipe.epochs - 1)
        return UNSEEN_OK;
    uint8_t *correct = us_calloc((size_t)heldout->n, 1);
    if (!correct)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < heldout->n; i++)
        correct[i] = heldout->value[UNSEEN_CORRECT * heldout->n + i] > 0.5f;
    enum unseen_status st = us_npy_write(model->correct, US_U8, 1, &heldout->n, correct);
    free(correct);
    return st;
}

/* Called by several threads at once. */
static enum unseen_status train_model(void *context, int number, struct us_session *session)
{
    enum unseen_status st = UNSEEN_OK;
    const struct eval_run *run = context;
    const struct us_coreset_eval *eval = run->eval;
    struct eval_model model = {run, path_of(eval, number, "safetensors"), path_of(eval, number, "npy")};
    US_TRY_ALLOC(model.state);
    US_TRY_ALLOC(model.correct);
    struct us_train_job job = job_of(eval, &run->recipe, model.state);
    job.model = FIRST_MODEL + (uint32_t)number;
    job.price = run->price;
    job.on_epoch = keep_answers;
    job.context = &model;
    US_TRY(us_train(session, &job, NULL, NULL));
out:
    free(model.state);
    free(model.correct);
    return st;
}

/* Of all models, by class. */
static enum unseen_status count_answers(const struct us_coreset_eval *eval, struct us_eval_result *result)
{
    enum unseen_status st = UNSEEN_OK;
    const int32_t *labels = eval->data->split[UNSEEN_TRAIN].labels;
    int64_t *asked = us_calloc((size_t)eval->data->classes, sizeof *asked);
    double *right = us_calloc((size_t)eval->data->classes, sizeof *right);
    struct us_npy answers = {0};
    char *path = NULL;
    result->right = 0;
    US_TRY_ALLOC(asked);
    US_TRY_ALLOC(right);
    for (int number = 0; number < eval->models; number++) {
        US_TRY_ALLOC(path = path_of(eval, number, "npy"));
        US_TRY(us_npy_open_as(path, US_U8, 1, &answers));
        if (answers.shape[0] != eval->heldout.n) {
            st = us_fail(UNSEEN_BAD_DATA, path, "not of this run");
            goto out;
        }
        for (int64_t i = 0; i < eval->heldout.n; i++) {
            int right_now = ((const uint8_t *)answers.data)[i];
            asked[labels[eval->heldout.item[i]]]++;
            right[labels[eval->heldout.item[i]]] += right_now;
            result->right += right_now;
        }
        us_npy_close(&answers);
        free(path);
        path = NULL;
    }
    for (int c = 0; c < eval->data->classes; c++)
        right[c] = asked[c] ? right[c] / (double)asked[c] : NAN;
    result->asked = eval->heldout.n * eval->models;
    result->class_accuracy = right;
    right = NULL;
out:
    us_npy_close(&answers);
    free(path);
    free(right);
    free(asked);
    return st;
}

struct unseen_recipe us_coreset_eval_recipe(const struct unseen_recipe *scoring)
{
    struct unseen_recipe recipe = *scoring;
    recipe.epochs = us_recipe_epochs(scoring);
    recipe.stop_after = 0;
    return recipe;
}

struct us_workers_task us_coreset_eval_task(const struct us_coreset_eval *eval,
                                            const struct unseen_recipe *recipe)
{
    return (struct us_workers_task){.recipe = recipe,
                                    .wanted = eval->options->concurrent,
                                    .models = eval->models,
                                    .steps = eval->coreset.n / recipe->batch * recipe->epochs,
                                    .least = eval->coreset.n};
}

enum unseen_status us_coreset_eval(const struct us_coreset_eval *eval, struct us_eval_result *result)
{
    enum unseen_status st = UNSEEN_OK;
    struct eval_run run = {.eval = eval, .recipe = us_coreset_eval_recipe(&eval->options->recipe)};
    struct us_workers *workers = NULL;
    const struct us_workers_task task = us_coreset_eval_task(eval, &run.recipe);
    run.price = us_work_plan_price_of(eval->plan, &task);
    US_TRY(us_workers_new(eval->device, eval->data, &task, &workers));
    US_TRY(us_workers_run(workers, eval->models, train_model, &run));
    US_TRY(count_answers(eval, result));
out:
    us_workers_free(workers);
    return st;
}

void us_coreset_eval_clear(const struct us_coreset_eval *eval)
{
    for (int number = 0; number < eval->models; number++) {
        static const char *const suffixes[] = {"safetensors", "npy"};
        for (int s = 0; s < 2; s++) {
            char *path = path_of(eval, number, suffixes[s]);
            /* What stays is only a waste. */
            if (path)
                (void)us_remove_file(path);
            free(path);
        }
    }
}
