#include "config.h"

#include "base/eigen.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"

enum { SWEEPS_MOST = 64 }; /* convergence is quadratic: about ten are needed */

/* Components count as equally large within this part of the largest. */
static const double ALIKE = 1e-6;

/* (x, y) turned by an angle of sine s and cosine c. */
static void turn(double *x, double *y, double s, double c)
{
    const double a = *x, b = *y;
    *x = c * a - s * b;
    *y = s * a + c * b;
}

/* Turn rows and columns p < q of a [n][n] such that a_pq becomes 0, and rows p and q of v with them. */
static void rotate(int n, double *a, double *v, int p, int q)
{
    const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    const double c = 1 / sqrt(t * t + 1), s = t * c;
    for (int i = 0; i < n; i++)
        turn(&a[i * n + p], &a[i * n + q], s, c);
    for (int i = 0; i < n; i++) {
        turn(&a[p * n + i], &a[q * n + i], s, c);
        turn(&v[p * n + i], &v[q * n + i], s, c);
    }
    a[p * n + q] = a[q * n + p] = 0;
}

/* Make a [n][n] diagonal up to rounding; the rows of v [n][n] become its eigenvectors. */
static void diagonalise(int n, double *a, double *v)
{
    double largest = 0;
    for (int i = 0; i < n * n; i++)
        largest = fmax(largest, fabs(a[i]));
    bool turned = true;
    for (int sweep = 0; sweep < SWEEPS_MOST && turned; sweep++) {
        turned = false;
        for (int p = 0; p < n; p++) {
            for (int q = p + 1; q < n; q++) {
                if (fabs(a[p * n + q]) <= DBL_EPSILON / 4 * largest)
                    continue;
                rotate(n, a, v, p, q);
                turned = true;
            }
        }
    }
}

/* The sign of the first of the largest components of v [n]. */
static double sign_of(int n, const double *v)
{
    double largest = 0;
    int i = 0;
    for (int k = 0; k < n; k++)
        largest = fmax(largest, fabs(v[k]));
    while (i < n - 1 && fabs(v[i]) < (1 - ALIKE) * largest)
        i++;
    return v[i] < 0 ? -1 : 1;
}

enum unseen_status us_eigen_symmetric(int n, const double *matrix, double *values, double *vectors)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t size = (size_t)n;
    double *a = us_calloc(size * size, sizeof *a), *v = us_calloc(size * size, sizeof *v);
    double *diagonal = us_calloc(size, sizeof *diagonal);
    int64_t *order = us_calloc(size, sizeof *order);
    US_TRY_ALLOC(a);
    US_TRY_ALLOC(v);
    US_TRY_ALLOC(diagonal);
    US_TRY_ALLOC(order);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
            a[i * n + k] = k < i ? matrix[k * n + i] : matrix[i * n + k];
            v[i * n + k] = i == k;
        }
    }
    diagonalise(n, a, v);
    for (int i = 0; i < n; i++)
        diagonal[i] = a[i * n + i];
    US_TRY(us_order(diagonal, n, true, order));
    for (int k = 0; k < n; k++) {
        const double *row = v + order[k] * n, sign = sign_of(n, row);
        values[k] = diagonal[order[k]];
        for (int i = 0; i < n; i++)
            vectors[k * n + i] = sign * row[i];
    }
out:
    free(a);
    free(v);
    free(diagonal);
    free(order);
    return st;
}
