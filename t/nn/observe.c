/* What observers see of a training run. */
#include "config.h"

#include "support/quadrants.h"

/* What an observer has seen of the training split: times, and the given label's probability. */
struct sights {
    int times[N];
    float p_true[N];
};

static int wants_probs(void *context, enum us_pass_kind pass, int epoch)
{
    (void)context;
    (void)epoch;
    return pass == US_PASS_TRAIN || pass == US_PASS_HELDOUT ? US_SEE_PROBS : 0;
}

static enum unseen_status see(void *context, const struct us_rows *rows)
{
    struct sights *sights = context;
    assert_int_equal(rows->classes, CLASSES);
    assert_null(rows->features);
    for (int i = 0; i < rows->n; i++) {
        int64_t sample = rows->samples[i];
        sights->times[sample]++;
        sights->p_true[sample] = rows->probs[i * CLASSES + labels[UNSEEN_TRAIN][sample]];
    }
    return UNSEEN_OK;
}

static enum unseen_status compare_sights(void *context, const struct unseen_epoch *epoch,
                                         const struct us_sample_stats *trained,
                                         const struct us_sample_stats *heldout,
                                         const struct us_sample_stats *probe)
{
    struct sights *sights = context;
    const struct us_sample_stats *records[] = {trained, heldout};
    (void)probe;
    for (int k = 0; k < 2; k++) {
        for (int64_t i = 0; i < records[k]->n; i++) {
            int64_t sample = records[k]->samples[i];
            assert_int_equal(sights->times[sample], epoch->epoch + 1);
            assert_float_equal(records[k]->value[UNSEEN_P_TRUE * records[k]->n + i], sights->p_true[sample],
                               1e-6);
        }
    }
    return UNSEEN_OK;
}

/* Many batches, in windows that end before, at and behind the ends of passes. */
static void observers_see_each_sample_once_a_pass(void **state)
{
    (void)state;
    static struct sights sights;
    struct unseen_recipe recipe = recipe_of(3);
    struct us_train_job job = job_of(&recipe, NULL);
    struct us_observer observer = {wants_probs, see, &sights};
    recipe.batch = 3;
    job.observer = &observer;
    job.on_epoch = compare_sights;
    job.context = &sights;
    assert_ok(us_train(session, &job, NULL, NULL));
    assert_int_equal(sights.times[N - 1], 3);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observers_see_each_sample_once_a_pass),
    };
    return RUN_TESTS(tests, test_quadrants, test_quadrants_end);
}
