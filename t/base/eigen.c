#include "config.h"

#include "base/eigen.h"

#include <math.h>
#include <string.h>

#include "support/cmocka.h"

enum { MOST = 12 };

/* Integers drawn by NumPy, and what numpy.linalg.eigh makes of them. */
static const double random12[MOST][MOST] = {
    {-1, 0, 5, 9, -9, -7, 6, 9, -5, -4, 7, -1},    {0, 6, -5, -2, 3, 1, -8, -9, 7, 5, 6, 1},
    {5, -5, -1, 5, -7, -4, -7, -1, 9, -7, -2, -2}, {9, -2, 5, -5, -9, 5, -8, -4, 0, 0, -7, 9},
    {-9, 3, -7, -9, -4, 1, 8, -4, 4, -6, -3, 9},   {-7, 1, -4, 5, 1, 2, -1, 5, -3, 2, 5, 8},
    {6, -8, -7, -8, 8, -1, -3, -8, -1, 3, 5, 7},   {9, -9, -1, -4, -4, 5, -8, 0, 3, 0, 9, 5},
    {-5, 7, 9, 0, 4, -3, -1, 3, 7, -6, 1, 6},      {-4, 5, -7, 0, -6, 2, 3, 0, -6, 7, -4, -1},
    {7, 6, -2, -7, -3, 5, 5, 9, 1, -4, 9, -4},     {-1, 1, -2, 9, 9, 8, 7, 5, 6, -1, -4, 0}};
static const double values12[MOST] = {27.2217066604707,  22.1588762387759,  21.3321472642221,
                                      16.4386638014715,  15.0657731323415,  5.78414721586896,
                                      1.65230914484161,  -4.63784579132095, -14.9668946292755,
                                      -17.6847251934996, -21.9529135915518, -33.4112442523445};
static const double first12[MOST] = {0.46497305547921,   -0.250886230626141, 0.401841348107939,
                                     0.237289815848819,  -0.451138219565513, -0.14226699706685,
                                     -0.233053725484383, 0.319665409669477,  -0.0109961925382246,
                                     -0.231197355179323, 0.181824727985304,  -0.190195324595835};
static const double last12[MOST] = {-0.404837261622325, 0.301608723719664,   0.146199223272837,
                                    0.407838672020825,  0.00161819026861876, -0.117911187261552,
                                    0.490138860307221,  0.44842860284129,    -0.143348513439442,
                                    -0.116973052796152, -0.0718597381596915, -0.250613407247669};

/* Of 12 x 5 integers b; b b' has rank 5. */
static const double factor[MOST][5] = {{-1, 3, 2, -1, 1},  {1, 3, -3, 0, 1},   {0, 3, 3, 2, 0},
                                       {3, -3, 1, -2, -2}, {1, 2, 3, -2, 3},   {2, -1, -3, 2, 2},
                                       {0, -2, -2, -1, 2}, {-1, -3, 1, 2, -2}, {0, -1, 0, -3, 1},
                                       {-2, 0, -1, 1, -3}, {-1, 1, 2, -1, -3}, {2, 0, 1, -2, 0}};
static const double factor_values[5] = {72.1381783956736, 61.1759164802091, 49.5953030242694,
                                        19.0216363866357, 15.0689657132122};

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.17g is not %.17g", got, want);
}

/* Rows are orthonormal, make the matrix again, and have the promised order and sign. */
static void check(int n, const double *a, const double *values, const double *v)
{
    for (int i = 0; i < n; i++) {
        double largest = 0, smallest = 0;
        for (int k = 0; k < n; k++) {
            double dot = 0, element = 0;
            for (int j = 0; j < n; j++) {
                dot += v[i * n + j] * v[k * n + j];
                element += v[j * n + i] * values[j] * v[j * n + k];
            }
            assert_near(dot, i == k, 1e-14);
            assert_near(element, a[i * n + k], 1e-13 * fmax(fabs(values[0]), fabs(values[n - 1])));
            largest = fmax(largest, v[i * n + k]);
            smallest = fmin(smallest, v[i * n + k]);
        }
        assert_true(largest >= -(1 - 1e-6) * smallest);
        assert_true(i == 0 || values[i] <= values[i - 1]);
    }
}

static void as_numpy_has_them(void **state)
{
    (void)state;
    double values[MOST], v[MOST][MOST];
    assert_ok(us_eigen_symmetric(MOST, random12[0], values, v[0]));
    check(MOST, random12[0], values, v[0]);
    for (int i = 0; i < MOST; i++) {
        assert_near(values[i], values12[i], 1e-12);
        assert_near(v[0][i], first12[i], 1e-13);
        assert_near(v[MOST - 1][i], last12[i], 1e-13);
    }
}

static void only_the_upper_triangle_is_read(void **state)
{
    (void)state;
    double upper[MOST][MOST], values[2][MOST], v[2][MOST][MOST];
    memcpy(upper, random12, sizeof upper);
    for (int i = 0; i < MOST; i++) {
        for (int k = 0; k < i; k++)
            upper[i][k] = NAN;
    }
    assert_ok(us_eigen_symmetric(MOST, random12[0], values[0], v[0][0]));
    assert_ok(us_eigen_symmetric(MOST, upper[0], values[1], v[1][0]));
    assert_memory_equal(values[0], values[1], sizeof values[0]);
    assert_memory_equal(v[0], v[1], sizeof v[0]);
}

static void rank_deficient(void **state)
{
    (void)state;
    double a[MOST][MOST] = {{0}}, values[MOST], v[MOST][MOST];
    for (int i = 0; i < MOST; i++) {
        for (int k = 0; k < MOST; k++) {
            for (int j = 0; j < 5; j++)
                a[i][k] += factor[i][j] * factor[k][j];
        }
    }
    assert_ok(us_eigen_symmetric(MOST, a[0], values, v[0]));
    check(MOST, a[0], values, v[0]);
    for (int i = 0; i < MOST; i++)
        assert_near(values[i], i < 5 ? factor_values[i] : 0, 1e-12);
}

/* The eigenvalues of a matrix of ones are n and, n - 1 times, 0; those of the identity and of 0 are all
 * equal, and the axes stay where they are. */
static void equal_eigenvalues(void **state)
{
    (void)state;
    double a[3][MOST][MOST] = {{{0}}}, values[MOST], v[MOST][MOST];
    for (int i = 0; i < MOST; i++) {
        for (int k = 0; k < MOST; k++)
            a[0][i][k] = 1;
        a[1][i][i] = 1;
    }
    for (int kind = 0; kind < 3; kind++) {
        assert_ok(us_eigen_symmetric(MOST, a[kind][0], values, v[0]));
        check(MOST, a[kind][0], values, v[0]);
        for (int i = 0; i < MOST; i++) {
            assert_near(values[i], kind == 0 ? 12 * (i == 0) : kind == 1, 1e-14);
            assert_near(v[i][i], kind == 0 ? v[i][i] : 1, 0);
            assert_near(v[0][i], kind == 0 ? 1 / sqrt(12) : i == 0, 1e-15);
        }
    }
}

/* (1, 0.5, 0.5, 1): components of one size, so that the first decides the sign. */
static void one_and_two(void **state)
{
    (void)state;
    double value, vector, values[2], v[2][2];
    assert_ok(us_eigen_symmetric(1, (const double[]){-7}, &value, &vector));
    assert_near(value, -7, 0);
    assert_near(vector, 1, 0);
    assert_ok(us_eigen_symmetric(2, (const double[]){1, 0.5, 0.5, 1}, values, v[0]));
    assert_near(values[0], 1.5, 1e-15);
    assert_near(values[1], 0.5, 1e-15);
    assert_near(v[0][0], sqrt(0.5), 1e-15);
    assert_near(v[0][1], sqrt(0.5), 1e-15);
    assert_near(v[1][0], sqrt(0.5), 1e-15);
    assert_near(v[1][1], -sqrt(0.5), 1e-15);
}

/* Far apart, and so small or large that squares of them are no numbers. */
static void of_any_size(void **state)
{
    (void)state;
    static const double scale[] = {1e-300, 1e300, 1e-170};
    double values[2], v[2][2];
    for (int k = 0; k < 3; k++) {
        const double s = scale[k], a[4] = {s, 0.5 * s, 0.5 * s, s};
        assert_ok(us_eigen_symmetric(2, a, values, v[0]));
        assert_near(values[0] / s, 1.5, 1e-15);
        assert_near(values[1] / s, 0.5, 1e-15);
    }
    assert_ok(us_eigen_symmetric(2, (const double[]){1e200, 1, 1, 1e-200}, values, v[0]));
    check(2, (const double[]){1e200, 1, 1, 1e-200}, values, v[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_numpy_has_them), cmocka_unit_test(only_the_upper_triangle_is_read),
        cmocka_unit_test(rank_deficient),    cmocka_unit_test(equal_eigenvalues),
        cmocka_unit_test(one_and_two),       cmocka_unit_test(of_any_size),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
