#include "config.h"

#include "ops/loss.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"

enum {
    OBJECTIVE = UNSEEN_N_ALWAYS,
    ROWS_OF_RECORD = UNSEEN_N_ALWAYS + 1,
    MARGIN_COLUMNS = 5,
    FIRST_WEIGHT = 3
};

struct batch {
    int n, classes;
    float smoothing;
    float *logits;
    int32_t *labels, *rows; /* labels [2 n] */
    float *weights;         /* [FIRST_WEIGHT + n], or NULL */
};

static double largest(const double *z, int classes, int but)
{
    double best = -INFINITY;
    for (int c = 0; c < classes; c++)
        if (c != but && z[c] > best)
            best = z[c];
    return best;
}

/* One sample: quantities [ROWS_OF_RECORD], and its share of dlogits if that is wanted. */
static void reference(const double *z, int classes, int label, double smoothing, double *quantity,
                      double *gradient)
{
    double sum = 0, top = largest(z, classes, -1);
    int best = 0;
    memset(quantity, 0, ROWS_OF_RECORD * sizeof *quantity);
    for (int c = 0; c < classes; c++)
        sum += exp(z[c] - top);
    for (int c = classes - 1; c >= 0; c--) {
        double ln_p = z[c] - top - log(sum), p = exp(ln_p), hot = c == label;
        double q = (1 - smoothing) * hot + smoothing / classes;
        quantity[UNSEEN_EL2N] += (p - hot) * (p - hot);
        quantity[UNSEEN_ENTROPY] -= p > 0 ? p * ln_p : 0;
        quantity[OBJECTIVE] -= q * ln_p;
        best = z[c] == top ? c : best;
        if (gradient)
            gradient[c] = p - q;
        if (c == label) {
            quantity[UNSEEN_P_TRUE] = p;
            quantity[UNSEEN_LOSS] = -ln_p;
        }
    }
    quantity[UNSEEN_EL2N] = sqrt(quantity[UNSEEN_EL2N]);
    quantity[UNSEEN_MARGIN] = z[label] - largest(z, classes, label);
    quantity[UNSEEN_CORRECT] = best == label;
}

static void make_batch(struct batch *b, int n, int classes, float smoothing, float reach)
{
    *b = (struct batch){.n = n, .classes = classes, .smoothing = smoothing};
    b->logits = test_random(1, (size_t)n * (size_t)classes, -reach, reach);
    b->labels = calloc((size_t)n * 2, sizeof *b->labels);
    b->rows = calloc((size_t)n, sizeof *b->rows);
    assert_true(b->labels && b->rows);
    for (int i = 0; i < 2 * n; i++)
        b->labels[i] = i * 7 % classes;
    for (int i = 0; i < n; i++)
        b->rows[i] = 2 * n - 1 - i;
}

static void free_batch(struct batch *b)
{
    free(b->logits);
    free(b->labels);
    free(b->rows);
    free(b->weights);
}

static double weight(const struct batch *b, int i)
{
    return b->weights ? (double)b->weights[FIRST_WEIGHT + i] : 1;
}

/* Run; record [ROWS_OF_RECORD][stride], dlogits may be NULL. */
static void run(const struct batch *b, size_t stride, size_t column, float **record, float **dlogits)
{
    struct us_loss loss = {.n = b->n,
                           .classes = b->classes,
                           .smoothing = b->smoothing,
                           .logits = test_buf((size_t)b->n * (size_t)b->classes, b->logits),
                           .labels = test_buf_int((size_t)b->n * 2, b->labels),
                           .rows = test_buf_int((size_t)b->n, b->rows),
                           .weights = b->weights ? test_buf(FIRST_WEIGHT + (size_t)b->n, b->weights) : NULL,
                           .first_weight = FIRST_WEIGHT,
                           .record = test_buf(ROWS_OF_RECORD * stride, NULL),
                           .stride = stride,
                           .column = column};
    if (dlogits)
        loss.dlogits = test_buf((size_t)b->n * (size_t)b->classes, NULL);
    assert_ok(us_loss_run(test_device(), &loss));
    *record = test_buf_read(loss.record);
    if (dlogits)
        *dlogits = test_buf_read(loss.dlogits);
    test_buf_free(loss.logits);
    test_buf_free(loss.labels);
    test_buf_free(loss.rows);
    test_buf_free(loss.weights);
    test_buf_free(loss.record);
    test_buf_free(loss.dlogits);
}

static void check_sample(const struct batch *b, int i, const float *record, size_t stride, size_t column,
                         const float *dlogits)
{
    const size_t classes = (size_t)b->classes;
    double *z = calloc(classes, sizeof *z), *gradient = calloc(classes, sizeof *gradient);
    double want[ROWS_OF_RECORD];
    float got[ROWS_OF_RECORD];
    assert_true(z && gradient);
    for (size_t c = 0; c < classes; c++)
        z[c] = (double)b->logits[(size_t)i * classes + c];
    reference(z, b->classes, b->labels[b->rows[i]], (double)b->smoothing, want, gradient);
    for (size_t q = 0; q < ROWS_OF_RECORD; q++)
        got[q] = record[q * stride + column + (size_t)i];
    for (size_t q = 0; q < ROWS_OF_RECORD; q++)
        test_close_d("quantity", &got[q], &want[q], 1, 2e-6);
    for (size_t c = 0; c < classes; c++)
        gradient[c] *= weight(b, i) / b->n;
    test_close_d("dlogits", dlogits + (size_t)i * classes, gradient, classes, 5e-7 / b->n);
    free(z);
    free(gradient);
}

static void check(int n, int classes, float smoothing, float reach)
{
    struct batch b;
    float *record, *dlogits, *again, *dlogits_again;
    const size_t column = 2, stride = (size_t)n + MARGIN_COLUMNS;
    printf("# %d samples, %d classes, smoothing %g, logits to %g\n", n, classes, (double)smoothing,
           (double)reach);
    make_batch(&b, n, classes, smoothing, reach);
    run(&b, stride, column, &record, &dlogits);
    for (int i = 0; i < n; i++)
        check_sample(&b, i, record, stride, column, dlogits);
    for (size_t q = 0; q < ROWS_OF_RECORD; q++) /* columns of other batches are left alone */
        assert_true(isnan(record[q * stride + column - 1]) && isnan(record[q * stride + column + (size_t)n]));
    run(&b, stride, column, &again, &dlogits_again);
    assert_memory_equal(record, again, ROWS_OF_RECORD * stride * sizeof *record);
    assert_memory_equal(dlogits, dlogits_again, (size_t)(n * classes) * sizeof *dlogits);
    free(again);
    run(&b, stride, column, &again, NULL);
    assert_memory_equal(record, again, ROWS_OF_RECORD * stride * sizeof *record);
    free(again);
    free(record);
    free(dlogits);
    free(dlogits_again);
    free_batch(&b);
}

static void agrees_with_reference(void **state)
{
    (void)state;
    check(128, 10, 0, 5);
    check(33, 10, 0.1F, 5);
    check(7, 2, 0.2F, 3);
    check(17, 100, 0, 20);
    check(5, 1000, 0.1F, 10);
}

static void stays_finite(void **state)
{
    (void)state;
    check(50, 10, 0, 1e4F);
    check(50, 10, 0.1F, 1e4F);
}

/* Where p_true rounds to 1 in float32 the loss and the error norm still tell samples apart. */
static void keeps_small_losses(void **state)
{
    (void)state;
    struct batch b;
    float *record;
    make_batch(&b, 1, 2, 0, 1);
    b.labels[b.rows[0]] = 1;
    b.logits[0] = -10;
    b.logits[1] = 10;
    run(&b, 1, 0, &record, NULL);
    const double small = exp(-20.0);
    assert_true(fabs((double)record[UNSEEN_LOSS] / small - 1) < 1e-5);
    assert_true(fabs((double)record[UNSEEN_EL2N] / (small * sqrt(2)) - 1) < 1e-5);
    free(record);
    free_batch(&b);
}

static void ties_count_for_the_lower_class(void **state)
{
    (void)state;
    struct batch b;
    float *record;
    make_batch(&b, 2, 3, 0, 1);
    for (int i = 0; i < 6; i++)
        b.logits[i] = i % 3 == 0 ? 0 : 1; /* classes 1 and 2 tie */
    b.labels[b.rows[0]] = 1;
    b.labels[b.rows[1]] = 2;
    run(&b, 2, 0, &record, NULL);
    assert_true(record[UNSEEN_CORRECT * 2] == 1 && record[UNSEEN_CORRECT * 2 + 1] == 0);
    assert_true(record[UNSEEN_MARGIN * 2] == 0 && record[UNSEEN_MARGIN * 2 + 1] == 0);
    free(record);
    free_batch(&b);
}

static double objective(const double *logits, size_t n, void *context)
{
    (void)n;
    const struct batch *b = context;
    double total = 0, quantity[ROWS_OF_RECORD];
    for (int i = 0; i < b->n; i++) {
        reference(logits + i * b->classes, b->classes, b->labels[b->rows[i]], (double)b->smoothing, quantity,
                  NULL);
        total += weight(b, i) * quantity[OBJECTIVE] / b->n;
    }
    return total;
}

static void gradient_of_differences(void **state)
{
    (void)state;
    for (int smoothed = 0; smoothed < 2; smoothed++) {
        struct batch b;
        float *record, *dlogits;
        make_batch(&b, 6, 10, smoothed ? 0.1F : 0, 3);
        run(&b, 6, 0, &record, &dlogits);
        double *logits = calloc(60, sizeof *logits);
        assert_non_null(logits);
        for (int i = 0; i < 60; i++)
            logits[i] = (double)b.logits[i];
        test_gradient("dlogits", objective, &b, logits, dlogits, 60, 1e-6);
        free(logits);
        free(record);
        free(dlogits);
        free_batch(&b);
    }
}

/* Weights are for gradients alone: what is recorded stays the sample's own. */
static void weighs_samples(void **state)
{
    (void)state;
    struct batch b;
    float *record, *plain, *dlogits;
    make_batch(&b, 6, 10, 0.1F, 3);
    run(&b, 6, 0, &plain, NULL);
    b.weights = test_random(2, FIRST_WEIGHT + 6, 0, 4);
    run(&b, 6, 0, &record, &dlogits);
    assert_memory_equal(record, plain, ROWS_OF_RECORD * 6 * sizeof *record);
    for (int i = 0; i < b.n; i++)
        check_sample(&b, i, record, 6, 0, dlogits);
    double *logits = calloc(60, sizeof *logits);
    assert_non_null(logits);
    for (int i = 0; i < 60; i++)
        logits[i] = (double)b.logits[i];
    test_gradient("dlogits", objective, &b, logits, dlogits, 60, 1e-6);
    free(logits);
    free(plain);
    free(record);
    free(dlogits);
    free_batch(&b);
}

static void refuses_one_class(void **state)
{
    (void)state;
    const struct us_loss loss = {.n = 1, .classes = 1};
    assert_fails(UNSEEN_USAGE, "two classes", us_loss_run(test_device(), &loss));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_reference),   cmocka_unit_test(stays_finite),
        cmocka_unit_test(keeps_small_losses),      cmocka_unit_test(ties_count_for_the_lower_class),
        cmocka_unit_test(gradient_of_differences), cmocka_unit_test(weighs_samples),
        cmocka_unit_test(refuses_one_class),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
