#include "config.h"

#include "ops/batchnorm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/activation.h"
#include "support/device.h"

struct shape {
    size_t rows;
    int channels;
    enum us_activation act;
    bool residual, accumulate;
    float centre; /* mean of x */
};

/* Inputs and what the reference makes of them, [rows, channels] or [channels]. */
struct data {
    struct shape s;
    size_t n, c;
    float *x, *residual, *dy, *gamma, *beta, *running_mean, *running_var, *old_dresidual;
    double *y, *mean, *var, *dx, *dgamma, *dbeta, *dresidual;
};

/* The device's side. */
struct run {
    struct us_batchnorm *bn;
    struct us_batchnorm_params p;
    struct us_buf *x, *residual, *y, *dy, *dx, *dresidual, *workspace;
};

static struct us_batchnorm_spec spec_of(const struct shape *s)
{
    return (struct us_batchnorm_spec){s->channels, s->act, 1e-5, 0.1};
}

static double *doubles(size_t n)
{
    double *values = calloc(n, sizeof *values);
    assert_non_null(values);
    return values;
}

static void make_data(struct data *d, struct shape s)
{
    *d = (struct data){.s = s, .c = (size_t)s.channels};
    d->n = s.rows * d->c;
    d->x = test_random(1, d->n, s.centre - 1, s.centre + 2);
    d->residual = test_random(2, d->n, -1, 1);
    d->dy = test_random(3, d->n, -1, 1);
    d->gamma = test_random(4, d->c, 0.5F, 1.5F);
    d->beta = test_random(5, d->c, -0.5F, 0.5F);
    d->running_mean = test_random(6, d->c, -1, 1);
    d->running_var = test_random(7, d->c, 0.5F, 2);
    d->old_dresidual = test_random(8, d->n, -1, 1);
    d->y = doubles(d->n);
    d->dx = doubles(d->n);
    d->dresidual = doubles(d->n);
    d->mean = doubles(d->c);
    d->var = doubles(d->c);
    d->dgamma = doubles(d->c);
    d->dbeta = doubles(d->c);
}

static void free_data(struct data *d)
{
    void *all[] = {d->x,           d->residual,      d->dy,       d->gamma, d->beta, d->running_mean,
                   d->running_var, d->old_dresidual, d->y,        d->mean,  d->var,  d->dx,
                   d->dgamma,      d->dbeta,         d->dresidual};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void make_run(struct run *r, const struct data *d)
{
    struct unseen_device *device = test_device();
    *r = (struct run){.p = {.gamma = test_buf(d->c, d->gamma),
                            .beta = test_buf(d->c, d->beta),
                            .running_mean = test_buf(d->c, d->running_mean),
                            .running_var = test_buf(d->c, d->running_var),
                            .dgamma = test_buf(d->c, NULL),
                            .dbeta = test_buf(d->c, NULL),
                            .mean = test_buf(d->c, NULL),
                            .invstd = test_buf(d->c, NULL)},
                      .x = test_buf(d->n, d->x),
                      .y = test_buf(d->n, NULL),
                      .dy = test_buf(d->n, d->dy),
                      .dx = test_buf(d->n, NULL)};
    if (d->s.residual) {
        r->residual = test_buf(d->n, d->residual);
        r->dresidual = test_buf(d->n, d->s.accumulate ? d->old_dresidual : NULL);
    }
    const struct us_batchnorm_spec spec = spec_of(&d->s);
    assert_ok(us_batchnorm_new(device, d->s.rows, &spec, &r->bn));
    r->workspace = test_buf(us_batchnorm_workspace(r->bn) / sizeof(float), NULL);
}

static void free_run(struct run *r)
{
    struct us_buf *all[] = {r->p.gamma,
                            r->p.beta,
                            r->p.running_mean,
                            r->p.running_var,
                            r->p.dgamma,
                            r->p.dbeta,
                            r->p.mean,
                            r->p.invstd,
                            r->x,
                            r->residual,
                            r->y,
                            r->dy,
                            r->dx,
                            r->dresidual,
                            r->workspace};
    us_batchnorm_free(r->bn);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        test_buf_free(all[i]);
}

static void run_forward(struct run *r, const struct data *d)
{
    assert_ok(us_batchnorm_forward_train(r->bn, d->s.rows, r->x, r->residual, &r->p, r->workspace, r->y));
}

static void run_backward(struct run *r, const struct data *d)
{
    assert_ok(us_batchnorm_backward(r->bn, d->s.rows, r->dy, r->x, r->residual ? r->y : NULL, &r->p,
                                    r->workspace, r->dx, r->dresidual, d->s.accumulate));
}

static void moments(const double *x, size_t rows, size_t c, double *mean, double *var)
{
    for (size_t k = 0; k < c; k++) {
        mean[k] = var[k] = 0;
        for (size_t r = 0; r < rows; r++)
            mean[k] += x[r * c + k] / (double)rows;
        for (size_t r = 0; r < rows; r++)
            var[k] += (x[r * c + k] - mean[k]) * (x[r * c + k] - mean[k]) / (double)rows;
    }
}

static void apply(const struct data *d, const double *x, const double *mean, const double *var, double *y)
{
    for (size_t i = 0; i < d->n; i++) {
        size_t k = i % d->c;
        y[i] = (double)d->gamma[k] * (x[i] - mean[k]) / sqrt(var[k] + 1e-5) + (double)d->beta[k];
        if (d->s.residual)
            y[i] += (double)d->residual[i];
        y[i] = test_activated(d->s.act, y[i]);
    }
}

static double *widened(const float *values, size_t n)
{
    double *wide = doubles(n);
    for (size_t i = 0; i < n; i++)
        wide[i] = (double)values[i];
    return wide;
}

/* What the activation is given of element i, where there is no residual. */
static double before(const struct data *d, size_t i)
{
    const size_t k = i % d->c;
    return (double)d->gamma[k] * ((double)d->x[i] - d->mean[k]) / sqrt(d->var[k] + 1e-5) + (double)d->beta[k];
}

/* The mask is the device's own: a value that rounds across zero is no error. rows: INFINITY where the
 * statistics are constants. */
static void reference_backward(struct data *d, const float *device_y, double rows)
{
    for (size_t i = 0; i < d->n; i++) {
        size_t k = i % d->c;
        double g = (double)d->dy[i];
        if (d->s.act == US_ACT_RELU)
            g = device_y[i] <= 0 ? 0 : g;
        else
            g *= test_slope(d->s.act, before(d, i));
        d->dresidual[i] = g;
        d->dbeta[k] += g;
        d->dgamma[k] += g * ((double)d->x[i] - d->mean[k]) / sqrt(d->var[k] + 1e-5);
    }
    for (size_t i = 0; i < d->n; i++) {
        size_t k = i % d->c;
        double invstd = 1 / sqrt(d->var[k] + 1e-5);
        double xhat = ((double)d->x[i] - d->mean[k]) * invstd;
        d->dx[i] = (double)d->gamma[k] * invstd *
                   (d->dresidual[i] - d->dbeta[k] / rows - xhat * d->dgamma[k] / rows);
        if (d->s.accumulate)
            d->dresidual[i] += (double)d->old_dresidual[i];
    }
}

static void check_forward(struct data *d, struct run *r)
{
    double *x = widened(d->x, d->n), *want = doubles(d->c);
    const double unbiased = d->s.rows > 1 ? (double)d->s.rows / ((double)d->s.rows - 1) : 1;
    moments(x, d->s.rows, d->c, d->mean, d->var);
    apply(d, x, d->mean, d->var, d->y);
    test_buf_close("y", r->y, d->y, d->n, 1e-5);
    test_buf_close("mean", r->p.mean, d->mean, d->c, 1e-6);
    for (size_t k = 0; k < d->c; k++)
        want[k] = 1 / sqrt(d->var[k] + 1e-5);
    test_buf_close("invstd", r->p.invstd, want, d->c, 1e-5);
    for (size_t k = 0; k < d->c; k++)
        want[k] = 0.9 * (double)d->running_mean[k] + 0.1 * d->mean[k];
    test_buf_close("running mean", r->p.running_mean, want, d->c, 1e-6);
    for (size_t k = 0; k < d->c; k++)
        want[k] = 0.9 * (double)d->running_var[k] + 0.1 * d->var[k] * unbiased;
    test_buf_close("running variance", r->p.running_var, want, d->c, 1e-6);
    free(x);
    free(want);
}

static void check_backward(struct data *d, struct run *r)
{
    float *y = test_buf_read(r->y);
    reference_backward(d, y, r->p.frozen ? INFINITY : (double)d->s.rows);
    test_buf_close("dbeta", r->p.dbeta, d->dbeta, d->c, 1e-5);
    test_buf_close("dgamma", r->p.dgamma, d->dgamma, d->c, 1e-5);
    test_buf_close("dx", r->dx, d->dx, d->n, 1e-5);
    if (d->s.residual)
        test_buf_close("dresidual", r->dresidual, d->dresidual, d->n, 1e-6);
    free(y);
}

static void check_repeat(const struct data *d, struct run *r)
{
    float *y = test_buf_read(r->y), *dx = test_buf_read(r->dx), *dgamma = test_buf_read(r->p.dgamma);
    run_forward(r, d);
    run_backward(r, d);
    float *y2 = test_buf_read(r->y), *dx2 = test_buf_read(r->dx), *dgamma2 = test_buf_read(r->p.dgamma);
    assert_memory_equal(y, y2, d->n * sizeof *y);
    assert_memory_equal(dx, dx2, d->n * sizeof *dx);
    assert_memory_equal(dgamma, dgamma2, d->c * sizeof *dgamma);
    free(y);
    free(dx);
    free(dgamma);
    free(y2);
    free(dx2);
    free(dgamma2);
}

static void check(struct shape s)
{
    struct data d;
    struct run r;
    printf("# %zu rows, %d channels, activation %d, residual %d\n", s.rows, s.channels, (int)s.act,
           s.residual);
    make_data(&d, s);
    make_run(&r, &d);
    run_forward(&r, &d);
    check_forward(&d, &r);
    run_backward(&r, &d);
    check_backward(&d, &r);
    check_repeat(&d, &r);
    free_run(&r);
    free_data(&d);
}

static void agrees_with_reference(void **state)
{
    (void)state;
    const struct shape shapes[] = {
        {1, 16, US_ACT_RELU, false, false, 0},     {7, 16, US_ACT_RELU, false, false, 0},
        {4096, 16, US_ACT_RELU, true, false, 0},   {4099, 16, US_ACT_NONE, true, true, 0},
        {1000, 64, US_ACT_RELU, true, true, 0},    {333, 64, US_ACT_RELU, false, false, 0},
        {100, 17, US_ACT_RELU, true, false, 0},    {1025, 10, US_ACT_RELU, false, false, 0},
        {40001, 3, US_ACT_NONE, false, false, 0},  {140001, 16, US_ACT_RELU, false, false, 0},
        {1600, 512, US_ACT_RELU, true, false, 0},  {1225, 64, US_ACT_GELU, false, false, 0},
        {70001, 24, US_ACT_GELU, false, false, 0}, {33, 17, US_ACT_GELU, false, false, 0},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(shapes[i]);
}

/* A mean a thousand deviations off must not cost the variance its digits. */
static void far_from_zero(void **state)
{
    (void)state;
    struct shape s = {20000, 16, US_ACT_RELU, false, false, 1000};
    struct data d;
    struct run r;
    make_data(&d, s);
    make_run(&r, &d);
    run_forward(&r, &d);
    double *x = widened(d.x, d.n);
    moments(x, s.rows, d.c, d.mean, d.var);
    for (size_t k = 0; k < d.c; k++)
        d.var[k] = 1 / sqrt(d.var[k] + 1e-5);
    test_buf_close("invstd", r.p.invstd, d.var, d.c, 1e-5);
    free(x);
    free_run(&r);
    free_data(&d);
}

static void more_rows_than_merged_once(void **state)
{
    (void)state;
    struct shape s = {300000, 16, US_ACT_RELU, true, false, 0}; /* and fewer than it was made for */
    struct data d;
    struct run r;
    make_data(&d, s);
    make_run(&r, &d);
    d.s.rows = 200003;
    d.n = d.s.rows * d.c;
    run_forward(&r, &d);
    check_forward(&d, &r);
    run_backward(&r, &d);
    check_backward(&d, &r);
    free_run(&r);
    free_data(&d);
}

static void evaluates_with_running_statistics(void **state)
{
    (void)state;
    struct data d;
    struct run r;
    make_data(&d, (struct shape){500, 17, US_ACT_RELU, true, false, 0});
    make_run(&r, &d);
    double *x = widened(d.x, d.n), *mean = widened(d.running_mean, d.c), *var = widened(d.running_var, d.c);
    apply(&d, x, mean, var, d.y);
    assert_ok(us_batchnorm_forward_eval(r.bn, d.s.rows, r.x, r.residual, &r.p, r.workspace, r.y));
    test_buf_close("y", r.y, d.y, d.n, 1e-5);
    test_buf_close("running mean", r.p.running_mean, mean, d.c, 0);
    free(x);
    free(mean);
    free(var);
    free_run(&r);
    free_data(&d);
}

static void frozen_statistics_are_constants(void **state)
{
    (void)state;
    const struct shape shapes[] = {{500, 17, US_ACT_RELU, true, false, 0},
                                   {4099, 16, US_ACT_RELU, false, false, 0},
                                   {1, 16, US_ACT_NONE, true, true, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct data d;
        struct run r;
        make_data(&d, shapes[i]);
        make_run(&r, &d);
        double *x = widened(d.x, d.n);
        for (size_t k = 0; k < d.c; k++) {
            d.mean[k] = (double)d.running_mean[k];
            d.var[k] = (double)d.running_var[k];
        }
        apply(&d, x, d.mean, d.var, d.y);
        assert_ok(us_batchnorm_forward_frozen(r.bn, d.s.rows, r.x, r.residual, &r.p, r.y));
        test_buf_close("y", r.y, d.y, d.n, 1e-5);
        test_buf_close("running mean", r.p.running_mean, d.mean, d.c, 0);
        test_buf_close("running variance", r.p.running_var, d.var, d.c, 0);
        r.p.frozen = true;
        run_backward(&r, &d);
        check_backward(&d, &r);
        free(x);
        free_run(&r);
        free_data(&d);
    }
}

/* sum of dy y, through the batch's statistics. */
static double objective(const double *x, size_t n, void *context)
{
    const struct data *d = context;
    double *mean = doubles(d->c), *var = doubles(d->c), *y = doubles(n), total = 0;
    moments(x, d->s.rows, d->c, mean, var);
    apply(d, x, mean, var, y);
    for (size_t i = 0; i < n; i++)
        total += (double)d->dy[i] * y[i];
    free(mean);
    free(var);
    free(y);
    return total;
}

static void check_gradient(enum us_activation act, bool residual)
{
    struct data d;
    struct run r;
    make_data(&d, (struct shape){12, 17, act, residual, false, 0});
    make_run(&r, &d);
    run_forward(&r, &d);
    run_backward(&r, &d);
    double *x = widened(d.x, d.n);
    float *dx = test_buf_read(r.dx);
    test_gradient("dx", objective, &d, x, dx, d.n, 1e-4);
    free(dx);
    free(x);
    free_run(&r);
    free_data(&d);
}

static void gradient_of_differences(void **state)
{
    (void)state;
    check_gradient(US_ACT_NONE, false);
    check_gradient(US_ACT_RELU, false);
    check_gradient(US_ACT_RELU, true);
    check_gradient(US_ACT_GELU, false);
}

/* The gradient may replace what it comes from. */
static void works_in_place(void **state)
{
    (void)state;
    struct data d;
    struct run r;
    make_data(&d, (struct shape){333, 48, US_ACT_RELU, true, true, 0});
    make_run(&r, &d);
    run_forward(&r, &d);
    test_buf_free(r.dx);
    r.dx = r.dy;
    run_backward(&r, &d);
    check_forward(&d, &r);
    check_backward(&d, &r);
    r.dy = NULL;
    free_run(&r);
    free_data(&d);
}

static void refuses_too_many_rows(void **state)
{
    (void)state;
    struct us_batchnorm *bn = NULL;
    struct us_batchnorm_params p = {0};
    struct us_batchnorm_spec spec = {17, US_ACT_RELU, 1e-5, 0.1};
    assert_ok(us_batchnorm_new(test_device(), 8, &spec, &bn));
    assert_int_equal(us_batchnorm_forward_eval(bn, 9, NULL, NULL, &p, NULL, NULL), UNSEEN_USAGE);
    us_batchnorm_free(bn);
    spec.channels = 0;
    assert_int_equal(us_batchnorm_new(test_device(), 8, &spec, &bn), UNSEEN_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_reference),
        cmocka_unit_test(far_from_zero),
        cmocka_unit_test(more_rows_than_merged_once),
        cmocka_unit_test(evaluates_with_running_statistics),
        cmocka_unit_test(frozen_statistics_are_constants),
        cmocka_unit_test(gradient_of_differences),
        cmocka_unit_test(works_in_place),
        cmocka_unit_test(refuses_too_many_rows),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
