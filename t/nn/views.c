/* Test-time views: logits that are averaged over several looks at an image. */
#include "config.h"

#include "support/quadrants.h"

#include <math.h>
#include <stdio.h>

#include "nn/loader.h"
#include "nn/session.h"
#include "nn/views.h"
#include "nn/work.h"

enum { BATCH = 32 }; /* 60 test images: one whole batch and a part */

/* Pixel (y, x) of a test image shifted by (down, right) over its mirror image at the edges, then mirrored. */
static float look_at(int64_t image, int y, int x, int c, int down, int right, bool mirrored)
{
    int row = y + down, column = (mirrored ? SIZE - 1 - x : x) + right;
    row = row < 0 ? -row : row >= SIZE ? 2 * SIZE - 2 - row : row;
    column = column < 0 ? -column : column >= SIZE ? 2 * SIZE - 2 - column : column;
    const uint8_t value = pixels[UNSEEN_TEST][image][(row * SIZE + column) * 3 + c];
    return ((float)value / 255 - data.mean[c]) / data.std[c];
}

/* Add `weight` times the model's logits of all test images, seen so. */
static void add_logits(struct us_model *model, int down, int right, bool mirrored, double weight,
                       double sum[TEST][CLASSES])
{
    static float input[BATCH][SIZE][SIZE][3];
    float logits[BATCH][CLASSES];
    for (int at = 0; at < TEST; at += BATCH) {
        const int n = at + BATCH < TEST ? BATCH : TEST - at;
        for (int i = 0; i < n; i++)
            for (int y = 0; y < SIZE; y++)
                for (int x = 0; x < SIZE; x++)
                    for (int c = 0; c < 3; c++)
                        input[i][y][x][c] = look_at(at + i, y, x, c, down, right, mirrored);
        assert_ok(us_write(test_device(), us_model_input(model), 0, input, (size_t)n * sizeof input[0]));
        assert_ok(us_model_forward(model, n, false));
        assert_ok(us_read(test_device(), us_model_logits(model), 0, logits, (size_t)n * sizeof logits[0]));
        for (int i = 0; i < n; i++)
            for (int k = 0; k < CLASSES; k++)
                sum[at + i][k] += weight * (double)logits[i][k];
    }
}

static void reference(struct us_model *model, enum unseen_views views, double logits[TEST][CLASSES])
{
    const double own = views == UNSEEN_VIEWS_TRANSLATE ? 0.25 : 0.5;
    memset(logits, 0, sizeof(double) * TEST * CLASSES);
    add_logits(model, 0, 0, false, views == UNSEEN_VIEWS_NONE ? 1 : own, logits);
    if (views != UNSEEN_VIEWS_NONE)
        add_logits(model, 0, 0, true, own, logits);
    for (int m = 0; views == UNSEEN_VIEWS_TRANSLATE && m < 2; m++) {
        add_logits(model, -1, -1, m, 0.125, logits);
        add_logits(model, 1, 1, m, 0.125, logits);
    }
}

/* Loss and margin of image i. */
static void judge(const double logits[TEST][CLASSES], int i, double *loss, double *margin)
{
    const int label = labels[UNSEEN_TEST][i];
    double sum = 0, rival = -INFINITY;
    for (int k = 0; k < CLASSES; k++) {
        sum += exp(logits[i][k] - logits[i][label]);
        rival = k == label ? rival : fmax(rival, logits[i][k]);
    }
    *loss = log(sum);
    *margin = logits[i][label] - rival;
}

/* One pass over the test split by a model as it was drawn. The record stays with the loader. */
static void pass_with(struct us_session *other, const struct unseen_recipe *recipe, enum unseen_views views,
                      struct us_model **model, struct us_loader *loader, const float **record)
{
    const struct us_loader_size size = {
        .passed = TEST, .recorded = TEST, .batch = BATCH, .views = views != UNSEEN_VIEWS_NONE};
    struct us_pass pass = {.split = UNSEEN_TEST,
                           .samples = everyone,
                           .n = TEST,
                           .recipe = recipe,
                           .kind = US_PASS_HELDOUT,
                           .views = views};
    pass.progress = us_progress_begin("test", "images", (uint64_t)(TEST * us_looks(views)->n));
    assert_ok(us_session_models(other, recipe, N, model));
    assert_ok(us_model_init(*model, 5));
    assert_ok(us_loader_new(other, &size, loader));
    assert_ok(us_pass_enqueue(other, *model, loader, &pass));
    assert_ok(us_loader_finish(loader));
    *record = us_loader_record(loader, &pass);
    assert_int_equal(us_progress_done(pass.progress).units, us_progress_total(pass.progress).units);
    us_progress_end(pass.progress);
}

static void check_logits(const struct unseen_recipe *recipe)
{
    static double logits[3][TEST][CLASSES];
    for (int views = UNSEEN_VIEWS_NONE; views <= UNSEEN_VIEWS_TRANSLATE; views++) {
        struct us_model *model;
        struct us_loader loader;
        const float *record;
        double apart = 0;
        pass_with(session, recipe, (enum unseen_views)views, &model, &loader, &record);
        reference(model, (enum unseen_views)views, logits[views]);
        for (int i = 0; i < TEST; i++) {
            double loss, margin;
            judge(logits[views], i, &loss, &margin);
            assert_float_equal(record[UNSEEN_LOSS * TEST + i], loss, 1e-5);
            assert_float_equal(record[UNSEEN_MARGIN * TEST + i], margin, 1e-5);
            assert_int_equal(record[UNSEEN_CORRECT * TEST + i] > 0, margin > 0);
            apart = fmax(apart, fabs(logits[views][i][0] - logits[0][i][0]));
        }
        assert_int_equal(apart > 1e-3, views != UNSEEN_VIEWS_NONE);
        us_loader_free(&loader);
    }
}

/* Also where activations of a look lie where another's lay that is forgotten. */
static void logits_are_averaged(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of(1);
    check_logits(&recipe);
    strcpy(recipe.model, "resnet10");
    for (recipe.recompute = 0; recipe.recompute < 2; recipe.recompute++)
        check_logits(&recipe);
}

/* Pixels that are sent batch by batch are sent once for all looks. */
static void streamed_pixels_make_no_difference(void **state)
{
    (void)state;
    const struct unseen_recipe recipe = recipe_of(1);
    const uint64_t limit = us_device_memory(test_device()).limit;
    struct us_session *streaming;
    static float resident[(UNSEEN_N_ALWAYS + 1) * TEST];
    us_device_limit(test_device(), us_device_memory(test_device()).used + 32768);
    assert_ok(us_session_new(test_device(), &data, &recipe, &streaming));
    us_device_limit(test_device(), limit);
    assert_true(us_session_streams(streaming));
    for (int k = 0; k < 2; k++) {
        struct us_model *model;
        struct us_loader loader;
        const float *record;
        pass_with(k ? streaming : session, &recipe, UNSEEN_VIEWS_TRANSLATE, &model, &loader, &record);
        if (k)
            assert_memory_equal(record, resident, sizeof resident);
        else
            memcpy(resident, record, sizeof resident);
        us_loader_free(&loader);
    }
    us_session_free(streaming);
}

/* ---- runs ---- */

enum { EPOCHS = 3 };

static enum unseen_status stop(void *context, const struct unseen_epoch *epoch,
                               const struct us_sample_stats *trained, const struct us_sample_stats *heldout,
                               const struct us_sample_stats *probe)
{
    (void)trained;
    (void)heldout;
    (void)probe;
    if (epoch->epoch == *(const int *)context)
        unseen_interrupt();
    return UNSEEN_OK;
}

static void assert_same_epochs(const struct unseen_epoch *a, const struct unseen_epoch *b, int epochs)
{
    for (int e = 0; e < epochs; e++)
        assert_true(a[e].train_loss == b[e].train_loss && a[e].test_loss == b[e].test_loss &&
                    a[e].test_accuracy == b[e].test_accuracy);
}

/* The second test comes with the last epoch, and changes nothing else; a run that goes on ends with the same.
 */
static void a_run_ends_with_views(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of(EPOCHS);
    struct unseen_epoch *plain, *whole, *broken, *again;
    char path[1024], weights[2][1024];
    struct us_train_job job = job_of(&recipe, NULL);
    int epochs, stop_at = 0;
    for (int k = 0; k < 2; k++)
        snprintf(weights[k], sizeof weights[k], "%s",
                 test_path(k ? "views.safetensors" : "none.safetensors"));
    snprintf(path, sizeof path, "%s", test_path("state"));
    job.save = weights[0];
    assert_ok(us_train(session, &job, &plain, &epochs));
    job.views = UNSEEN_VIEWS_MIRROR;
    job.save = weights[1];
    assert_int_equal(us_train_left(&data, &job).evaluated, EPOCHS * (40 + TEST) + 2 * TEST);
    assert_ok(us_train(session, &job, &whole, &epochs));
    assert_same_bytes(weights[0], weights[1]);
    assert_same_epochs(plain, whole, EPOCHS);
    for (int e = 0; e < EPOCHS; e++)
        assert_int_equal(isnan(whole[e].views_loss) || isnan(whole[e].views_accuracy), e + 1 < EPOCHS);
    assert_true(isnan(plain[EPOCHS - 1].views_loss));
    assert_true(whole[EPOCHS - 1].views_loss != whole[EPOCHS - 1].test_loss);
    double logits[TEST][CLASSES], sum = 0;
    reference(session->model, UNSEEN_VIEWS_MIRROR, logits);
    for (int i = 0; i < TEST; i++) {
        double loss, margin;
        judge(logits, i, &loss, &margin);
        sum += loss;
    }
    assert_float_equal(whole[EPOCHS - 1].views_loss, sum / TEST, 1e-5);
    job.state = path;
    job.save = NULL;
    job.on_epoch = stop;
    job.context = &stop_at;
    assert_fails(UNSEEN_INTERRUPTED, "1 of 3", us_train(session, &job, NULL, NULL));
    unseen_interrupt_clear();
    assert_ok(us_train(session, &job, &broken, &epochs));
    assert_ok(us_train(session, &job, &again, &epochs)); /* which reads it from the state */
    assert_same_epochs(broken, whole, EPOCHS);
    assert_true(broken[EPOCHS - 1].views_loss == whole[EPOCHS - 1].views_loss);
    assert_true(again[EPOCHS - 1].views_loss == whole[EPOCHS - 1].views_loss);
    assert_true(again[EPOCHS - 1].views_accuracy == whole[EPOCHS - 1].views_accuracy);
    assert_true(isnan(again[0].views_accuracy));
    job.views = UNSEEN_VIEWS_TRANSLATE;
    assert_fails(UNSEEN_USAGE, "it has \"test 1 views mirror\", this run \"test 1 views translate\"",
                 us_train(session, &job, NULL, NULL));
    free(plain);
    free(whole);
    free(broken);
    free(again);
}

/* Where a run is made longer, each of its ends keeps what was measured there. */
static void a_longer_run_ends_with_views_again(void **state)
{
    (void)state;
    struct unseen_recipe recipe = recipe_of(EPOCHS);
    struct us_train_job job = job_of(&recipe, test_path("longer"));
    struct unseen_epoch *history;
    int epochs;
    job.views = UNSEEN_VIEWS_TRANSLATE;
    recipe.stop_after = 1;
    assert_ok(us_train(session, &job, NULL, NULL));
    recipe.stop_after = EPOCHS;
    assert_ok(us_train(session, &job, &history, &epochs));
    for (int e = 0; e < EPOCHS; e++)
        assert_int_equal(isnan(history[e].views_accuracy), e == 1);
    free(history);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_averaged),
        cmocka_unit_test(streamed_pixels_make_no_difference),
        cmocka_unit_test(a_run_ends_with_views),
        cmocka_unit_test(a_longer_run_ends_with_views_again),
    };
    return RUN_TESTS(tests, test_quadrants, test_quadrants_end);
}
