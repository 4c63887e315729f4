#include "config.h"

#include "ops/gemm.h"

#include <stdlib.h>

#include "t/support/cmocka.h"
#include "t/support/device.h"

struct sizes {
    size_t m, n, k;
    float beta;
};
/* Smaller than CLBlast's 64x64 block, beyond it by a little, thin, and of several blocks either way: what
 * wrong block parameters (see gemm.c) would show in. */
static const struct sizes table[] = {{1, 1, 1, 0.0f},     {5, 7, 3, 1.0f},    {65, 33, 70, 0.0f},
                                     {128, 10, 64, 0.5f}, {3, 130, 17, 1.0f}, {192, 256, 129, 0.0f},
                                     {33, 200, 300, 0.5f}};

/* Leading dimensions and offsets larger than they need be. */
enum { PAD = 3, OFFSET = 5 };

static void reference(const struct us_gemm *g, const float *a, const float *b, const float *c, double *want)
{
    for (size_t i = 0; i < g->m; i++) {
        for (size_t j = 0; j < g->n; j++) {
            double sum = (double)g->beta * c[g->c_offset + i * g->ldc + j];
            for (size_t k = 0; k < g->k; k++) {
                const double l = a[g->a_offset + (g->transpose_a ? k * g->lda + i : i * g->lda + k)];
                const double r = b[g->b_offset + (g->transpose_b ? j * g->ldb + k : k * g->ldb + j)];
                sum += l * r;
            }
            want[g->c_offset + i * g->ldc + j] = sum;
        }
    }
}

static void check(const struct sizes *s, bool ta, bool tb)
{
    struct us_gemm g = {.transpose_a = ta,
                        .transpose_b = tb,
                        .m = s->m,
                        .n = s->n,
                        .k = s->k,
                        .a_offset = OFFSET,
                        .b_offset = OFFSET,
                        .c_offset = OFFSET,
                        .lda = (ta ? s->m : s->k) + PAD,
                        .ldb = (tb ? s->k : s->n) + PAD,
                        .ldc = s->n + PAD,
                        .beta = s->beta};
    const size_t na = OFFSET + (ta ? s->k : s->m) * g.lda, nb = OFFSET + (tb ? s->n : s->k) * g.ldb;
    const size_t nc = OFFSET + s->m * g.ldc;
    float *a = test_random(1, na, -1.0f, 1.0f), *b = test_random(2, nb, -1.0f, 1.0f);
    float *c = test_random(3, nc, -1.0f, 1.0f);
    double *want = calloc(nc, sizeof *want);
    assert_non_null(want);
    for (size_t i = 0; i < nc; i++)
        want[i] = c[i]; /* what lies between the rows stays */
    reference(&g, a, b, c, want);
    g.a = test_buf(na, a);
    g.b = test_buf(nb, b);
    g.c = test_buf(nc, c);
    assert_ok(us_gemm_run(test_device(), &g));
    test_buf_close("C", g.c, want, nc, 1e-5);
    test_buf_free(g.a);
    test_buf_free(g.b);
    test_buf_free(g.c);
    free(a);
    free(b);
    free(c);
    free(want);
}

static void products_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (int t = 0; t < 4; t++)
            check(&table[i], t & 1, t & 2);
}

int main(void)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
    test_device();
    const struct CMUnitTest tests[] = {cmocka_unit_test(products_match)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
