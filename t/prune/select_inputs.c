#include "config.h"

#include "prune/select_inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/folder.h"
#include "trajectory/trajectory.h"

enum { N = 40, CLASSES = 2, REPEATS = 2, EPOCHS = 9, SHORT = 3 };
enum { ALL_PARTS = US_SELECT_INPUTS_P_TRUE | US_SELECT_INPUTS_CLASS_ERROR | US_SELECT_INPUTS_NOISE_RATE };

/* The first `epochs` of a run's nine epochs: a quarter of the labels is rejected early, half of them later.
 */
static void write_run(const char *folder, int epochs)
{
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_FOLD, N, REPEATS, epochs, CLASSES, 2, &b));
    for (int i = 0; i < N; i++)
        b->labels[i] = i % CLASSES;
    for (int r = 0; r < REPEATS; r++) {
        for (int e = 0; e < epochs; e++) {
            for (int i = 0; i < N; i++) {
                const int at = (r * epochs + e) * N + i;
                const bool wrong = i % (e < SHORT ? 4 : 2) == 0;
                const double p = (wrong ? 0.02 : 0.97) + 0.01 * sin(1.0 + i * (e + 1) + r);
                b->value[UNSEEN_P_TRUE][at] = (float)p;
                b->value[UNSEEN_LOSS][at] = (float)-log(p);
                b->value[UNSEEN_MARGIN][at] = (float)log(p / (1 - p));
                b->correct[at] = p > 0.5;
            }
        }
    }
    for (int i = 0; i < REPEATS * N; i++)
        b->fold[i] = i % 2;
    assert_ok(us_trajectory_write(b, folder));
    us_trajectory_free(b);
}

static void read_run(const char *folder, int length, unsigned parts, struct us_select_inputs *e)
{
    const struct unseen_score_options options = {.epoch = -1, .length = length};
    assert_ok(us_select_inputs_read(folder, "confidence", &options, NULL, parts, e));
}

/* As if the run had ended there. */
static void length_cuts_all_that_a_rule_looks_at(void **state)
{
    (void)state;
    struct us_select_inputs of_length, of_short, of_all;
    write_run(test_path("long"), EPOCHS);
    write_run(test_path("short"), SHORT);
    read_run(test_path("long"), SHORT, ALL_PARTS, &of_length);
    read_run(test_path("short"), 0, ALL_PARTS, &of_short);
    read_run(test_path("long"), 0, ALL_PARTS, &of_all);
    assert_memory_equal(of_length.scores, of_short.scores, N * sizeof(float));
    assert_memory_equal(of_length.p_true, of_short.p_true, N * sizeof(float));
    assert_memory_equal(of_length.class_error, of_short.class_error, CLASSES * sizeof(double));
    assert_true(of_length.noise_rate == of_short.noise_rate);
    assert_memory_not_equal(of_length.p_true, of_all.p_true, N * sizeof(float));
    assert_memory_not_equal(of_length.class_error, of_all.class_error, CLASSES * sizeof(double));
    assert_true(of_length.noise_rate != of_all.noise_rate);
    us_select_inputs_end(&of_length);
    us_select_inputs_end(&of_short);
    us_select_inputs_end(&of_all);
}

static void a_length_beyond_the_run_is_refused_without_a_metric_too(void **state)
{
    (void)state;
    const struct unseen_score_options options = {.epoch = -1, .length = SHORT + 1};
    struct us_select_inputs e;
    write_run(test_path("short"), SHORT);
    assert_fails(UNSEEN_USAGE, "--length: 4 is not in 1..3",
                 us_select_inputs_read(test_path("short"), NULL, &options, NULL, ALL_PARTS, &e));
    us_select_inputs_end(&e);
}

static void only_what_is_asked_for_is_read(void **state)
{
    (void)state;
    struct us_select_inputs e;
    struct unseen_select_options select = {.keep = 0.5, .cutoff = UNSEEN_CUTOFF_AUTO};
    write_run(test_path("short"), SHORT);
    read_run(test_path("short"), 0, 0, &e);
    assert_non_null(e.scores);
    assert_true(!e.p_true && !e.class_error && e.noise_rate == 0 && !e.rows);
    us_select_inputs_end(&e);
    assert_int_equal(us_select_inputs_of("top", &select), 0);
    assert_int_equal(us_select_inputs_of("ccs", &select), US_SELECT_INPUTS_NOISE_RATE);
    assert_int_equal(us_select_inputs_of("beta", &select), US_SELECT_INPUTS_P_TRUE);
    assert_int_equal(us_select_inputs_of("herding", &select), US_SELECT_INPUTS_FEATURES);
    select.cutoff = 0.1;
    select.class_focus = 0.5;
    assert_int_equal(us_select_inputs_of("ccs", &select), US_SELECT_INPUTS_CLASS_ERROR);
}

static enum unseen_select_table table_of(const char *format, int classes, enum unseen_select_table asked)
{
    const struct unseen_dataset data = {.format = format, .classes = classes};
    struct unseen_select_options select = {.table = asked};
    us_select_inputs_table(&data, &select);
    return select.table;
}

static void published_settings_are_those_of_the_data(void **state)
{
    (void)state;
    assert_int_equal(table_of("cifar10", 10, UNSEEN_TABLE_AUTO), UNSEEN_TABLE_CIFAR10);
    assert_int_equal(table_of("cifar100", 100, UNSEEN_TABLE_AUTO), UNSEEN_TABLE_CIFAR100);
    assert_int_equal(table_of("cifar100", 20, UNSEEN_TABLE_AUTO), UNSEEN_TABLE_CIFAR100);
    assert_int_equal(table_of("imagefolder", 1000, UNSEEN_TABLE_AUTO), UNSEEN_TABLE_IMAGENET);
    assert_int_equal(table_of("imagefolder", 100, UNSEEN_TABLE_AUTO), UNSEEN_TABLE_CIFAR10);
    assert_int_equal(table_of("cifar100", 100, UNSEEN_TABLE_CIFAR10), UNSEEN_TABLE_CIFAR10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_cuts_all_that_a_rule_looks_at),
        cmocka_unit_test(a_length_beyond_the_run_is_refused_without_a_metric_too),
        cmocka_unit_test(only_what_is_asked_for_is_read),
        cmocka_unit_test(published_settings_are_those_of_the_data),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
