/* Eigenvalues and eigenvectors of small symmetric matrices, by cyclic Jacobi rotations (Golub and Van Loan,
 * Matrix Computations, 8.5). Only +, -, *, / and square roots, in a fixed order: the same bits everywhere. */
#ifndef US_BASE_EIGEN_H
#define US_BASE_EIGEN_H

#include "base/status.h"

/* Of `matrix` [n][n], symmetric and finite, of which the upper triangle is read: values [n] in descending
 * order, and vectors [n][n], row k being that of value k. Rows are orthonormal, also where values are equal.
 * The sign: a row's largest component is positive; of several that are equally large up to rounding, the
 * first is. UNSEEN_FAILED if memory runs out. */
enum unseen_status us_eigen_symmetric(int n, const double *matrix, double *values, double *vectors);

#endif
