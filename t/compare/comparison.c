/* The table of a comparison from results written by hand: three seeds of full and random data, and of EL2N by
 * models that had seen the samples and by models that had not, both with CCS at keep 0.5. */
#include "config.h"

#include "compare/comparison.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/atomic.h"
#include "base/log.h"
#include "base/npy.h"
#include "compare/cell_result.h"
#include "compare/columns.h"
#include "compare/estimate.h"
#include "support/drawn.h"
#include "support/files.h"

enum { SEEDS = 3, ROWS = 4 };

static struct unseen_compare_options options;
static struct us_sweep sweep;
static struct unseen_comparison table[ROWS];

/* full, random, seen, fold; by seed */
static const double accuracy[ROWS][SEEDS] = {
    {0.95, 0.96, 0.97}, {0.85, 0.86, 0.90}, {0.88, 0.93, 0.92}, {0.90, 0.92, 0.97}};

static void write_result(int row, int seed, const char *classes)
{
    char text[512], place[600];
    const int kept = row == 0 ? 400 : 200;
    char *folder = us_cell_folder(&options, &sweep.rows[row], seed);
    assert_ok(us_make_folder(folder));
    snprintf(
        text, sizeof text,
        "{\"kept\": %d, \"epochs\": 2, \"steps\": 26, \"test_accuracy\": %g, \"best_test_accuracy\": 0.98, "
        "\"seconds\": %d%s%s}",
        kept, accuracy[row][seed], 10 + seed, *classes ? ", \"class_accuracy\": " : "", classes);
    snprintf(place, sizeof place, "%s/result.json", folder);
    assert_ok(us_write_file(place, text, strlen(text)));
    free(folder);
}

/* Two models, two epochs each. */
static void write_scoring(const char *name)
{
    static const char text[] = "{\"models\": ["
                               "{\"n_train\": 200, \"epochs\": [{\"seconds\": 2, \"evaluated\": 200},"
                               " {\"seconds\": 3, \"evaluated\": 200}]},"
                               "{\"n_train\": 200, \"epochs\": [{\"seconds\": 2, \"evaluated\": 200},"
                               " {\"seconds\": 4, \"evaluated\": 200}]}]}";
    char folder[64];
    for (int s = 0; s < SEEDS; s++) {
        snprintf(folder, sizeof folder, "scoring/%s-s%d", name, s);
        assert_ok(us_make_folder(test_path(folder)));
        strcat(folder, "/scoring.json");
        assert_ok(us_write_file(test_path(folder), text, strlen(text)));
    }
}

static int set_up(void **state)
{
    if (test_drawn(state, 400))
        return -1;
    unseen_compare_defaults(&options);
    options.metrics = "el2n";
    options.protocols = "seen,fold";
    options.keep = "0.5";
    options.seeds = SEEDS;
    options.out = test_folder;
    if (us_sweep_make(&options, &sweep))
        return -1;
    for (int row = 0; row < ROWS; row++) {
        for (int s = 0; s < SEEDS; s++)
            write_result(row, s, s == 1 ? "[0.9, 0.7, 0.8]" : "[1, 0.9, 0.5]");
    }
    write_scoring("fold");
    return us_comparison_gather(&options, data, &sweep, table);
}

static int tear_down(void **state)
{
    us_sweep_free(&sweep);
    return test_drawn_end(state);
}

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-9)

/* 0.90, 0.92, 0.97: mean 0.93; squares of -0.03, -0.01, 0.04 add up to 0.0026. */
static void standard_errors_are_worked(void **state)
{
    (void)state;
    const struct unseen_estimate e = us_estimate(accuracy[3], SEEDS), one = us_estimate(accuracy[3], 1);
    NEAR(e.mean, 0.93);
    NEAR(e.deviation, 0.036055512754639894); /* sqrt(0.0026 / 2) */
    NEAR(e.error, 0.020816659994661326);     /* / sqrt(3) */
    NEAR(one.mean, 0.90);
    assert_true(isnan(one.deviation) && isnan(one.error));
    assert_true(isnan(us_estimate((const double[]){1, NAN}, 2).mean));
    NEAR(table[3].accuracy.mean, 0.93);
    NEAR(table[3].accuracy.error, 0.020816659994661326);
}

/* fold - seen is 0.02, -0.01, 0.05: mean 0.02, deviation sqrt(0.0018 / 2) = 0.03. The two rows by themselves
 * have errors of 0.0208 and 0.0153. */
static void differences_are_paired_by_seed(void **state)
{
    (void)state;
    NEAR(table[3].minus_seen.mean, 0.02);
    NEAR(table[3].minus_seen.deviation, 0.03);
    NEAR(table[3].minus_seen.error, 0.017320508075688773);
    /* 0.05, 0.06, 0.07 */
    NEAR(table[3].minus_random.mean, 0.06);
    NEAR(table[3].minus_random.error, 0.005773502691896258);
    NEAR(table[2].minus_random.mean, 0.04); /* 0.03, 0.07, 0.02 */
    assert_true(isnan(table[2].minus_seen.mean));
    assert_true(isnan(table[3].minus_fold_seen.mean)); /* there is no such row */
    assert_true(isnan(table[1].minus_random.mean));
    assert_true(isnan(table[0].minus_random.mean));
}

/* By model the worst classes have 0.5, 0.7, 0.5; over the seeds class 2 has the lowest mean. Deviations of
 * (1, 0.9, 0.5) and (0.9, 0.7, 0.8) by three: sqrt(0.14 / 3) and sqrt(0.02 / 3). */
static void classes_stand_beside_the_mean(void **state)
{
    (void)state;
    NEAR(table[3].worst.mean, 1.7 / 3);
    assert_string_equal(table[3].worst_class, data->class_names[2]);
    NEAR(table[3].class_deviation.mean, (2 * sqrt(0.14 / 3) + sqrt(0.02 / 3)) / 3);
}

/* keep.npy of a cell: samples 0.. of which the first `wrong` are wrong below, and from 40 on right ones. */
static void write_keep(int row, int seed, int64_t wrong, int64_t m)
{
    int64_t keep[400];
    char place[600], *folder = us_cell_folder(&options, &sweep.rows[row], seed);
    for (int64_t k = 0; k < m; k++)
        keep[k] = k < wrong ? k : 40 + k - wrong;
    snprintf(place, sizeof place, "%s/keep.npy", folder);
    assert_ok(us_npy_write(place, US_I64, 1, &m, keep));
    free(folder);
}

/* Of 400 labels the first 40 are wrong. Of four kept samples 1, 2 and 0 are: mean 0.25, deviation
 * sqrt((0 + 0.0625 + 0.0625) / 2) = 0.25. */
static void wrong_labels_are_counted(void **state)
{
    (void)state;
    struct unseen_comparison now[ROWS];
    struct unseen_images *train = &data->split[UNSEEN_TRAIN];
    int32_t right[400];
    assert_true(isnan(table[3].wrong_kept.mean));
    for (int i = 0; i < 400; i++)
        right[i] = i < 40 ? (train->labels[i] + 1) % CLASSES : train->labels[i];
    for (int s = 0; s < SEEDS; s++) {
        write_keep(0, s, 40, 400);
        write_keep(1, s, 20, 200);
        write_keep(2, s, 0, 200);
        write_keep(3, s, (const int64_t[]){1, 2, 0}[s], 4);
    }
    train->true_labels = right;
    assert_ok(us_comparison_gather(&options, data, &sweep, now));
    NEAR(now[0].wrong_kept.mean, 0.1);
    NEAR(now[0].wrong_kept.error, 0);
    NEAR(now[1].wrong_kept.mean, 0.1);
    NEAR(now[2].wrong_kept.mean, 0);
    NEAR(now[3].wrong_kept.mean, 0.25);
    NEAR(now[3].wrong_kept.deviation, 0.25);
    NEAR(now[3].wrong_kept.error, 0.14433756729740643);
    write_keep(3, 1, 0, 361);
    assert_fails(UNSEEN_BAD_DATA, "keep.npy: entry 360, 400, is no training sample",
                 us_comparison_gather(&options, data, &sweep, now));
    train->true_labels = NULL;
    assert_ok(us_comparison_gather(&options, data, &sweep, now));
    assert_true(isnan(now[3].wrong_kept.mean));
}

static void costs_are_counted(void **state)
{
    (void)state;
    NEAR(table[0].images.mean, 800);
    NEAR(table[0].images_with_scoring.mean, 800);
    NEAR(table[3].images.mean, 400);
    NEAR(table[3].scoring_images.mean, 800);
    NEAR(table[3].scoring_evaluated.mean, 800);
    NEAR(table[3].images_with_scoring.mean, 400 + 800 + 800 / 3.0);
    NEAR(table[3].seconds.mean, 11);
    NEAR(table[3].scoring_seconds.mean, 11);
    assert_string_equal(table[3].scoring_run, "fold");
    /* What the scoring run took is not told where it is gone. */
    assert_true(isnan(table[2].scoring_images.mean));
    assert_true(isnan(table[2].images_with_scoring.mean));
}

static void lines_are_written(void **state)
{
    (void)state;
    char text[4096] = "", shown[US_COLUMN_TEXT_SIZE];
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    us_columns_csv_heading(out);
    us_columns_csv_line(out, &table[3]);
    fclose(out);
    assert_non_null(strstr(text, "metric,protocol,rule,keep,kept,seeds,epochs,steps,test_accuracy,deviation,"
                                 "standard_error,"));
    assert_non_null(strstr(text, "\nel2n,fold,ccs,0.5,200,3,2,26,0.930000,0.036056,0.020817,0.980000,"));
    assert_non_null(strstr(text, ",11.000,11.000,fold,0.020000,0.017321,,,0.060000,0.005774\n"));
    int c = 0;
    while (strcmp(us_column(c)->name, "minus_seen") != 0)
        c++;
    assert_string_equal(us_column_text(us_column(c), &table[3], US_PLUS_MINUS, shown), "+2.00 ± 1.73");
    assert_string_equal(us_column_text(us_column(c), &table[2], US_PLUS_MINUS, shown), "-");
    json_t *json = us_comparison_json(&table[2]);
    assert_true(json_is_null(json_object_get(json, "minus_seen")));
    assert_true(json_is_integer(json_object_get(json, "kept")));
    json_decref(json);
}

/* What an earlier version left has no accuracies of classes: their columns stay empty in its row alone. */
static void results_without_classes_are_taken(void **state)
{
    (void)state;
    struct unseen_comparison now[ROWS];
    write_result(3, 1, "");
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    assert_ok(us_comparison_gather(&options, data, &sweep, now));
    unseen_log_level_set(UNSEEN_LOG_INFO);
    NEAR(now[3].accuracy.mean, 0.93);
    assert_true(isnan(now[3].worst.mean));
    assert_string_equal(now[3].worst_class, "");
    NEAR(now[2].worst.mean, 1.7 / 3);
}

static void damaged_results_are_refused(void **state)
{
    (void)state;
    struct unseen_comparison now[ROWS];
    write_result(3, 1, "[0.5, 2, 0.5]");
    assert_fails(UNSEEN_BAD_DATA, "result.json: class_accuracy of class 1 is no number in 0..1",
                 us_comparison_gather(&options, data, &sweep, now));
    write_result(3, 1, "[0.9, 0.7]");
    assert_fails(UNSEEN_BAD_DATA, "result.json: class_accuracy is of 2 classes, and the data have 3",
                 us_comparison_gather(&options, data, &sweep, now));
}

/* The accuracy of each class of 4 test samples of classes 0, 2, 2, 2; class 1 has none. */
static void classes_are_told_apart(void **state)
{
    (void)state;
    static const int32_t labels[] = {0, 2, 2, 2};
    static const int64_t samples[] = {0, 1, 2, 3};
    float value[UNSEEN_N_ALWAYS * 4] = {0};
    const struct us_sample_stats tested = {4, samples, value};
    const struct us_cell_result written = {
        .kept = 7, .epochs = 2, .steps = 4, .images = 13, .accuracy = 0.75, .best = 0.75, .cutoff = NAN};
    struct us_cell_result read;
    bool done;
    const int64_t kept = 1, keep = 0;
    value[UNSEEN_CORRECT * 4 + 1] = value[UNSEEN_CORRECT * 4 + 2] = value[UNSEEN_CORRECT * 4] = 1;
    assert_ok(us_make_folder(test_path("cell")));
    assert_ok(us_npy_write(test_path("cell/keep.npy"), US_I64, 1, &kept, &keep));
    assert_ok(us_cell_tested_write(test_path("cell"), labels, CLASSES, &tested));
    assert_ok(us_cell_result_write(test_path("cell"), &written));
    assert_false(us_exists(test_path("cell/tested.json")));
    assert_ok(us_cell_result_read(test_path("cell"), &read, &done));
    assert_true(done);
    assert_int_equal(read.images, 13);
    assert_int_equal(read.classes, CLASSES);
    NEAR(read.class_accuracy[0], 1);
    assert_true(isnan(read.class_accuracy[1]));
    NEAR(read.class_accuracy[2], 2 / 3.0);
    us_cell_result_end(&read);
    assert_ok(us_cell_result_read(test_path("nowhere"), &read, &done));
    assert_false(done);
    us_cell_result_end(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_errors_are_worked),
        cmocka_unit_test(differences_are_paired_by_seed),
        cmocka_unit_test(classes_stand_beside_the_mean),
        cmocka_unit_test(wrong_labels_are_counted),
        cmocka_unit_test(costs_are_counted),
        cmocka_unit_test(lines_are_written),
        cmocka_unit_test(results_without_classes_are_taken),
        cmocka_unit_test(damaged_results_are_refused),
        cmocka_unit_test(classes_are_told_apart),
    };
    return RUN_TESTS(tests, set_up, tear_down);
}
