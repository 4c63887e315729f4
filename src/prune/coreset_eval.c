#include "config.h"

#include "prune/coreset_eval.h"

#include <math.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/npy.h"
#include "base/output.h"
#include "base/progress.h"
#include "nn/train.h"
#include "nn/workers.h"

/* Scoring models have lower numbers. */
#define FIRST_MODEL (UINT32_C(1) << 19)

struct eval_run {
    const struct us_coreset_eval *eval;
    struct unseen_recipe recipe;
    struct us_progress *progress;
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
    struct us_train_job job = {.recipe = &run->recipe,
                               .seed = eval->options->seed,
                               .model = FIRST_MODEL + (uint32_t)number,
                               .train = eval->coreset.item,
                               .n_train = eval->coreset.n,
                               .heldout = eval->heldout.item,
                               .n_heldout = eval->heldout.n,
                               .state = model.state,
                               .title = "judge",
                               .whole = run->progress,
                               .on_epoch = keep_answers,
                               .context = &model};
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

enum unseen_status us_coreset_eval(const struct us_coreset_eval *eval, struct us_eval_result *result)
{
    enum unseen_status st = UNSEEN_OK;
    struct eval_run run = {.eval = eval, .recipe = us_coreset_eval_recipe(&eval->options->recipe)};
    struct us_workers *workers = NULL;
    int64_t epochs = run.recipe.epochs, n = eval->coreset.n + eval->heldout.n;
    const struct us_workers_task task = {.recipe = &run.recipe,
                                         .wanted = eval->options->concurrent,
                                         .models = eval->models,
                                         .steps = eval->coreset.n / run.recipe.batch * epochs,
                                         .least = eval->coreset.n};
    US_TRY(us_workers_new(eval->device, eval->data, &task, &workers));
    run.progress = us_progress_begin("judging", "images", (uint64_t)(n * epochs * eval->models));
    US_TRY(us_workers_run(workers, eval->models, train_model, &run));
    US_TRY(count_answers(eval, result));
out:
    us_progress_end(run.progress);
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
