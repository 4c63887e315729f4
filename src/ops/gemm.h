/* Matrix products through CLBlast. */
#ifndef US_OPS_GEMM_H
#define US_OPS_GEMM_H

#include "device/device.h"

/* C[m,n] = op(A) op(B) + beta C, row major, float32; offsets in floats, leading dimensions as stored. op(A)
 * is A^T if transpose_a (A is then [k,m]). On CPU devices CLBlast's parameters are overridden, once per
 * device, by those of gemm.c's table. */
struct us_gemm {
    bool transpose_a, transpose_b;
    size_t m, n, k;
    struct us_buf *a, *b, *c;
    size_t a_offset, b_offset, c_offset;
    size_t lda, ldb, ldc;
    float beta;
};
enum unseen_status us_gemm_run(struct unseen_device *device, const struct us_gemm *gemm);

#endif
