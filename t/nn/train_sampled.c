/* Training runs whose epochs take what a sampler chooses. */
#include "config.h"

#include "support/quadrants.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/sampler.h"
#include "nn/work.h"

enum { ALL = N - 40, EPOCHS = 4 };

/* The records of a run, all epochs one after another. */
struct seen {
    int calls, interrupt_at;
    float trained[EPOCHS][UNSEEN_N_ALWAYS][ALL];
};

static enum unseen_status watch(void *context, const struct unseen_epoch *epoch,
                                const struct us_sample_stats *trained, const struct us_sample_stats *heldout,
                                const struct us_sample_stats *probe)
{
    struct seen *seen = context;
    (void)heldout;
    (void)probe;
    assert_int_equal(trained->n, ALL);
    memcpy(seen->trained[epoch->epoch], trained->value, sizeof seen->trained[0]);
    if (++seen->calls == seen->interrupt_at)
        unseen_interrupt();
    return UNSEEN_OK;
}

/* Records of an epoch that are there, all of a sample's or none. */
static int count_recorded(const struct seen *seen, int epoch)
{
    int n = 0;
    for (int i = 0; i < ALL; i++) {
        n += !isnan(seen->trained[epoch][0][i]);
        for (int q = 1; q < UNSEEN_N_ALWAYS; q++)
            assert_int_equal(isnan(seen->trained[epoch][q][i]), isnan(seen->trained[epoch][0][i]));
    }
    return n;
}

/* A run with `sampler`, its weights in the file `save`. */
static void train(const struct unseen_sampler *sampler, const char *save, struct seen *seen,
                  struct unseen_epoch **history)
{
    struct unseen_recipe recipe = recipe_of(EPOCHS);
    struct us_train_job job = job_of(&recipe, NULL);
    int epochs;
    memset(seen, 0, sizeof *seen);
    job.sampler = sampler;
    job.on_epoch = watch;
    job.context = seen;
    job.save = test_path(save);
    assert_ok(us_train(session, &job, history, &epochs));
    assert_int_equal(epochs, EPOCHS);
}

/* A quarter of the samples, in a quarter of the steps, at the rates of a schedule of so many. */
static void rs2_takes_a_part_an_epoch(void **state)
{
    (void)state;
    static struct seen seen;
    struct unseen_epoch *history;
    const struct unseen_recipe recipe = recipe_of(EPOCHS);
    const struct unseen_sampler rs2 = {"rs2", 0.25};
    train(&rs2, "rs2.safetensors", &seen, &history);
    for (int i = 0; i < ALL; i++) {
        int times = 0;
        for (int e = 0; e < EPOCHS; e++)
            times += !isnan(seen.trained[e][0][i]);
        assert_int_equal(times, 1);
    }
    for (int e = 0; e < EPOCHS; e++) {
        assert_int_equal(count_recorded(&seen, e), ALL / 4);
        assert_true(history[e].images == ALL / 4);
        assert_float_equal(history[e].lr, us_schedule_lr(&recipe, 2 * e + 1, 2 * EPOCHS), 1e-9);
    }
    assert_true(history[EPOCHS - 1].train_loss < history[0].train_loss);
    free(history);
}

/* What an epoch takes follows from the losses that each sample had last: all at the mean or above. */
static void infobatch_goes_by_losses(void **state)
{
    (void)state;
    static struct seen seen, plain;
    struct unseen_epoch *history, *plain_history;
    const struct unseen_sampler infobatch = {"infobatch", 0.5};
    train(NULL, "all.safetensors", &plain, &plain_history);
    train(&infobatch, "infobatch.safetensors", &seen, &history);
    assert_memory_equal(seen.trained[0], plain.trained[0], sizeof plain.trained[0]);
    float losses[ALL];
    for (int e = 0; e < EPOCHS; e++) {
        const int taken = count_recorded(&seen, e);
        double mean = 0;
        assert_true(history[e].images == taken);
        for (int i = 0; i < ALL; i++)
            mean += e ? (double)losses[i] / ALL : 0;
        for (int i = 0; i < ALL; i++) {
            assert_true(e == 0 || (double)losses[i] < mean || !isnan(seen.trained[e][0][i]));
            if (!isnan(seen.trained[e][0][i]))
                losses[i] = seen.trained[e][UNSEEN_LOSS][i];
        }
        assert_int_equal(taken == ALL, e == 0);
        assert_true(taken > ALL / 4);
    }
    free(history);
    free(plain_history);
}

/* Where all are kept every weight is 1: the bits of a run that has none. */
static void infobatch_that_keeps_all_changes_nothing(void **state)
{
    (void)state;
    static struct seen seen;
    struct unseen_epoch *history;
    const struct unseen_sampler infobatch = {"infobatch", 1};
    train(&infobatch, "kept.safetensors", &seen, &history);
    char all[1024];
    snprintf(all, sizeof all, "%s", test_path("all.safetensors"));
    assert_same_bytes(all, test_path("kept.safetensors"));
    free(history);
}

/* Each of them interrupted after two epochs and run again: the bits of an unbroken run. */
static void samplers_go_on_bit_for_bit(void **state)
{
    (void)state;
    static struct seen whole, broken;
    for (int k = 0; unseen_sampler_name(k); k++) {
        struct unseen_sampler sampler = {.keep = 0.5};
        struct unseen_recipe recipe = recipe_of(EPOCHS);
        struct us_train_job job = job_of(&recipe, NULL);
        struct unseen_epoch *history, *again;
        char state_path[1024], save[1024];
        int epochs;
        snprintf(sampler.name, sizeof sampler.name, "%s", unseen_sampler_name(k));
        train(&sampler, "whole.safetensors", &whole, &history);
        memset(&broken, 0, sizeof broken);
        broken.interrupt_at = 2;
        snprintf(state_path, sizeof state_path, "%s.%s", test_path("state"), sampler.name);
        snprintf(save, sizeof save, "%s", test_path("broken.safetensors"));
        job.sampler = &sampler;
        job.state = state_path;
        job.save = save;
        job.on_epoch = watch;
        job.context = &broken;
        assert_fails(UNSEEN_INTERRUPTED, "2 of 4", us_train(session, &job, NULL, NULL));
        unseen_interrupt_clear();
        assert_ok(us_train(session, &job, &again, &epochs));
        assert_int_equal(broken.calls, EPOCHS);
        assert_memory_equal(whole.trained, broken.trained, sizeof whole.trained);
        for (int e = 0; e < EPOCHS; e++)
            assert_true(history[e].images == again[e].images && history[e].lr == again[e].lr);
        assert_same_bytes(test_path("whole.safetensors"), save);
        free(history);
        free(again);
    }
}

static void another_sampler_is_refused(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of(EPOCHS);
    struct unseen_sampler sampler = {"rs2", 0.5};
    char path[1024];
    snprintf(path, sizeof path, "%s", test_path("state.infobatch"));
    struct us_train_job job = job_of(&recipe, path);
    job.sampler = &sampler;
    assert_fails(UNSEEN_USAGE, "it has \"sampler infobatch\", this run \"sampler rs2\"",
                 us_train(session, &job, NULL, NULL));
    sampler = (struct unseen_sampler){"infobatch", 0.25};
    assert_fails(UNSEEN_USAGE, "sampler-keep 0.5", us_train(session, &job, NULL, NULL));
    sampler = (struct unseen_sampler){"rs2", 0.001};
    assert_fails(UNSEEN_USAGE, "of 160 samples is nothing", us_train(session, &job, NULL, NULL));
}

static void images_are_counted_ahead(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of(EPOCHS);
    const struct unseen_sampler rs2 = {"rs2", 0.25};
    struct us_train_job job = job_of(&recipe, NULL);
    assert_int_equal(us_train_left(&data, &job).trained, EPOCHS * ALL);
    job.sampler = &rs2;
    assert_int_equal(us_train_left(&data, &job).trained, EPOCHS * ALL / 4);
    assert_int_equal(us_train_left(&data, &job).evaluated, EPOCHS * (40 + TEST));
}

static struct us_amount amount_left(const struct us_train_job *job)
{
    const struct us_work left = us_train_left(&data, job);
    return us_work_amount(&left, job->price);
}

/* A display counts on all samples in epochs to come; where losses tell that fewer are taken it ends all the
 * same where its total is, for each of several models, whether interrupted or not. */
static void progress_reaches_its_end(void **state)
{
    (void)state;
    static struct seen seen;
    const struct us_price price = {.trained = 0.5, .evaluated = 0.125};
    for (int k = 0; unseen_sampler_name(k); k++) {
        struct unseen_sampler sampler = {.keep = 0.5};
        struct unseen_recipe recipe = recipe_of(EPOCHS);
        struct us_train_job job = job_of(&recipe, NULL), other = job;
        char path[1024];
        snprintf(sampler.name, sizeof sampler.name, "%s", unseen_sampler_name(k));
        snprintf(path, sizeof path, "%s.%s", test_path("display"), sampler.name);
        seen = (struct seen){.interrupt_at = 2};
        job.sampler = other.sampler = &sampler;
        job.price = other.price = &price;
        job.state = path;
        job.on_epoch = watch;
        job.context = &seen;
        assert_fails(UNSEEN_INTERRUPTED, "2 of 4", us_train(session, &job, NULL, NULL));
        unseen_interrupt_clear();
        const struct us_amount a = amount_left(&job), b = amount_left(&other);
        assert_int_equal(2 * a.units, b.units);
        job.whole = other.whole =
            us_progress_whole("two models", "images", (struct us_amount){a.units + b.units, a.cost + b.cost});
        assert_ok(us_train(session, &job, NULL, NULL));
        assert_int_equal(us_progress_total(job.whole).units - us_progress_done(job.whole).units, b.units);
        assert_ok(us_train(session, &other, NULL, NULL));
        const struct us_amount total = us_progress_total(job.whole), done = us_progress_done(job.whole);
        const bool by_loss = us_sampler_flags(&sampler) & US_BY_LOSS;
        assert_int_equal(done.units, total.units);
        assert_float_equal(done.cost, total.cost, 1e-6);
        assert_int_equal(done.units < a.units + b.units, by_loss);
        us_progress_end(job.whole);
    }
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rs2_takes_a_part_an_epoch),
        cmocka_unit_test(infobatch_goes_by_losses),
        cmocka_unit_test(infobatch_that_keeps_all_changes_nothing),
        cmocka_unit_test(samplers_go_on_bit_for_bit),
        cmocka_unit_test(another_sampler_is_refused),
        cmocka_unit_test(images_are_counted_ahead),
        cmocka_unit_test(progress_reaches_its_end),
    };
    return RUN_TESTS(tests, test_quadrants, test_quadrants_end);
}
