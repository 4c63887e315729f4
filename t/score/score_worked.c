/* Scores against their papers' and public code's arithmetic, from the softmaxes of a small run. */
#include "config.h"

#include "support/score.h"

/* Logits of four samples over five epochs: one that is learnt and kept, one that wavers, one that never is
 * right, one that is right with certainty in the end. */
enum { N = 4, EPOCHS = 5, CLASSES = 3 };

static const int label[N] = {0, 1, 2, 1};

static const double logits[EPOCHS][N][CLASSES] = {
    {{0.1, 0.3, -0.2}, {0.5, 0.4, 0.1}, {1.0, 0.2, 0.1}, {0.0, -0.1, 0.2}},
    {{0.9, 0.2, -0.5}, {0.3, 0.8, 0.2}, {1.5, 0.9, -0.4}, {0.3, 0.6, -0.3}},
    {{1.7, -0.3, 0.4}, {1.2, 0.7, -0.1}, {0.6, 1.8, -1.0}, {-1.0, 2.5, 0.1}},
    {{2.6, -0.9, 0.2}, {0.1, 1.4, 0.9}, {2.2, 1.1, -1.9}, {-2.0, 6.0, -1.0}},
    {{3.1, -1.2, -0.8}, {1.3, 0.9, 1.2}, {9.0, 1.5, -3.0}, {-9.0, 21.0, -7.0}},
};

static double p[EPOCHS][N][CLASSES];

static void softmaxes(void)
{
    for (int e = 0; e < EPOCHS; e++) {
        for (int i = 0; i < N; i++) {
            double sum = 0;
            for (int c = 0; c < CLASSES; c++)
                sum += exp(logits[e][i][c]);
            for (int c = 0; c < CLASSES; c++)
                p[e][i][c] = exp(logits[e][i][c]) / sum;
        }
    }
}

static int best_class(const double *values)
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        best = values[c] > values[best] ? c : best;
    return best;
}

static double largest_but(const double *values, int without)
{
    double best = -INFINITY;
    for (int c = 0; c < CLASSES; c++)
        best = c != without ? fmax(best, values[c]) : best;
    return best;
}

static double change(int e, int i)
{
    double sum = 0;
    for (int c = 0; c < CLASSES; c++)
        sum += fabs(p[e][i][c] * (log(p[e][i][c] + 1e-8) - log(p[e - 1][i][c] + 1e-8)));
    return sum;
}

static const double norms[N] = {0, 2, 0.5, 7};

/* What a recorder leaves of it. */
static struct us_trajectory_build *record(void)
{
    struct us_trajectory_build *b;
    softmaxes();
    assert_ok(us_trajectory_new(UNSEEN_SEEN, N, 1, EPOCHS, CLASSES, 0, &b));
    assert_ok(us_trajectory_demand(b, US_RECORD_DEMAND, 2));
    for (int e = 0; e < EPOCHS; e++) {
        for (int i = 0; i < N; i++) {
            int at = e * N + i, y = label[i], best = best_class(p[e][i]);
            double square = 0, sum = 0;
            for (int c = 0; c < CLASSES; c++) {
                square += pow(p[e][i][c] - (c == y), 2);
                sum += exp(logits[e][i][c]);
            }
            b->value[UNSEEN_P_TRUE][at] = (float)p[e][i][y];
            b->value[UNSEEN_MARGIN][at] = (float)(logits[e][i][y] - largest_but(logits[e][i], y));
            b->value[UNSEEN_EL2N][at] = (float)sqrt(square);
            b->value[UNSEEN_LOSS][at] = (float)(log(sum) - logits[e][i][y]);
            b->correct[at] = best == y;
            b->value[UNSEEN_CHANGE][at] = e ? (float)change(e, i) : 0;
            b->value[UNSEEN_FEATURE_NORM][at] = (float)norms[i];
            b->value[UNSEEN_PREDICTED][at] = (float)best;
            b->value[UNSEEN_RUNNER_UP][at] = (float)largest_but(p[e][i], best);
        }
    }
    return b;
}

/* Last epoch: the norm of the outer product of p - onehot and (h, 1), added up element by element. */
static void grand_is_the_norm_of_the_last_layers_gradient(void **state)
{
    (void)state;
    struct us_trajectory_build *b = record();
    double want[N];
    for (int i = 0; i < N; i++) {
        double square = 0;
        for (int c = 0; c < CLASSES; c++) {
            double g = p[EPOCHS - 1][i][c] - (c == label[i]);
            /* Features (norm, 0), and the bias. */
            square += pow(g * norms[i], 2) + g * g;
        }
        want[i] = sqrt(square);
    }
    assert_scores(b, "grand", NULL, want);
    us_trajectory_free(b);
}

static void el2n_of_ccs_is_a_sum_over_ten_epochs(void **state)
{
    (void)state;
    struct us_trajectory_build *b = seen(1, 1, 12);
    for (int e = 0; e < 12; e++)
        b->value[UNSEEN_EL2N][e] = (float)(1 << e) / 1024;
    assert_scores(b, "el2n-ccs", NULL, (double[]){1023.0 / 1024});
    assert_scores(b, "el2n-ccs", &(struct unseen_score_options){.epoch = -1, .length = 3},
                  (double[]){7.0 / 1024});
    us_trajectory_free(b);
}

static void margins_of_probabilities(void **state)
{
    (void)state;
    struct us_trajectory_build *b = record();
    double confidence[N], margin[N], top2[N], first[N], aum[N] = {0};
    for (int i = 0; i < N; i++) {
        const double *last = p[EPOCHS - 1][i];
        int best = best_class(last);
        confidence[i] = 1 - last[best];
        margin[i] = largest_but(last, label[i]) - last[label[i]];
        top2[i] = largest_but(last, best) - last[best];
        first[i] = largest_but(p[0][i], label[i]) - p[0][i][label[i]];
        for (int e = 0; e < EPOCHS; e++)
            aum[i] -= p[e][i][label[i]] - largest_but(p[e][i], label[i]);
    }
    assert_scores(b, "least-confidence", NULL, confidence);
    assert_scores(b, "margin-prob", NULL, margin);
    assert_scores(b, "margin-prob", &(struct unseen_score_options){.epoch = 0}, first);
    assert_scores(b, "margin-top2", NULL, top2);
    assert_scores(b, "aum-ccs", NULL, aum);
    us_trajectory_free(b);
}

/* e^-129.5 is nothing to a float, so that the other class has all of the probability. */
static void a_label_may_be_hopeless(void **state)
{
    (void)state;
    struct us_trajectory_build *b = seen(1, 1, 1);
    b->value[UNSEEN_LOSS][0] = 129.5f;
    b->value[UNSEEN_MARGIN][0] = -129.5f;
    assert_scores(b, "least-confidence", NULL, (double[]){0});
    assert_scores(b, "margin-prob", NULL, (double[]){1});
    assert_scores(b, "aum-ccs", NULL, (double[]){1});
    us_trajectory_free(b);
}

/* Right or wrong: 01111, 01010, 00000, 01111. Predicted: 1 0 0 0 0, 0 1 0 1 0, 0 0 1 0 0, 2 1 1 1 1. */
static void what_was_learnt_when(void **state)
{
    (void)state;
    struct us_trajectory_build *b = record();
    assert_scores(b, "forgetting", NULL, (double[]){0, 2, EPOCHS + 1, 0});
    assert_scores(b, "forgetting-ccs", NULL, (double[]){0, 2, 0, 0});
    assert_scores(b, "first-learnt", NULL, (double[]){1, 1, EPOCHS, 1});
    assert_scores(b, "correctness", NULL, (double[]){-4, -2, 0, -4});
    assert_scores(b, "flips", NULL, (double[]){1, 4, 2, 1});
    const struct unseen_score_options three = {.epoch = -1, .length = 3};
    assert_scores(b, "forgetting", &three, (double[]){0, 1, 4, 0});
    assert_scores(b, "correctness", &three, (double[]){-2, -1, 0, -2});
    assert_scores(b, "flips", &three, (double[]){1, 2, 1, 1});
    us_trajectory_free(b);
}

/* The published sum, window by window, from the softmaxes. */
static double tdds(int i, int epochs, int window, double decay)
{
    double score = 0;
    for (int k = 0; k <= epochs - window; k++) {
        double mean = 0, square = 0;
        for (int j = 0; j < window - 1; j++)
            mean += change(k + j + 1, i) / (window - 1);
        for (int j = 0; j < window - 1; j++)
            square += pow(change(k + j + 1, i) - mean, 2);
        score += decay * pow(1 - decay, epochs - window - k) * sqrt(square);
    }
    return score;
}

static void tdds_is_as_published(void **state)
{
    (void)state;
    static const struct {
        struct unseen_score_options options;
        int epochs, window;
        double decay;
    } cases[] = {
        {{.epoch = -1}, EPOCHS, EPOCHS, 0.9},
        {{.epoch = -1, .window = 3}, EPOCHS, 3, 0.9},
        {{.epoch = -1, .window = 3, .length = 4}, 4, 3, 0.9},
        {{.epoch = -1, .window = 3, .decay = 0.3}, EPOCHS, 3, 0.3},
        {{.epoch = -1, .window = 4, .decay = 1}, EPOCHS, 4, 1},
    };
    struct us_trajectory_build *b = record();
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        double want[N];
        for (int i = 0; i < N; i++)
            want[i] = tdds(i, cases[c].epochs, cases[c].window, cases[c].decay);
        assert_scores(b, "tdds", &cases[c].options, want);
    }
    us_trajectory_free(b);
}

/* Changes 0.4, 0.2 | 0.2, 0.8 after the first epoch: windows of three epochs deviate by 0.1 sqrt 2 and 0.3
 * sqrt 2, and the sum is 0.9 of the last and 0.09 of the first. */
static void tdds_by_hand(void **state)
{
    (void)state;
    static const float changes[] = {0, 0.4f, 0.2f, 0.8f};
    struct us_trajectory_build *b = seen(1, 1, 4);
    assert_ok(us_trajectory_demand(b, 1u << UNSEEN_CHANGE, 0));
    memcpy(b->value[UNSEEN_CHANGE], changes, sizeof changes);
    assert_scores(b, "tdds", &(struct unseen_score_options){.epoch = -1, .window = 3},
                  (double[]){(0.9 * 0.3 + 0.09 * 0.1) * sqrt(2)});
    us_trajectory_free(b);
}

/* Losses that fall as 2 3^-r, stay, rise as 2^r / 2, and are nothing. */
static void mrmc_is_the_reduction_of_an_exponential(void **state)
{
    (void)state;
    enum { R = 4 };
    struct us_trajectory_build *b = seen(4, 1, R);
    for (int e = 0; e < R; e++) {
        b->value[UNSEEN_LOSS][e * 4] = (float)(2 * pow(3, -(e + 1)));
        b->value[UNSEEN_LOSS][e * 4 + 1] = 0.7f;
        b->value[UNSEEN_LOSS][e * 4 + 2] = (float)(pow(2, e + 1) / 2);
        b->value[UNSEEN_LOSS][e * 4 + 3] = 0;
    }
    assert_scores(b, "mrmc", NULL, (double[]){2 * (1 - pow(3, -R)), 0, (1 - pow(2, R)) / 2, 0});
    us_trajectory_free(b);
}

/* Where losses are no exponential: the normal equations of ln l = ln q - r ln w over the first 20 epochs. */
static void mrmc_fits_the_first_twenty_epochs(void **state)
{
    (void)state;
    enum { T = 25, R = 20 };
    struct us_trajectory_build *b = seen(1, 1, T);
    double n = R, r1 = 0, r2 = 0, y1 = 0, ry = 0;
    for (int e = 0; e < T; e++) {
        const float loss = (float)(2.3 / (1 + e) + 0.1 * sin(e));
        b->value[UNSEEN_LOSS][e] = e < R ? loss : 50;
        if (e < R) {
            const double r = e + 1, y = log((double)loss);
            r1 += r;
            r2 += r * r;
            y1 += y;
            ry += r * y;
        }
    }
    const double slope = (n * ry - r1 * y1) / (n * r2 - r1 * r1), q = exp((y1 - slope * r1) / n);
    assert_scores(b, "mrmc", NULL, (double[]){q * (1 - exp(slope * R))});
    us_trajectory_free(b);
}

/* DUAL's first 30 of 200 epochs: what comes later does not count. */
static void later_epochs_can_be_left_out(void **state)
{
    (void)state;
    static const float all[] = {0.2f, 0.4f, 0.8f, 0.1f, 0.9f};
    struct us_trajectory_build *first = seen(1, 1, 3), *whole = seen(1, 1, 5);
    float want;
    memcpy(first->value[UNSEEN_P_TRUE], all, 3 * sizeof *all);
    memcpy(whole->value[UNSEEN_P_TRUE], all, sizeof all);
    const struct unseen_score_options three = {.epoch = -1, .window = 2, .length = 3};
    assert_ok(unseen_score(&first->view, "dual", &three, &want));
    assert_scores(whole, "dual", &three, (double[]){(double)want});
    assert_scores(whole, "dual", &three, (double[]){0.75 * sqrt(2)});
    assert_fails(
        UNSEEN_USAGE, "--epoch: 3 is not in 0..2",
        unseen_score(&whole->view, "loss", &(struct unseen_score_options){.epoch = 3, .length = 3}, &want));
    us_trajectory_free(first);
    us_trajectory_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grand_is_the_norm_of_the_last_layers_gradient),
        cmocka_unit_test(el2n_of_ccs_is_a_sum_over_ten_epochs),
        cmocka_unit_test(margins_of_probabilities),
        cmocka_unit_test(a_label_may_be_hopeless),
        cmocka_unit_test(what_was_learnt_when),
        cmocka_unit_test(tdds_is_as_published),
        cmocka_unit_test(tdds_by_hand),
        cmocka_unit_test(mrmc_is_the_reduction_of_an_exponential),
        cmocka_unit_test(mrmc_fits_the_first_twenty_epochs),
        cmocka_unit_test(later_epochs_can_be_left_out),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
