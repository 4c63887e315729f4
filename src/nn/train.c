/* A training run, epoch by epoch. One step of it, in the order in which the tensors flow (n: images of a
 * batch; all is enqueued, nothing waits for the device):
 *
 *   load                 the state on disk, given weights, or parameters drawn; filters that whiten images
 *                        (whiten.c) from job->train
 *   run_epoch            lets the sampler fill order [m], m <= n_train, and enqueues the passes
 *     us_session_resize  makes the model anew where images are larger or smaller than in the last pass
 *     us_pass_enqueue    (passes.c) sends the order; positions at..at+n-1 of it at a time:
 *       us_loader_batch  (loader.c) rows [n] of the order; their pixels uint8 [n,h,w,c], resident or sent;
 *                        augment.cl crops, flips and normalises them -> input [n,h,w,c]
 *       us_model_forward (pass.c) node by node: convolution, batch norm with residual and ReLU, pool, linear
 *                        -> features [n,d] -> logits [n,classes]
 *       us_loss_run      (ops/loss.c) softmax, cross-entropy -> dlogits [n,classes] and a column a sample of
 *                        record [UNSEEN_N_ALWAYS + 1][n of the pass]
 *       us_observe_batch (observe.c) softmax or features, where job->observer wants them
 *       us_model_backward  (pass.c) the nodes from the last to the first -> gradients, flat
 *       us_model_step      (ops/sgd.c) velocity and parameters, flat, in one kernel
 *     evaluation passes  the same by running statistics, without augmentation, backward and step
 *     us_loader_finish   waits, and reads the records
 *   summarise            means of the epoch; record in ascending order of samples -> trained [..][n_train]
 *   job->on_epoch        takes the records; us_checkpoint_write then keeps the state
 */
#include "config.h"

#include "nn/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/usable.h"
#include "nn/checkpoint.h"
#include "nn/fingerprint.h"
#include "nn/loader.h"
#include "nn/sampler.h"
#include "nn/session.h"
#include "nn/steps.h"
#include "nn/whiten.h"
#include "nn/work.h"

/* A job in progress. */
struct run {
    struct us_session *session;
    const struct us_train_job *job;
    struct us_model *model;
    struct us_loader loader;
    struct us_state state;
    char *settings;
    uint64_t seed; /* of this model */
    int target;    /* epochs to be done in the end */
    int64_t n_test;
    struct us_steps steps;
    int64_t *order[2];             /* [n_train] as sampled, of this epoch and the next, by parity */
    float *weight;                 /* [n_train] of this epoch's; NULL: all weigh the same */
    struct us_pass next;           /* the next epoch's training pass, which may have begun to be decoded */
    struct us_gang_member *member; /* NULL: no part of a gang */
    int64_t *tests;                /* [n_test] all that are not skipped */
    int32_t *place;                /* [training split] a sample's place in job->train */
    float *trained;                /* [UNSEEN_N_ALWAYS][n_train], ascending; NaN: not passed */
    struct us_progress *progress;
    struct us_amount planned; /* what job->whole counts for it */
    char note[80];
};

static enum unseen_status check_samples(const char *what, const int64_t *samples, int64_t n, int64_t all,
                                        bool ascending)
{
    for (int64_t i = 0; i < n; i++) {
        if (samples[i] < 0 || samples[i] >= all)
            return us_fail(UNSEEN_USAGE, what, "sample %lld is not in 0..%lld", (long long)samples[i],
                           (long long)all - 1);
        if (ascending && i > 0 && samples[i] <= samples[i - 1])
            return us_fail(UNSEEN_USAGE, what, "samples must ascend without repeats; %lld follows %lld",
                           (long long)samples[i], (long long)samples[i - 1]);
    }
    return UNSEEN_OK;
}

static enum unseen_status check_job(const struct us_session *session, const struct us_train_job *job)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t all = session->data->split[UNSEEN_TRAIN].n;
    if (all > INT32_MAX) { /* the device counts samples in int32 */
        st = us_fail(UNSEEN_BAD_DATA, "training set", "%lld samples are more than %d", (long long)all,
                     INT32_MAX);
        goto out;
    }
    US_TRY(us_recipe_check_on(job->recipe, session->data));
    US_TRY(us_session_check(session, job->recipe));
    US_TRY(job->init ? us_check_input(job->init) : UNSEEN_OK);
    if (job->n_train < 1) {
        const bool skips = session->data->split[UNSEEN_TRAIN].n_skipped > 0;
        st = us_fail(UNSEEN_USAGE, "training set", "it is empty%s",
                     skips ? " without the bad images that --on-bad skip leaves out" : "");
        goto out;
    }
    US_TRY(us_sampler_check_on(job->sampler, job->n_train));
    US_TRY(check_samples("training set", job->train, job->n_train, all, true));
    US_TRY(check_samples("held-out set", job->heldout, job->n_heldout, all, false));
    US_TRY(check_samples("probed set", job->probe, job->n_probe, all, false));
out:
    return st;
}

/* What the job's observer wants of any pass: room for it is made before hours of training are spent. */
static int seen_by(const struct us_observer *observer, int epochs)
{
    int see = 0;
    for (int epoch = 0; observer && epoch < epochs; epoch++) {
        for (int kind = US_PASS_TRAIN; kind <= US_PASS_REVIEW; kind++)
            see |= observer->wants(observer->context, (enum us_pass_kind)kind, epoch);
    }
    return see;
}

/* What the passes of an epoch come to. */
static struct us_loader_size loader_size(const struct us_train_job *job, int64_t n_test,
                                         const struct us_model *model)
{
    const int64_t tested = job->views == UNSEEN_VIEWS_NONE ? n_test : 2 * n_test;
    const int64_t recorded = job->n_train + job->n_heldout + job->n_probe + tested;
    return (struct us_loader_size){
        .passed = recorded + (job->observer ? job->n_train : 0),
        .recorded = recorded,
        .batch = us_steps_room(job->recipe, us_sampler_most(job->sampler, job->n_train)),
        .views = job->views != UNSEEN_VIEWS_NONE,
        .weighted = us_sampler_flags(job->sampler) & US_BY_LOSS,
        .see = seen_by(job->observer, us_recipe_epochs(job->recipe)),
        .feature_count = us_model_feature_count(model)};
}

static enum unseen_status begin(struct run *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_train_job *job = run->job;
    const struct unseen_recipe *recipe = job->recipe;
    const struct unseen_dataset *data = run->session->data;
    run->seed = job->seed + UINT64_C(0x9e3779b97f4a7c15) * job->model;
    run->target = us_recipe_epochs(recipe);
    run->n_test = job->test ? us_usable(&data->split[UNSEEN_TEST]) : 0;
    const int64_t most = us_sampler_most(job->sampler, job->n_train);
    run->steps = us_steps_of(recipe, most, run->seed);
    US_TRY(us_session_models(run->session, recipe, most, &run->model));
    US_TRY_ALLOC(run->settings = us_fingerprint(run->session->device, data, job, run->session->algorithms));
    run->state.settings = run->settings;
    const struct us_loader_size size = loader_size(job, run->n_test, run->model);
    US_TRY(us_loader_new(run->session, &size, &run->loader));
    for (int i = 0; i < 2; i++)
        US_TRY_ALLOC(run->order[i] = us_calloc((size_t)job->n_train, sizeof *run->order[i]));
    if (us_sampler_flags(job->sampler) & US_BY_LOSS) {
        run->state.n_losses = job->n_train;
        US_TRY_ALLOC(run->state.losses = us_calloc((size_t)job->n_train, sizeof *run->state.losses));
        US_TRY_ALLOC(run->weight = us_calloc((size_t)job->n_train, sizeof *run->weight));
    }
    US_TRY_ALLOC(run->tests = us_calloc((size_t)run->n_test, sizeof *run->tests));
    US_TRY_ALLOC(run->trained = us_calloc((size_t)job->n_train * UNSEEN_N_ALWAYS, sizeof *run->trained));
    US_TRY_ALLOC(run->place = us_calloc((size_t)data->split[UNSEEN_TRAIN].n, sizeof *run->place));
    for (int64_t i = 0; i < job->n_train; i++)
        run->place[job->train[i]] = (int32_t)i;
    us_list_usable(&data->split[UNSEEN_TEST], run->n_test, run->tests);
out:
    return st;
}

static void end(struct run *run)
{
    us_progress_end(run->progress);
    us_pass_end(&run->next);
    us_gang_leave(run->member);
    us_loader_free(&run->loader);
    free(run->settings);
    free(run->order[0]);
    free(run->order[1]);
    free(run->weight);
    free(run->tests);
    free(run->trained);
    free(run->place);
    free(run->state.losses);
    free(run->state.history);
}

static enum unseen_status draw(struct run *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_train_job *job = run->job;
    US_TRY(us_model_init(run->model, run->seed));
    US_TRY(us_whiten_model(run->session, job->recipe, job->train, job->n_train, run->model));
out:
    return st;
}

/* The state on disk, or fresh parameters. Leaves room for the whole history. */
static enum unseen_status load(struct run *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_train_job *job = run->job;
    enum us_checkpoint_found found = US_CHECKPOINT_NONE;
    if (job->state)
        US_TRY(us_checkpoint_read(job->state, run->model, &run->state, &found));
    if (found == US_CHECKPOINT_NONE)
        US_TRY(job->init ? us_model_start(run->model, job->init, run->seed) : draw(run));
    if (found == US_CHECKPOINT_NONE && job->recipe->lookahead)
        US_TRY(us_model_lookahead_begin(run->model));
    if (run->state.epochs > run->target) {
        st = us_fail(UNSEEN_USAGE, job->state, "holds %d epochs already, more than the %d asked for",
                     run->state.epochs, run->target);
        goto out;
    }
    struct unseen_epoch *history =
        us_realloc(run->state.history, (size_t)run->target, sizeof *run->state.history);
    US_TRY_ALLOC(history);
    run->state.history = history;
out:
    return st;
}

/* The passes of an epoch; n is 0 in those that do not take place. */
struct passes {
    struct us_pass train, test, views, review, probe, heldout;
};

/* Those among them that take place, in order; returns their number. */
enum { PASSES = 6 };
static int list_passes(struct passes *p, struct us_pass *list[PASSES])
{
    struct us_pass *const all[PASSES] = {&p->train, &p->test, &p->views, &p->review, &p->probe, &p->heldout};
    int n = 0;
    for (int i = 0; i < PASSES; i++) {
        if (all[i]->n > 0)
            list[n++] = all[i];
    }
    return n;
}

/* A pass of an epoch, but for what only a training pass has. */
static struct us_pass pass_of(struct run *run, int epoch, enum unseen_split split, enum us_pass_kind kind,
                              const int64_t *samples, int64_t n)
{
    return (struct us_pass){.split = split,
                            .samples = samples,
                            .n = n,
                            .kind = kind,
                            .unrecorded = kind == US_PASS_REVIEW,
                            .recipe = run->job->recipe,
                            .epoch = epoch,
                            .seed = run->seed,
                            .note = run->note,
                            .observer = run->job->observer};
}

static enum unseen_status enqueue(struct run *run, struct us_pass *pass)
{
    enum unseen_status st = UNSEEN_OK;
    pass->progress = run->progress;
    pass->price = run->job->price;
    if (pass->observer && pass->split == UNSEEN_TRAIN)
        pass->see = pass->observer->wants(pass->observer->context, pass->kind, pass->epoch);
    US_TRY(us_session_resize(run->session, pass->recipe,
                             us_session_view(run->session, pass->recipe, us_pass_epoch(pass))->input.size,
                             &run->model));
    US_TRY(us_pass_enqueue(run->session, run->model, &run->loader, pass));
out:
    return st;
}

static double mean(const float *values, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)values[i];
    return sum / (double)n;
}

/* Mean loss (`row` of the record) and accuracy of a pass that is over; NaN if there was none. */
static enum unseen_status judge(const struct run *run, const struct us_pass *pass, int row, double *loss,
                                double *accuracy)
{
    const float *record = us_loader_record(&run->loader, pass);
    *loss = *accuracy = NAN;
    if (pass->n == 0)
        return UNSEEN_OK;
    *loss = mean(record + row * pass->n, pass->n);
    *accuracy = mean(record + UNSEEN_CORRECT * pass->n, pass->n);
    if (isfinite(*loss))
        return UNSEEN_OK;
    us_fail(UNSEEN_FAILED, run->job->title ? run->job->title : "training",
            "the loss is not finite in epoch %d", pass->epoch);
    us_hint("lower --lr (now %g)", (double)run->job->recipe->lr);
    return UNSEEN_FAILED;
}

/* The training pass of an epoch. Random parts of pictures, and the order then, are one for all models of a
 * run, so that an image is decoded once for all. */
static enum unseen_status make_training(struct run *run, int epoch, struct us_pass *pass)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_train_job *job = run->job;
    const struct us_sampler_input in = {.train = job->train,
                                        .n = job->n_train,
                                        .seed = run->session->view[0].input.resized ? job->seed : run->seed,
                                        .epoch = epoch,
                                        .epochs = job->recipe->epochs,
                                        .place = run->place,
                                        .losses = run->state.losses};
    struct us_sampled sampled = {.order = run->order[epoch % 2], .weight = run->weight};
    US_TRY(us_sampler_run(job->sampler, &in, &sampled));
    *pass = pass_of(run, epoch, UNSEEN_TRAIN, US_PASS_TRAIN, sampled.order, sampled.m);
    pass->weights = sampled.weight;
    pass->training = true;
    pass->crop_seed = job->seed;
    pass->member = run->member;
    pass->first_step = us_steps_before(&run->steps, epoch);
    pass->steps = run->steps.all;
    pass->steps_per_epoch = us_steps_before(&run->steps, epoch + 1) - pass->first_step;
    pass->own_steps = us_steps_own(job->recipe, pass->steps_per_epoch, pass->n,
                                   us_sampler_most(job->sampler, job->n_train));
out:
    return st;
}

/* All passes of the epoch that is due. The training pass may have been made by the epoch before. */
static enum unseen_status make_epoch(struct run *run, struct passes *p)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_train_job *job = run->job;
    const int epoch = run->state.epochs;
    if (run->next.n == 0)
        US_TRY(make_training(run, epoch, &run->next));
    p->train = run->next;
    run->next = (struct us_pass){.n = 0};
    p->test = pass_of(run, epoch, UNSEEN_TEST, US_PASS_HELDOUT, run->tests,
                      us_tests_after(job, epoch) ? run->n_test : 0);
    p->views = pass_of(run, epoch, UNSEEN_TEST, US_PASS_HELDOUT, run->tests,
                       us_views_after(job, epoch) ? run->n_test : 0);
    p->views.views = job->views;
    p->review = pass_of(run, epoch, UNSEEN_TRAIN, US_PASS_REVIEW, job->train,
                        us_reviews_after(job, epoch) ? job->n_train : 0);
    p->probe = pass_of(run, epoch, UNSEEN_TRAIN, US_PASS_PROBE, job->probe, job->n_probe);
    p->heldout = pass_of(run, epoch, UNSEEN_TRAIN, US_PASS_HELDOUT, job->heldout, job->n_heldout);
    /* What depends on this epoch's losses cannot be made before they are there. */
    if (epoch + 1 < run->target && !(us_sampler_flags(job->sampler) & US_BY_LOSS))
        US_TRY(make_training(run, epoch + 1, &run->next));
out:
    return st;
}

/* What the sampler left out is not counted on any longer. */
static void count_off(struct run *run, const struct us_pass *train)
{
    const struct us_train_job *job = run->job;
    us_progress_change(run->progress,
                       us_pass_amount(us_sampler_most(job->sampler, job->n_train), true, job->price),
                       us_pass_amount(train->n, true, job->price));
}

static enum unseen_status enqueue_epoch(struct run *run, struct passes *p)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_pass *list[PASSES];
    const int n = list_passes(p, list);
    count_off(run, &p->train);
    for (int i = 0; i < n; i++)
        list[i]->next = i + 1 < n ? list[i + 1] : run->next.n > 0 ? &run->next : NULL;
    for (int i = 0; i < n; i++)
        US_TRY(enqueue(run, list[i]));
    US_TRY(us_loader_finish(&run->loader));
out:
    for (int i = 0; i < n; i++)
        us_pass_end(list[i]);
    return st;
}

/* The training pass in ascending order of samples, and the losses that a sampler goes by. */
static void sort_trained(struct run *run, const struct us_pass *pass, const float *record)
{
    const int64_t n = pass->n, all = run->job->n_train;
    if (n < all) {
        for (int64_t i = 0; i < all * UNSEEN_N_ALWAYS; i++)
            run->trained[i] = NAN;
    }
    for (int q = 0; q < UNSEEN_N_ALWAYS; q++) {
        for (int64_t i = 0; i < n; i++)
            run->trained[q * all + run->place[pass->samples[i]]] = record[q * n + i];
    }
    for (int64_t i = 0; run->state.losses && i < n; i++)
        run->state.losses[run->place[pass->samples[i]]] = record[UNSEEN_N_ALWAYS * n + i];
}

/* The epoch's line of the history, and its records. */
static enum unseen_status summarise(struct run *run, const struct passes *p, struct unseen_epoch *epoch)
{
    enum unseen_status st = UNSEEN_OK;
    double loss, accuracy;
    epoch->lr = (double)us_pass_lr(&p->train, p->train.n - 1);
    epoch->images = (double)p->train.n;
    US_TRY(judge(run, &p->train, UNSEEN_N_ALWAYS, &epoch->train_loss, &epoch->train_accuracy));
    US_TRY(judge(run, &p->test, UNSEEN_LOSS, &epoch->test_loss, &epoch->test_accuracy));
    US_TRY(judge(run, &p->views, UNSEEN_LOSS, &epoch->views_loss, &epoch->views_accuracy));
    US_TRY(judge(run, &p->probe, UNSEEN_LOSS, &loss, &accuracy));
    US_TRY(judge(run, &p->heldout, UNSEEN_LOSS, &epoch->heldout_loss, &epoch->heldout_accuracy));
    sort_trained(run, &p->train, us_loader_record(&run->loader, &p->train));
out:
    return st;
}

/* The share of the run so far that the device waited for images, where that is worth telling. */
static const char *waiting_text(const struct run *run, char text[24])
{
    const double share = run->loader.waited / (run->loader.seconds > 0 ? run->loader.seconds : 1);
    text[0] = '\0';
    if (share >= 0.01)
        us_print_to(text, 24, ", waited %.0f %%", 100 * share);
    return text;
}

static enum unseen_status run_epoch(struct run *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_train_job *job = run->job;
    struct unseen_epoch *epoch = &run->state.history[run->state.epochs];
    struct passes p;
    char waited[24];
    double start = us_seconds();
    *epoch = (struct unseen_epoch){.epoch = run->state.epochs};
    US_TRY(make_epoch(run, &p));
    US_TRY(enqueue_epoch(run, &p));
    US_TRY(summarise(run, &p, epoch));
    epoch->seconds = us_seconds() - start;
    us_print_to(run->note, sizeof run->note, "epoch %d/%d loss %.3f acc %.3f%s", epoch->epoch + 1,
                run->target, epoch->train_loss, epoch->train_accuracy, waiting_text(run, waited));
    if (job->on_test && p.test.n > 0) {
        struct us_sample_stats tested = {p.test.n, run->tests, us_loader_record(&run->loader, &p.test)};
        US_TRY(job->on_test(job->context, epoch, &tested));
    }
    if (job->on_epoch) {
        struct us_sample_stats trained = {job->n_train, job->train, run->trained};
        struct us_sample_stats heldout = {job->n_heldout, job->heldout,
                                          us_loader_record(&run->loader, &p.heldout)};
        struct us_sample_stats probe = {job->n_probe, job->probe, us_loader_record(&run->loader, &p.probe)};
        US_TRY(job->on_epoch(job->context, epoch, &trained, &heldout, &probe));
    }
    run->state.epochs++;
    if (job->state)
        US_TRY(us_checkpoint_write(job->state, run->model, &run->state));
out:
    return st;
}

static enum unseen_status interrupted(const struct run *run)
{
    const struct us_train_job *job = run->job;
    us_fail(UNSEEN_INTERRUPTED, job->title ? job->title : "training",
            "stopped on request after %d of %d epochs", run->state.epochs, run->target);
    if (job->state)
        us_hint("the same command goes on from there (%s)", job->state);
    return UNSEEN_INTERRUPTED;
}

static enum unseen_status run_epochs(struct run *run)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_train_job *job = run->job;
    const char *title = job->title ? job->title : "training";
    const struct us_work work = us_train_work(run->session->data, job, run->state.epochs);
    const struct us_amount left = us_work_amount(&work, job->price);
    if (job->whole)
        run->progress = us_progress_part(job->whole, title, run->planned, left);
    else if (left.units)
        run->progress = us_progress_whole(title, "images", left);
    while (run->state.epochs < run->target && st == UNSEEN_OK)
        st = us_session_stopped(run->session) ? UNSEEN_INTERRUPTED : run_epoch(run);
    us_progress_end(run->progress);
    run->progress = NULL;
    return st == UNSEEN_INTERRUPTED ? interrupted(run) : st;
}

/* Share what is decoded with the models that train at the same time. */
static enum unseen_status join(struct run *run)
{
    const struct us_train_job *job = run->job;
    struct us_session *session = run->session;
    if (!session->gang || !session->view[0].input.resized)
        return UNSEEN_OK;
    const enum unseen_status st =
        us_gang_join(session->gang, session->expected, job->train, job->n_train,
                     session->data->split[UNSEEN_TRAIN].n, job->seed, run->state.epochs, &run->member);
    session->expected = session->expected && st;
    return st;
}

/* What is finished decodes nothing, and what takes samples by an order of its own shares nothing. */
static enum unseen_status stay_away(struct us_session *session)
{
    if (session->expected)
        us_gang_miss(session->gang);
    session->expected = false;
    return UNSEEN_OK;
}

enum unseen_status us_train(struct us_session *session, const struct us_train_job *job,
                            struct unseen_epoch **history, int *epochs)
{
    enum unseen_status st = UNSEEN_OK;
    struct run run = {.session = session, .job = job, .loader.device = session->device};
    US_TRY(check_job(session, job));
    const struct us_work planned = us_train_left(session->data, job);
    run.planned = us_work_amount(&planned, job->price);
    US_TRY(begin(&run));
    US_TRY(load(&run));
    bool finished = run.state.epochs == run.target;
    US_TRY(finished || !us_sampler_takes_all(job->sampler) ? stay_away(session) : join(&run));
    US_TRY(run_epochs(&run));
    if (job->save && !(finished && us_exists(job->save)))
        US_TRY(us_model_save(run.model, job->save));
    if (history) {
        *history = run.state.history;
        *epochs = run.state.epochs;
        run.state.history = NULL;
    }
out:
    end(&run);
    return st;
}
