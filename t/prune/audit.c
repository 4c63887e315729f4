#include "config.h"

#include "unseen/audit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "support/cmocka.h"
#include "support/folder.h"
#include "trajectory/trajectory.h"

/* Two repeats of three epochs, of which the last knows more than the others. */
enum { N = 6, CLASSES = 3, REPEATS = 2, EPOCHS = 3 };

static const int64_t labels[N] = {0, 0, 0, 1, 1, 1};

/* The label's probability, the first choice and its probability. */
struct pass {
    double p_true;
    int first;
    double p_first;
};

static const struct pass early = {0.01, 2, 0.99},
                         late[N][REPEATS] = {
                             {{0.9, 0, 0.9}, {0.8, 0, 0.8}}, /* right */
                             {{0.1, 1, 0.8},
                              {0.3, 2, 0.6}}, /* undecided which other: 0.4 for class 1, 0.3 for class 2 */
                             {{0.05, 1, 0.9}, {0.05, 1, 0.9}}, /* wrong */
                             {{0.6, 1, 0.6}, {0.2, 2, 0.7}},   /* a class that no sample has */
                             {{0.9, 1, 0.9}, {0.9, 1, 0.9}},   /* right */
                             {{0.2, 0, 0.75}, {0.2, 0, 0.65}}, /* wrong */
};

static void set(struct us_trajectory_build *build, int repeat, int epoch, int64_t i, const struct pass *pass)
{
    int64_t at = ((int64_t)repeat * EPOCHS + epoch) * build->view.n + i;
    build->value[UNSEEN_P_TRUE][at] = (float)pass->p_true;
    build->value[UNSEEN_LOSS][at] = (float)-log(pass->p_true);
    bool right = pass->first == labels[i];
    build->value[UNSEEN_MARGIN][at] = (float)log(pass->p_true / (right ? 1 - pass->p_true : pass->p_first));
    build->value[UNSEEN_PREDICTED][at] = (float)pass->first;
}

static struct us_trajectory_build *build(void)
{
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_FOLD, N, REPEATS, EPOCHS, CLASSES, 2, &b));
    assert_ok(us_trajectory_demand(b, UNSEEN_AUDIT_RECORD, 0));
    memcpy(b->labels, labels, sizeof labels);
    for (int r = 0; r < REPEATS; r++) {
        for (int64_t i = 0; i < N; i++) {
            set(b, r, 0, i, &early);
            set(b, r, 1, i, &early);
            set(b, r, 2, i, &late[i][r]);
        }
    }
    return b;
}

static void assert_near(double value, double want)
{
    if (fabs(value - want) > 1e-6)
        fail_msg("%.9g instead of %.9g", value, want);
}

/* An epoch weighs the geometric mean of the labels' probabilities: 0.01 for each of the early two. */
static double late_weight(int repeat)
{
    double product = 1;
    for (int i = 0; i < N; i++)
        product *= late[i][repeat].p_true;
    double mean = pow(product, 1.0 / N);
    return mean / (mean + 2 * 0.01);
}

/* Suggested is the class of the greatest mass, to which the early epochs add 0.99 of theirs for class 2. Of
 * so few samples all are looked at: the last epoch's means reject 1, 2, 3 and 5. */
static void audit_by_hand(void **state)
{
    (void)state;
    static const int32_t suggested[] = {2, 1, 1, 2, 2, 0};
    struct us_trajectory_build *b = build();
    struct unseen_audit *a;
    assert_ok(unseen_audit(&b->view, NULL, &a));
    for (int i = 0; i < N; i++) {
        double p = 0, mass = 0;
        for (int r = 0; r < REPEATS; r++) {
            const struct pass *pass = &late[i][r];
            double weight = late_weight(r) / REPEATS, rest = 1.0 / REPEATS - weight;
            p += weight * pass->p_true + rest * early.p_true;
            mass += pass->first == suggested[i] ? weight * pass->p_first : 0;
            mass += early.first == suggested[i] ? rest * early.p_first : 0;
        }
        assert_near(a->p_true[i], p);
        assert_near(a->confidence[i], mass);
        assert_near(a->score[i], 1 - p);
        assert_int_equal(a->suggested[i], suggested[i]);
    }
    assert_near(a->noise_rate, 4.0 / 6);
    assert_int_equal(a->count, 4);
    assert_memory_equal(a->suspects, ((int64_t[]){2, 1, 5, 3}), 4 * sizeof(int64_t));
    unseen_audit_free(a);
    us_trajectory_free(b);
}

static void assert_names(const struct unseen_audit_options *options, int64_t count, const int64_t *want)
{
    struct us_trajectory_build *b = build();
    struct unseen_audit *a;
    assert_ok(unseen_audit(&b->view, options, &a));
    assert_int_equal(a->count, count);
    assert_memory_equal(a->suspects, want, (size_t)count * sizeof *want);
    unseen_audit_free(a);
    us_trajectory_free(b);
}

/* Scores by sample: 0.206, 0.8128, 0.953, 0.626, 0.160, 0.8127. */
static void suspects_by_number_and_score(void **state)
{
    (void)state;
    assert_names(&(struct unseen_audit_options){.count = 3}, 3, (int64_t[]){2, 1, 5});
    assert_names(&(struct unseen_audit_options){.count = 100}, 6, (int64_t[]){2, 1, 5, 3, 0, 4});
    assert_names(&(struct unseen_audit_options){.threshold = 0.6}, 4, (int64_t[]){2, 1, 5, 3});
    assert_names(&(struct unseen_audit_options){.threshold = 0.9}, 1, (int64_t[]){2});
    assert_names(&(struct unseen_audit_options){.threshold = 0}, 6, (int64_t[]){2, 1, 5, 3, 0, 4});
}

/* A label whose probability is too small for a float still is rejected for the first choice; of equal masses
 * the lower class is suggested. */
static void extreme_votes(void **state)
{
    (void)state;
    struct us_trajectory_build *b = build();
    struct unseen_audit *a;
    b->view.protocol = UNSEEN_SEEN; /* all epochs weigh alike */
    for (int pass = 0; pass < REPEATS * EPOCHS; pass++) {
        set(b, pass / EPOCHS, pass % EPOCHS, 0, &(struct pass){0.25, pass < EPOCHS ? 1 : 2, 0.5});
        int64_t at = (int64_t)pass * N + 1;
        b->value[UNSEEN_P_TRUE][at] = 0;
        b->value[UNSEEN_LOSS][at] = 200;
        b->value[UNSEEN_MARGIN][at] = -200.1f;
        b->value[UNSEEN_PREDICTED][at] = 2;
    }
    assert_ok(unseen_audit(&b->view, NULL, &a));
    assert_int_equal(a->suggested[0], 1);
    assert_near(a->confidence[0], 0.25);
    assert_int_equal(a->suggested[1], 2);
    assert_near(a->score[1], 1);
    unseen_audit_free(a);
    us_trajectory_free(b);
}

enum { MANY = 400 };

static void set_belief(struct us_trajectory_build *b, int epoch, int64_t i, double label, double other)
{
    int64_t at = (int64_t)epoch * MANY + i;
    b->value[UNSEEN_P_TRUE][at] = (float)label;
    b->value[UNSEEN_LOSS][at] = (float)-log(label);
    b->value[UNSEEN_MARGIN][at] = (float)log(label / other);
}

static void set_beliefs(struct us_trajectory_build *b, double label, double other)
{
    for (int e = 0; e < EPOCHS; e++) {
        for (int64_t i = 0; i < MANY; i++)
            set_belief(b, e, i, label, other);
    }
}

static void assert_noise_rate(const struct us_trajectory_build *b, double want)
{
    double share = NAN;
    assert_ok(unseen_noise_rate(&b->view, &share));
    assert_near(share, want);
}

/* A sample of which models believe `sure` for their choice, which is the label or not. */
static void choose(struct us_trajectory_build *b, int64_t i, int choice, bool rejected, double sure)
{
    b->labels[i] = choice + rejected;
    for (int e = 0; e < EPOCHS; e++) {
        set_belief(b, e, i, rejected ? 0.04 : sure, rejected ? sure : 0.04);
        b->value[UNSEEN_PREDICTED][e * MANY + i] = (float)choice;
    }
}

/* Of 300 samples that models take for class 0 the surest 20, 30, 60 and 120 are looked at, of which 10, 10,
 * 12 and 32 are rejected; of 100 of class 1 the surest 20 and 40, of which 8 and 16 are. */
static void noise_rate_by_hand(void **state)
{
    (void)state;
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_FOLD, MANY, 1, EPOCHS, CLASSES, 2, &b));
    assert_ok(us_trajectory_demand(b, UNSEEN_AUDIT_RECORD, 0));
    for (int i = 0; i < 300; i++)
        choose(b, i, 0, i < 10 || i == 30 || i == 40 || (i >= 60 && i < 80) || i >= 120, 0.95 - 0.001 * i);
    for (int j = 0; j < 100; j++)
        choose(b, 300 + j, 1, j < 8 || (j >= 20 && j < 28), 0.945 - 0.001 * j);
    assert_noise_rate(b, (300 * 12.0 / 60 + 100 * 16.0 / 40) / MANY);
    for (int j = 0; j < 100; j++) /* sure of nothing */
        choose(b, 300 + j, 1, j < 8, 0.39);
    assert_noise_rate(b, 300 * 12.0 / 60 / MANY);
    /* All samples as one class: the surest 20, 40, 80 and 160, all of class 0. */
    b->view.value[UNSEEN_PREDICTED] = NULL;
    assert_noise_rate(b, 11.0 / 40);
    us_trajectory_free(b);
}

static void noise_rate_is_that_of_late_epochs(void **state)
{
    (void)state;
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_FOLD, MANY, 1, EPOCHS, CLASSES, 2, &b));
    set_beliefs(b, 0.9, 0.05);
    assert_noise_rate(b, 0);
    set_beliefs(b, 0.1, 0.8);
    assert_noise_rate(b, 1);
    for (int64_t i = 0; i < MANY; i++)
        set_belief(b, EPOCHS - 1, i, 0.9, 0.05);
    assert_noise_rate(b, 0);
    b->view.value[UNSEEN_LOSS] = NULL;
    assert_noise_rate(b, 0);
    us_trajectory_free(b);
}

/* By falling score come samples 2, 1, 5, 3, 0, 4, of which 1, 5 and 4 are wrong: at their places precision is
 * 1/2, 2/3 and 3/6. Sample 1 is suggested class 1, sample 5 class 0. */
static void judged_by_true_labels(void **state)
{
    (void)state;
    static const int32_t right[N] = {0, 2, 0, 1, 2, 0};
    struct us_trajectory_build *b = build();
    struct unseen_audit *a;
    struct unseen_audit_truth t;
    assert_ok(unseen_audit(&b->view, &(struct unseen_audit_options){.count = 3}, &a));
    assert_int_equal(a->ranked, N);
    unseen_audit_judge(a, right, &t);
    assert_int_equal(t.wrong, 3);
    assert_int_equal(t.found, 2);
    assert_int_equal(t.corrected, 1);
    assert_near(t.precision, 2.0 / 3);
    assert_near(t.recall, 2.0 / 3);
    assert_near(t.average_precision, (1.0 / 2 + 2.0 / 3 + 3.0 / 6) / 3);
    a->score[1] = a->score[2]; /* one threshold: both at 1/2 */
    a->count = 0;
    unseen_audit_judge(a, right, &t);
    assert_near(t.average_precision, (1.0 / 2 + 2.0 / 3 + 3.0 / 6) / 3);
    assert_true(isnan(t.precision));
    a->score[5] = a->score[2]; /* all three at 2/3 */
    unseen_audit_judge(a, right, &t);
    assert_near(t.average_precision, (2 * 2.0 / 3 + 3.0 / 6) / 3);
    unseen_audit_judge(a, (const int32_t[]){0, 0, 0, 1, 1, 1}, &t);
    assert_int_equal(t.wrong, 0);
    assert_true(isnan(t.recall) && isnan(t.average_precision));
    unseen_audit_free(a);
    us_trajectory_free(b);
}

static void refuses(void **state)
{
    (void)state;
    struct us_trajectory_build *b = build();
    struct unseen_audit *a = NULL;
    b->value[UNSEEN_PREDICTED][2 * N] = 3;
    assert_fails(UNSEEN_BAD_DATA, "predicted: 3 of sample 0 is no class", unseen_audit(&b->view, NULL, &a));
    b->view.value[UNSEEN_PREDICTED] = NULL;
    assert_fails(UNSEEN_USAGE, "lacks predicted", unseen_audit(&b->view, NULL, &a));
    assert_non_null(strstr(unseen_last_hint(), "--trajectory"));
    assert_null(a);
    us_trajectory_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audit_by_hand),
        cmocka_unit_test(suspects_by_number_and_score),
        cmocka_unit_test(extreme_votes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(judged_by_true_labels),
        cmocka_unit_test(noise_rate_by_hand),
        cmocka_unit_test(noise_rate_is_that_of_late_epochs),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
