#include "config.h"

#include "scoring/room.h"

#include <math.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/host_memory.h"
#include "nn/models.h"
#include "nn/session.h"
#include "trajectory/trajectory.h"

#define MEBIBYTE (1024. * 1024)

/* Of memory for a sample. A model's lists of samples, their places, their order and what is recorded of an
 * epoch take at least so much while it trains; its lists alone while records are put together. */
enum { WHILE_TRAINING = 100, LISTS = 3 * sizeof(int64_t) };

/* Softmaxes of the epoch under way and of the two before it. */
enum { SOFTMAXES = 3 };

/* Floats of a checkpoint and of weights, and numbers in one sample's features. */
struct sizes {
    int64_t state, weights;
    int features;
};

static enum unseen_status measure_model(const struct us_scoring *run, struct sizes *sizes)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_recipe *recipe = &run->options->recipe;
    const struct us_model_spec spec =
        us_spec_of(recipe, run->data, us_input_size(recipe, run->data, US_EVALUATION));
    struct us_graph graph = {0};
    US_TRY(us_graph_of(&spec, &graph));
    sizes->weights = (int64_t)graph.params.count;
    sizes->state = 2 * sizes->weights + (int64_t)graph.stats.count;
    if (recipe->lookahead)
        sizes->state += sizes->weights + (int64_t)graph.stats.count;
    sizes->features = us_graph_feature_count(&graph);
out:
    us_graph_free(&graph);
    return st;
}

/* Samples of a side that models leave records of, one for each model that does. */
static double count_records(const struct us_scoring *run, const struct unseen_trajectory *view)
{
    double records = 0;
    if (!run->subset)
        return (double)run->n * view->repeats;
    for (int64_t i = 0; i < run->n; i++)
        records += run->subset->role[i] == US_SCORED_BY_ALL_MODELS ? run->models_per_repeat : 1;
    return records * run->options->repeats;
}

static bool has_side(const struct us_scoring *run, enum us_side side)
{
    const bool seen_only = run->options->protocol == UNSEEN_SEEN;
    return side == US_SEEN_SIDE ? !run->subset : !seen_only;
}

/* Of one sample on one side, all epochs. */
static double record_bytes(const struct us_scoring *run, const struct sizes *sizes)
{
    const double classes = run->data->classes, epochs = us_scoring_epochs(run);
    double bytes = epochs * us_record_rows(run) * sizeof(float);
    if (us_scoring_records(run, UNSEEN_PROBS))
        bytes += epochs * classes * (double)us_dtype_size(us_trajectory_dtype(UNSEEN_PROBS));
    if (us_scoring_records(run, UNSEEN_CHANGE))
        bytes += fmin(SOFTMAXES, epochs) * classes * sizeof(float);
    if (us_scoring_records(run, UNSEEN_FEATURES))
        bytes += sizes->features * (double)sizeof(float);
    if (us_scoring_records(run, UNSEEN_GRADIENT_NORM))
        bytes += sizeof(float);
    return bytes;
}

static double checkpoint_bytes(const struct us_scoring *run, const struct sizes *sizes)
{
    const bool weights = us_scoring_records(run, UNSEEN_GRADIENT_NORM) || (run->subset && run->subset->to);
    const double models = (double)run->models_per_repeat * run->options->repeats;
    return models * (double)(sizes->state + (weights ? sizes->weights : 0)) * sizeof(float);
}

/* Of this call's models. */
static double share(const struct us_scoring *run)
{
    return (double)us_scoring_own(run) / (run->models_per_repeat * run->options->repeats);
}

static double memory_bytes(const struct us_scoring *run)
{
    const int rows = us_record_rows(run), at_once = run->options->concurrent ? run->options->concurrent : 1;
    const double training = (double)at_once * (WHILE_TRAINING + (rows - UNSEEN_N_ALWAYS) * sizeof(float));
    const double gathering = (double)run->models_per_repeat * LISTS + rows * sizeof(float);
    return (double)run->n * fmax(training, gathering);
}

/* Counts beyond all disks stay numbers. */
static int64_t whole(double bytes)
{
    return bytes < 0x1p62 ? (int64_t)bytes : (int64_t)1 << 62;
}

enum unseen_status us_room_of(const struct us_scoring *run, struct us_room *room)
{
    enum unseen_status st = UNSEEN_OK;
    struct sizes sizes = {0};
    double kept = 0, records = 0;
    US_TRY(measure_model(run, &sizes));
    for (int side = US_UNSEEN_SIDE; side <= US_SEEN_SIDE; side++) {
        if (!has_side(run, side))
            continue;
        struct unseen_trajectory view = us_gathered(run, side);
        view.feature_count = sizes.features;
        const bool centres = us_scoring_records(run, UNSEEN_FEATURES) && view.folds;
        kept += us_trajectory_bytes(&view, run->options->record_also | (centres ? 1u << US_CENTRES : 0));
        records += count_records(run, &view) * record_bytes(run, &sizes);
    }
    *room = (struct us_room){.kept = run->options->jobs > 1 ? 0 : whole(kept),
                             .work = whole(share(run) * (records + checkpoint_bytes(run, &sizes))),
                             .memory = whole(memory_bytes(run))};
out:
    return st;
}

/* A file or folder of the run's. */
static bool has(const struct us_scoring *run, const char *name)
{
    char *path = run->options->out ? us_format("%s/%s", run->options->out, name) : NULL;
    const bool there = path && us_exists(path);
    free(path);
    return there;
}

/* What an earlier call left there, which this one goes on from. */
static int64_t there_already(const struct us_scoring *run, const char *name)
{
    char *path = run->options->out ? us_format("%s/%s", run->options->out, name) : NULL;
    const int64_t bytes = path ? us_folder_bytes(path) : 0;
    free(path);
    return bytes;
}

static int64_t left(int64_t bytes, int64_t there)
{
    return bytes > there ? bytes - there : 0;
}

enum unseen_status us_room_add(const struct us_scoring *run, struct us_room *sum)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_room room;
    if (has(run, "scoring.json") && !has(run, "work"))
        return UNSEEN_OK;
    US_TRY(us_room_of(run, &room));
    const int64_t work = left(room.work, there_already(run, "work"));
    sum->kept += left(room.kept, there_already(run, "trajectory") + there_already(run, "seen"));
    sum->work = work > sum->work ? work : sum->work;
    sum->memory = room.memory > sum->memory ? room.memory : sum->memory;
out:
    return st;
}

enum unseen_status us_room_check(const char *out, const struct us_room *room)
{
    const double there = (double)us_host_memory_free();
    if (us_check_room(out, room->kept + room->work)) {
        us_hint("%.0f MiB of it are needed until the models are trained; fewer epochs or repeats take less, "
                "and scores for which neither probs nor change are recorded; --out may be on another disk",
                (double)room->work / MEBIBYTE);
        return UNSEEN_FAILED;
    }
    if (there <= 0 || (double)room->memory <= there)
        return UNSEEN_OK;
    us_fail(UNSEEN_FAILED, "memory",
            "what is known of the samples needs %.0f MiB at least; %.0f MiB are free",
            (double)room->memory / MEBIBYTE, there / MEBIBYTE);
    us_hint("--concurrent 1 needs least");
    return UNSEEN_FAILED;
}
