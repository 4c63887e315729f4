#include "config.h"

#include "ops/sgd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"

static struct us_sgd_group group_of(const struct us_sgd *sgd, size_t i)
{
    int k = 0;
    while (k + 1 < sgd->groups && i >= sgd->group[k].end)
        k++;
    return sgd->groups ? sgd->group[k] : (struct us_sgd_group){0, 1, 1};
}

/* torch.optim.SGD on one parameter: add(x, alpha) there is one fused multiply-add, mul_ is rounded. */
static void reference(const struct us_sgd *sgd, size_t n, float *p, const float *g, float *v)
{
    for (size_t i = 0; i < n; i++) {
        const struct us_sgd_group group = group_of(sgd, i);
        float decayed = fmaf(group.weight_decay * sgd->weight_decay, p[i], g[i]);
        volatile float slowed = v[i] * sgd->momentum; /* volatile: the product must be rounded */
        v[i] = slowed + decayed;
        p[i] = fmaf(-group.lr * sgd->lr, sgd->nesterov ? fmaf(sgd->momentum, v[i], decayed) : v[i], p[i]);
    }
}

static void check(const struct us_sgd *sgd, size_t n)
{
    float *p = test_random(1, n, -1, 1), *v = calloc(n, sizeof *v);
    struct us_buf *bp = test_buf(n, p), *bv = test_buf(n, v);
    for (int step = 0; step < 4; step++) {
        float *g = test_random((uint64_t)step + 2, n, -1e-2F, 1e-2F);
        struct us_buf *bg = test_buf(n, g);
        reference(sgd, n, p, g, v);
        assert_ok(us_sgd_step(test_device(), sgd, n, bp, bg, bv));
        test_buf_free(bg);
        free(g);
    }
    float *got_p = test_buf_read(bp), *got_v = test_buf_read(bv);
    assert_memory_equal(got_p, p, n * sizeof *p);
    assert_memory_equal(got_v, v, n * sizeof *v);
    free(got_p);
    free(got_v);
    test_buf_free(bp);
    test_buf_free(bv);
    free(p);
    free(v);
}

static void rounds_as_torch_does(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 16, 33, 10007};
    const struct us_sgd variants[] = {
        {.lr = 0.1F},
        {.lr = 0.1F, .momentum = 0.9F, .weight_decay = 5e-4F},
        {.lr = 0.05F, .momentum = 0.9F, .weight_decay = 5e-4F, .nesterov = true},
        {.lr = 0.2F, .momentum = 0.9F, .nesterov = true},
        {0.1F, 0.9F, 5e-2F, true, NULL, 1, {{1, 0.5F, 2}}},
        {0.1F, 0.9F, 5e-2F, true, NULL, 2, {{16, 1, 1}, {17, 1, 0}}},
        {0.1F, 0.9F, 5e-2F, true, NULL, 3, {{16, 1, 1}, {32, 0.7F, 0}, {33, 64, 0.1F}}},
        {0.1F, 0.9F, 5e-2F, true, NULL, 3, {{4096, 1, 1}, {4096, 0.7F, 0}, {4112, 64, 1 / 64.0F}}},
    };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
            check(&variants[i], sizes[s]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rounds_as_torch_does)};
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
