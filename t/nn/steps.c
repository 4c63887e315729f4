/* How epochs are cut into steps, and what training makes of that. */
#include "config.h"

#include "support/quadrants.h"

#include "nn/steps.h"

enum { SEEDS = 4000 };

static struct unseen_recipe recipe_with(int epochs, int batch, enum unseen_last_batch last_batch)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    recipe.epochs = epochs;
    recipe.batch = batch;
    recipe.last_batch = last_batch;
    return recipe;
}

/* Mean steps over seeds. */
static double mean_steps(const struct unseen_recipe *recipe, int64_t n, int64_t *least, int64_t *most)
{
    double sum = 0;
    *least = INT64_MAX;
    *most = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        const int64_t all = us_steps_of(recipe, n, seed).all;
        sum += (double)all / SEEDS;
        *least = all < *least ? all : *least;
        *most = all > *most ? all : *most;
    }
    return sum;
}

static void steps_are_in_proportion_to_samples(void **state)
{
    (void)state;
    const struct unseen_recipe recipe = recipe_with(10, 1000, UNSEEN_BATCH_SPREAD);
    static const struct {
        int64_t n, least, most;
        double mean;
    } cases[] = {
        {50000, 500, 500, 500},   {49500, 495, 495, 495}, {49950, 499, 500, 499.5},
        {37510, 375, 376, 375.1}, {1990, 19, 20, 19.9},   {1000000, 10000, 10000, 10000},
        {999, 10, 10, 10},        {1, 10, 10, 10},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        int64_t least, most;
        const double mean = mean_steps(&recipe, cases[k].n, &least, &most);
        assert_int_equal(least, cases[k].least);
        assert_int_equal(most, cases[k].most);
        assert_float_equal(mean, cases[k].mean, 4 * 0.5 / 63); /* four standard errors */
    }
    const struct unseen_recipe keep = recipe_with(10, 1000, UNSEEN_BATCH_KEEP);
    assert_int_equal(us_steps_of(&keep, 37510, 1).all, 380);
    assert_int_equal(us_steps_of(&keep, 1, 1).all, 10);
}

/* Go through a pass, checking that cuts follow each other; the number of steps. */
static int64_t walk(const struct us_pass *pass, int *smallest, int *largest, int *most_at_once)
{
    const struct unseen_recipe *recipe = pass->recipe;
    int64_t at = 0, step = -1;
    int in_step = 0, parts = 0, of = 0;
    *smallest = INT32_MAX;
    *largest = *most_at_once = 0;
    while (at < pass->n) {
        const struct us_cut cut = us_pass_cut(pass, at);
        assert_true(cut.n > 0);
        if (cut.first) {
            step++;
            in_step = parts = 0;
            of = cut.of;
        }
        assert_int_equal(cut.step, step);
        assert_int_equal(cut.of, of);
        in_step += cut.n;
        parts++;
        at += cut.n;
        assert_int_equal(cut.last, in_step == of);
        if (cut.last) {
            assert_true(parts <= recipe->accumulate);
            *smallest = of < *smallest ? of : *smallest;
            *largest = of > *largest ? of : *largest;
        }
        *most_at_once = cut.n > *most_at_once ? cut.n : *most_at_once;
    }
    assert_int_equal(at, pass->n);
    return step + 1;
}

static void cuts_are_of_almost_one_size(void **state)
{
    (void)state;
    static const int batches[] = {1, 7, 32, 1000}, parts[] = {1, 1, 4, 5};
    for (size_t k = 0; k < sizeof batches / sizeof *batches; k++) {
        struct unseen_recipe recipe = recipe_with(3, batches[k], UNSEEN_BATCH_SPREAD);
        recipe.accumulate = parts[k];
        for (int64_t n = 1; n < 4000; n = n * 5 / 4 + 1) {
            const struct us_steps steps = us_steps_of(&recipe, n, (uint64_t)n);
            int64_t before = 0;
            assert_int_equal(us_steps_before(&steps, 0), 0);
            assert_int_equal(us_steps_before(&steps, 3), steps.all);
            for (int epoch = 0; epoch < 3; epoch++) {
                const int64_t next = us_steps_before(&steps, epoch + 1);
                struct us_pass pass = {.n = n, .recipe = &recipe, .training = true};
                int smallest, largest, at_once;
                pass.own_steps = us_steps_own(&recipe, next - before, n, n);
                assert_int_equal(pass.own_steps, next - before);
                assert_int_equal(walk(&pass, &smallest, &largest, &at_once), pass.own_steps);
                assert_true(largest - smallest <= 1);
                assert_true(at_once <= us_steps_room(&recipe, n));
                for (int64_t least = n; least > 0; least /= 2)
                    assert_true(us_steps_room_most(&recipe, least) >= us_steps_room(&recipe, n));
                pass.n = n / 2 + 1; /* as a sampler may leave */
                pass.own_steps = us_steps_own(&recipe, next - before, pass.n, n);
                walk(&pass, &smallest, &largest, &at_once);
                assert_true(at_once <= us_steps_room(&recipe, n));
                before = next;
            }
        }
    }
}

static void evaluation_takes_whole_parts(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_with(3, 32, UNSEEN_BATCH_SPREAD);
    recipe.accumulate = 4;
    const struct us_pass pass = {.n = 70, .recipe = &recipe};
    assert_int_equal(us_pass_cut(&pass, 0).n, 8);
    assert_int_equal(us_pass_cut(&pass, 64).n, 6);
    assert_true(us_pass_cut(&pass, 64).last);
}

static struct unseen_recipe fast_recipe(void)
{
    struct unseen_recipe recipe = recipe_of(3);
    recipe.last_batch = UNSEEN_BATCH_SPREAD;
    recipe.loss = UNSEEN_LOSS_SUM;
    recipe.lr = 0.002f;
    recipe.bias_lr = 8;
    recipe.decay_form = UNSEEN_DECAY_DECOUPLED;
    recipe.weight_decay = 0.002f;
    recipe.schedule = UNSEEN_LINEAR;
    recipe.peak = recipe.lr_start = 0.2f;
    recipe.flip = UNSEEN_FLIP_ALTERNATING;
    recipe.padding = UNSEEN_PADDING_REFLECT;
    return recipe;
}

/* Where batches come out even, spreading changes no bit. */
static void even_batches_stay(void **state)
{
    (void)state;
    struct unseen_recipe recipe = fast_recipe();
    struct us_train_job job = job_of(&recipe, NULL);
    assert_int_equal(job.n_train % recipe.batch, 0);
    job.save = test_path("spread.safetensors");
    assert_ok(us_train(session, &job, NULL, NULL));
    recipe.last_batch = UNSEEN_BATCH_KEEP;
    job.save = test_path("kept.safetensors");
    assert_ok(us_train(session, &job, NULL, NULL));
    assert_same_bytes(test_path("spread.safetensors"), job.save);
}

static enum unseen_status count(void *context, const struct unseen_epoch *epoch,
                                const struct us_sample_stats *trained, const struct us_sample_stats *heldout,
                                const struct us_sample_stats *probe)
{
    int *seen = context;
    (void)heldout, (void)probe;
    for (int64_t i = 0; i < trained->n; i++)
        seen[epoch->epoch] += trained->value[i] > 0 && trained->value[i] <= 1;
    return UNSEEN_OK;
}

/* 150 samples in batches of 32 are 14.06 steps in three epochs: batches of 30, 37 and 38. */
static void stopped_runs_go_on_with_the_same_steps(void **state)
{
    (void)state;
    struct unseen_recipe recipe = fast_recipe();
    struct us_train_job job = job_of(&recipe, NULL);
    struct unseen_epoch *history;
    int epochs, seen[3] = {0};
    job.n_train = 150;
    job.on_epoch = count;
    job.context = seen;
    job.save = test_path("whole.safetensors");
    assert_ok(us_train(session, &job, &history, &epochs));
    for (int e = 0; e < 3; e++) {
        const struct us_steps steps = us_steps_of(&recipe, 150, job.seed);
        assert_int_equal(seen[e], 150); /* each sample once an epoch */
        assert_in_range(steps.all, 14, 15);
        assert_float_equal(history[e].lr,
                           us_schedule_lr(&recipe, us_steps_before(&steps, e + 1) - 1, steps.all), 1e-9);
    }
    assert_true(history[2].train_accuracy > history[0].train_accuracy);
    free(history);
    job.state = test_path("state.safetensors");
    job.save = test_path("broken.safetensors");
    recipe.stop_after = 1;
    assert_ok(us_train(session, &job, NULL, NULL));
    recipe.stop_after = 0;
    assert_ok(us_train(session, &job, NULL, NULL));
    assert_same_bytes(test_path("whole.safetensors"), job.save);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_in_proportion_to_samples),
        cmocka_unit_test(cuts_are_of_almost_one_size),
        cmocka_unit_test(evaluation_takes_whole_parts),
        cmocka_unit_test(even_batches_stay),
        cmocka_unit_test(stopped_runs_go_on_with_the_same_steps),
    };
    test_device();
    return RUN_TESTS(tests, test_quadrants, test_quadrants_end);
}
