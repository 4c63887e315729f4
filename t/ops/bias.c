#include "config.h"

#include "ops/bias.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/activation.h"
#include "support/device.h"

struct shape {
    size_t rows;
    int channels;
    enum us_activation act;
};

/* Inputs, and what the reference makes of them. */
struct data {
    struct shape s;
    size_t n, c;
    float *x, *bias, *dy, *old;
    double *y, *dx, *dbias;
};

struct run {
    struct us_bias *bias;
    struct us_buf *x, *values, *y, *dy, *dx, *dvalues, *workspace;
};

static double *doubles(size_t n)
{
    double *values = calloc(n, sizeof *values);
    assert_non_null(values);
    return values;
}

static void make_data(struct data *d, struct shape s)
{
    *d = (struct data){.s = s, .n = s.rows * (size_t)s.channels, .c = (size_t)s.channels};
    d->x = test_random(1, d->n, -6, 6);
    d->bias = test_random(2, d->c, -1, 1);
    d->dy = test_random(3, d->n, -1, 1);
    d->old = test_random(4, d->n, -1, 1);
    d->y = doubles(d->n);
    d->dx = doubles(d->n);
    d->dbias = doubles(d->c);
    for (size_t i = 0; i < d->n; i++) {
        const float sum = d->x[i] + d->bias[i % d->c]; /* rounded as on the device, for ReLU's kink */
        d->y[i] = test_activated(s.act, (double)sum);
        d->dx[i] = (double)d->dy[i] * test_slope(s.act, (double)sum);
        d->dbias[i % d->c] += d->dx[i];
    }
}

static void free_data(struct data *d)
{
    void *all[] = {d->x, d->bias, d->dy, d->old, d->y, d->dx, d->dbias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void make_run(struct run *r, const struct data *d, size_t rows)
{
    *r = (struct run){.x = test_buf(d->n, d->x),
                      .values = test_buf(d->c, d->bias),
                      .y = test_buf(d->n, NULL),
                      .dy = test_buf(d->n, d->dy),
                      .dx = test_buf(d->n, NULL),
                      .dvalues = test_buf(d->c, NULL)};
    assert_ok(us_bias_new(test_device(), rows, d->s.channels, d->s.act, &r->bias));
    r->workspace = test_buf(us_bias_workspace(r->bias) / sizeof(float), NULL);
}

static void free_run(struct run *r)
{
    struct us_buf *all[] = {r->x, r->values, r->y, r->dy, r->dx, r->dvalues, r->workspace};
    us_bias_free(r->bias);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        test_buf_free(all[i]);
}

static void run_backward(struct run *r, const struct data *d, bool accumulate, struct us_buf *dx)
{
    assert_ok(us_bias_backward(r->bias, d->s.rows, r->dy, r->x, r->values, r->workspace, r->dvalues,
                               accumulate, dx));
}

/* A second call gives the same bits. */
static void check_repeat(const struct data *d, struct run *r)
{
    float *dbias = test_buf_read(r->dvalues);
    run_backward(r, d, false, r->dx);
    float *again = test_buf_read(r->dvalues);
    assert_memory_equal(dbias, again, d->c * sizeof *dbias);
    free(dbias);
    free(again);
}

static void check_accumulation(const struct data *d, struct run *r)
{
    struct us_buf *sum = test_buf(d->n, d->old);
    double *want = doubles(d->n);
    for (size_t i = 0; i < d->n; i++)
        want[i] = d->dx[i] + (double)d->old[i];
    run_backward(r, d, true, sum);
    test_buf_close("accumulated dx", sum, want, d->n, 1e-6);
    test_buf_free(sum);
    free(want);
}

/* rows: what the operator is made for. */
static void check(struct shape s, size_t rows)
{
    struct data d;
    struct run r;
    printf("# %zu rows, %d channels, activation %d\n", s.rows, s.channels, (int)s.act);
    make_data(&d, s);
    make_run(&r, &d, rows);
    assert_ok(us_bias_forward(r.bias, s.rows, r.x, r.values, r.y));
    test_buf_close("y", r.y, d.y, d.n, 2e-7);
    run_backward(&r, &d, false, r.dx);
    test_buf_close("dx", r.dx, d.dx, d.n, 1e-6);
    test_buf_close("dbias", r.dvalues, d.dbias, d.c, 1e-5);
    check_repeat(&d, &r);
    check_accumulation(&d, &r);
    run_backward(&r, &d, false, NULL);
    test_buf_close("dbias alone", r.dvalues, d.dbias, d.c, 1e-5);
    run_backward(&r, &d, false, r.dy);
    test_buf_close("dx in place", r.dy, d.dx, d.n, 1e-6);
    free_run(&r);
    free_data(&d);
}

static void agrees_with_reference(void **state)
{
    (void)state;
    const struct shape shapes[] = {
        {1, 16, US_ACT_NONE},     {961, 24, US_ACT_GELU}, {4099, 17, US_ACT_RELU},   {70001, 24, US_ACT_GELU},
        {30000, 64, US_ACT_RELU}, {333, 3, US_ACT_GELU},  {2000001, 1, US_ACT_NONE}, {100, 512, US_ACT_GELU}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(shapes[i], shapes[i].rows);
}

static void fewer_rows_than_prepared(void **state)
{
    (void)state;
    check((struct shape){70001, 24, US_ACT_GELU}, 200000);
}

static double objective(const double *bias, size_t n, void *context)
{
    const struct data *d = context;
    double total = 0;
    for (size_t i = 0; i < d->n; i++)
        total += (double)d->dy[i] * test_activated(d->s.act, (double)d->x[i] + bias[i % n]);
    return total;
}

static void gradient_of_differences(void **state)
{
    (void)state;
    struct data d;
    struct run r;
    make_data(&d, (struct shape){200, 24, US_ACT_GELU});
    make_run(&r, &d, d.s.rows);
    run_backward(&r, &d, false, NULL);
    double *bias = doubles(d.c);
    for (size_t k = 0; k < d.c; k++)
        bias[k] = (double)d.bias[k];
    float *dbias = test_buf_read(r.dvalues);
    test_gradient("dbias", objective, &d, bias, dbias, d.c, 1e-5);
    free(dbias);
    free(bias);
    free_run(&r);
    free_data(&d);
}

/* GELU and its slope, all the way to where they are 0, x and 1, and beyond. */
static void gelu_everywhere(void **state)
{
    (void)state;
    enum { N = 4096 };
    const float far[] = {-1e30f, -100.0f, -13.5f, 13.5f, 100.0f, 1e30f};
    float x[N], zero[1] = {0}, one[N];
    double y[N], dx[N];
    for (int i = 0; i < N; i++) {
        x[i] = i < 6 ? far[i] : (float)(i - N / 2) / 128.0f;
        one[i] = 1.0f;
        y[i] = test_activated(US_ACT_GELU, (double)x[i]);
        dx[i] = test_slope(US_ACT_GELU, (double)x[i]);
    }
    struct us_bias *bias;
    assert_ok(us_bias_new(test_device(), N, 1, US_ACT_GELU, &bias));
    struct us_buf *bx = test_buf(N, x), *values = test_buf(1, zero), *by = test_buf(N, NULL);
    struct us_buf *dy = test_buf(N, one), *dvalues = test_buf(1, NULL);
    struct us_buf *workspace = test_buf(us_bias_workspace(bias) / sizeof(float), NULL);
    assert_ok(us_bias_forward(bias, N, bx, values, by));
    assert_ok(us_bias_backward(bias, N, dy, bx, values, workspace, dvalues, false, dy));
    float *gelu = test_buf_read(by), *slope = test_buf_read(dy);
    for (int i = 0; i < N; i++) {
        const double ulp = fabs(y[i]) * 6e-8;
        if (!(fabs((double)gelu[i] - y[i]) <= 1e-7 + ulp && fabs((double)slope[i] - dx[i]) <= 3e-7))
            fail_msg("at %g: %.9g for %.9g, slope %.9g for %.9g", (double)x[i], (double)gelu[i], y[i],
                     (double)slope[i], dx[i]);
    }
    free(gelu);
    free(slope);
    us_bias_free(bias);
    test_buf_free(bx);
    test_buf_free(by);
    test_buf_free(dy);
    test_buf_free(values);
    test_buf_free(dvalues);
    test_buf_free(workspace);
}

static void nan_stays(void **state)
{
    (void)state;
    static const enum us_activation acts[] = {US_ACT_NONE, US_ACT_RELU, US_ACT_GELU};
    const float x[2] = {NAN, 1.0f}, zero[2] = {0};
    for (int a = 0; a < 3; a++) {
        struct us_bias *bias;
        struct us_buf *bx = test_buf(2, x), *values = test_buf(2, zero), *by = test_buf(2, NULL);
        assert_ok(us_bias_new(test_device(), 1, 2, acts[a], &bias));
        assert_ok(us_bias_forward(bias, 1, bx, values, by));
        float *y = test_buf_read(by);
        assert_true(isnan(y[0]) && !isnan(y[1]));
        free(y);
        us_bias_free(bias);
        test_buf_free(bx);
        test_buf_free(values);
        test_buf_free(by);
    }
}

static void refuses_bad_sizes(void **state)
{
    (void)state;
    struct us_bias *bias = NULL;
    assert_fails(UNSEEN_USAGE, "bias", us_bias_new(test_device(), 8, 0, US_ACT_NONE, &bias));
    assert_ok(us_bias_new(test_device(), 8, 17, US_ACT_NONE, &bias));
    assert_fails(UNSEEN_USAGE, "9 rows", us_bias_forward(bias, 9, NULL, NULL, NULL));
    us_bias_free(bias);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_reference),
        cmocka_unit_test(fewer_rows_than_prepared),
        cmocka_unit_test(gradient_of_differences),
        cmocka_unit_test(gelu_everywhere),
        cmocka_unit_test(nan_stays),
        cmocka_unit_test(refuses_bad_sizes),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
