#include "config.h"

#include "prune/judge.h"

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

struct court {
    const struct us_judge *judge;
    struct unseen_recipe recipe;
    struct us_progress *progress;
};

/* One judge on one coreset. */
struct trial {
    const struct court *court;
    char *state, *correct;
};

static char *path_of(const struct us_judge *j, int number, const char *suffix)
{
    return us_format("%s/judge-%d.%s", j->folder, number, suffix);
}

/* The last epoch's answers go to disk before its checkpoint does: a finished run is not asked again. */
static enum unseen_status keep_answers(void *context, const struct unseen_epoch *epoch,
                                       const struct us_sample_stats *trained,
                                       const struct us_sample_stats *heldout,
                                       const struct us_sample_stats *probe)
{
    (void)trained;
    (void)probe;
    const struct trial *trial = context;
    if (epoch->epoch != trial->court->recipe.epochs - 1)
        return UNSEEN_OK;
    uint8_t *correct = us_calloc((size_t)heldout->n, 1);
    if (!correct)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < heldout->n; i++)
        correct[i] = heldout->value[UNSEEN_CORRECT * heldout->n + i] > 0.5f;
    enum unseen_status st = us_npy_write(trial->correct, US_U8, 1, &heldout->n, correct);
    free(correct);
    return st;
}

/* Called by several threads at once. */
static enum unseen_status train_judge(void *context, int number, struct us_session *session)
{
    enum unseen_status st = UNSEEN_OK;
    const struct court *court = context;
    const struct us_judge *j = court->judge;
    struct trial trial = {court, path_of(j, number, "safetensors"), path_of(j, number, "npy")};
    US_TRY_ALLOC(trial.state);
    US_TRY_ALLOC(trial.correct);
    struct us_train_job job = {.recipe = &court->recipe,
                               .seed = j->options->seed,
                               .model = FIRST_MODEL + (uint32_t)number,
                               .train = j->coreset.item,
                               .n_train = j->coreset.n,
                               .heldout = j->heldout.item,
                               .n_heldout = j->heldout.n,
                               .state = trial.state,
                               .title = "judge",
                               .whole = court->progress,
                               .on_epoch = keep_answers,
                               .context = &trial};
    US_TRY(us_train(session, &job, NULL, NULL));
out:
    free(trial.state);
    free(trial.correct);
    return st;
}

/* Of all judges, by class. */
static enum unseen_status count_answers(const struct us_judge *j, struct us_verdict *v)
{
    enum unseen_status st = UNSEEN_OK;
    const int32_t *labels = j->data->split[UNSEEN_TRAIN].labels;
    int64_t *asked = us_calloc((size_t)j->data->classes, sizeof *asked);
    double *right = us_calloc((size_t)j->data->classes, sizeof *right);
    struct us_npy answers = {0};
    char *path = NULL;
    v->right = 0;
    US_TRY_ALLOC(asked);
    US_TRY_ALLOC(right);
    for (int number = 0; number < j->judges; number++) {
        US_TRY_ALLOC(path = path_of(j, number, "npy"));
        US_TRY(us_npy_open_as(path, US_U8, 1, &answers));
        if (answers.shape[0] != j->heldout.n) {
            st = us_fail(UNSEEN_BAD_DATA, path, "not of this run");
            goto out;
        }
        for (int64_t i = 0; i < j->heldout.n; i++) {
            int right_now = ((const uint8_t *)answers.data)[i];
            asked[labels[j->heldout.item[i]]]++;
            right[labels[j->heldout.item[i]]] += right_now;
            v->right += right_now;
        }
        us_npy_close(&answers);
        free(path);
        path = NULL;
    }
    for (int c = 0; c < j->data->classes; c++)
        right[c] = asked[c] ? right[c] / (double)asked[c] : NAN;
    v->asked = j->heldout.n * j->judges;
    v->class_accuracy = right;
    right = NULL;
out:
    us_npy_close(&answers);
    free(path);
    free(right);
    free(asked);
    return st;
}

struct unseen_recipe us_judge_recipe(const struct unseen_recipe *scoring)
{
    struct unseen_recipe recipe = *scoring;
    recipe.epochs = us_recipe_epochs(scoring);
    recipe.stop_after = 0;
    return recipe;
}

enum unseen_status us_judge(const struct us_judge *judge, struct us_verdict *verdict)
{
    enum unseen_status st = UNSEEN_OK;
    struct court court = {.judge = judge, .recipe = us_judge_recipe(&judge->options->recipe)};
    struct us_workers *workers = NULL;
    int64_t epochs = court.recipe.epochs, n = judge->coreset.n + judge->heldout.n;
    const struct us_workers_task task = {.recipe = &court.recipe,
                                         .wanted = judge->options->concurrent,
                                         .models = judge->judges,
                                         .steps = judge->coreset.n / court.recipe.batch * epochs};
    US_TRY(us_workers_new(judge->device, judge->data, &task, &workers));
    court.progress = us_progress_begin("judging", "images", (uint64_t)(n * epochs * judge->judges));
    US_TRY(us_workers_run(workers, judge->judges, train_judge, &court));
    US_TRY(count_answers(judge, verdict));
out:
    us_progress_end(court.progress);
    us_workers_free(workers);
    return st;
}

void us_judge_clear(const struct us_judge *judge)
{
    for (int number = 0; number < judge->judges; number++) {
        static const char *const suffixes[] = {"safetensors", "npy"};
        for (int s = 0; s < 2; s++) {
            char *path = path_of(judge, number, suffixes[s]);
            /* What stays is only a waste. */
            if (path)
                (void)us_remove_file(path);
            free(path);
        }
    }
}
