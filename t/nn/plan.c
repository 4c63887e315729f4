#include "config.h"

#include "support/cmocka.h"

#include <string.h>

#include "nn/plan.h"

/* No two intervals that overlap in time may do so in memory, and every slot must hold what lies in it. */
static void check(const struct us_interval *intervals, int n, const size_t *slots, int n_slots)
{
    for (int a = 0; a < n; a++) {
        assert_in_range(intervals[a].slot, 0, (uintmax_t)n_slots - 1);
        assert_true(slots[intervals[a].slot] >= intervals[a].offset + intervals[a].bytes);
        for (int b = 0; b < a; b++) {
            bool apart = intervals[a].last < intervals[b].first || intervals[b].last < intervals[a].first;
            bool beside = intervals[a].slot != intervals[b].slot ||
                          intervals[a].offset + intervals[a].bytes <= intervals[b].offset ||
                          intervals[b].offset + intervals[b].bytes <= intervals[a].offset;
            assert_true(apart || beside);
        }
    }
}

static void a_chain_needs_two_slots(void **state)
{
    (void)state;
    struct us_interval chain[10];
    size_t slots[10];
    int n_slots;
    for (int i = 0; i < 10; i++)
        chain[i] = (struct us_interval){.first = i, .last = i + 1, .bytes = 100};
    assert_ok(us_plan_slots(chain, 10, slots, &n_slots));
    check(chain, 10, slots, n_slots);
    assert_int_equal(n_slots, 2);
}

static void random_intervals(void **state)
{
    (void)state;
    struct us_interval intervals[60];
    size_t slots[60];
    uint32_t x = 1;
    for (int trial = 0; trial < 200; trial++) {
        int n_slots;
        for (int i = 0; i < 60; i++) {
            x = x * 1664525u + 1013904223u;
            int first = (int)(x >> 24) % 50;
            x = x * 1664525u + 1013904223u;
            intervals[i] = (struct us_interval){
                .first = first, .last = first + (int)(x >> 24) % 20, .bytes = 1 + ((x >> 12) & 0xfff)};
        }
        assert_ok(us_plan_slots(intervals, 60, slots, &n_slots));
        check(intervals, 60, slots, n_slots);
    }
}

static void small_ones_lie_side_by_side(void **state)
{
    (void)state;
    size_t slots[5];
    int n_slots;
    struct us_interval intervals[] = {{.first = 0, .last = 1, .bytes = 100},
                                      {.first = 2, .last = 9, .bytes = 40},
                                      {.first = 3, .last = 4, .bytes = 30},
                                      {.first = 5, .last = 9, .bytes = 50},
                                      {.first = 9, .last = 9, .bytes = 20}};
    assert_ok(us_plan_slots(intervals, 5, slots, &n_slots));
    check(intervals, 5, slots, n_slots);
    assert_int_equal(slots[0], 100);
    assert_int_equal(n_slots, 2); /* for the last alone there is no room */
    assert_int_equal(intervals[4].slot, 1);
}

/* Whether two places have a byte in common. */
static bool overlap(const struct us_plan *plan, int a, int b)
{
    const struct us_place *x = &plan->places[a], *y = &plan->places[b];
    return x->slot == y->slot && x->offset < y->offset + y->bytes && y->offset < x->offset + x->bytes;
}

/* conv -> batch norm -> conv -> batch norm + skip: the skip's gradient is written, then added to. */
static void gradients_accumulate(void **state)
{
    (void)state;
    struct us_graph graph;
    struct us_plan plan;
    us_graph_begin(&graph, 8, 8, 3);
    int a =
        us_graph_batchnorm(&graph, "bn0", us_graph_conv(&graph, "c0", 0, 4, 3, 1, 1), -1, US_ACT_RELU, NULL);
    int b =
        us_graph_batchnorm(&graph, "bn1", us_graph_conv(&graph, "c1", a, 4, 3, 1, 1), a, US_ACT_RELU, NULL);
    us_graph_linear(&graph, "fc", b, 2);
    assert_ok(graph.status);
    assert_ok(us_plan_make(&graph, 2, US_PLAN_TRAINING, NULL, &plan));
    assert_false(plan.accumulate_residual[3]);
    assert_true(plan.accumulate_x[2]);
    assert_false(plan.accumulate_x[0]);
    assert_int_equal(plan.gradient[0], -1);
    assert_int_equal(plan.gradient[graph.nodes[1].x], plan.gradient[a]); /* in place */
    assert_int_equal(plan.gradient[graph.nodes[3].x], plan.gradient[b]);
    assert_false(overlap(&plan, plan.gradient[a], plan.gradient[b]));
    us_plan_free(&plan);
    assert_ok(us_plan_make(&graph, 2, US_PLAN_FORWARD, NULL, &plan));
    assert_int_equal(plan.gradient[a], -1);
    us_plan_free(&plan);
    us_graph_free(&graph);
}

static void evaluation_takes_less(void **state)
{
    (void)state;
    struct us_graph graph;
    struct us_plan plan;
    size_t sums[2] = {0, 0};
    us_graph_begin(&graph, 16, 16, 3);
    int x = 0;
    for (int i = 0; i < 8; i++)
        x = us_graph_batchnorm(&graph, "bn", us_graph_conv(&graph, "conv", x, 8, 3, 1, 1), -1, US_ACT_RELU,
                               NULL);
    us_graph_linear(&graph, "fc", x, 2);
    for (int training = 0; training < 2; training++) {
        assert_ok(us_plan_make(&graph, 4, training ? US_PLAN_TRAINING : US_PLAN_FORWARD, NULL, &plan));
        for (int s = 0; s < plan.n_slots; s++)
            sums[training] += plan.slots[s];
        us_plan_free(&plan);
    }
    assert_true(sums[0] * 4 < sums[1]);
    us_graph_free(&graph);
}

/* conv -> batch norm -> conv -> batch norm + skip, convolutions doing the batch norms as well: what they
 * write must not share memory with what they read. */
static void fused_convolutions(void **state)
{
    (void)state;
    struct us_graph graph;
    struct us_plan plan;
    us_graph_begin(&graph, 8, 8, 4);
    int c0 = us_graph_conv(&graph, "c0", 0, 4, 3, 1, 1);
    int a = us_graph_batchnorm(&graph, "bn0", c0, -1, US_ACT_RELU, NULL);
    int c1 = us_graph_conv(&graph, "c1", a, 4, 3, 1, 1);
    int b = us_graph_batchnorm(&graph, "bn1", c1, a, US_ACT_RELU, NULL);
    us_graph_linear(&graph, "fc", b, 2);
    const bool fused[] = {true, false, true, false, false};
    for (int i = 0; i < graph.n_nodes; i++)
        assert_int_equal(us_graph_feeds_batchnorm(&graph, i), fused[i]);
    assert_ok(us_plan_make(&graph, 2, US_PLAN_FORWARD, fused, &plan));
    assert_int_equal(plan.activation[c0], -1);
    assert_int_equal(plan.activation[c1], -1);
    assert_false(overlap(&plan, plan.activation[a], plan.activation[0]));
    assert_false(overlap(&plan, plan.activation[b], plan.activation[a]));
    us_plan_free(&plan);
    assert_ok(us_plan_make(&graph, 2, US_PLAN_TRAINING, fused, &plan));
    assert_true(plan.activation[c0] >= 0);
    assert_false(overlap(&plan, plan.activation[a], plan.activation[0]));
    us_plan_free(&plan);
    us_graph_free(&graph);
}

/* pool, block, pool, block, pool: the first block is made again on the way back, the last is not. */
static void blocks_are_recomputed(void **state)
{
    (void)state;
    struct us_graph graph;
    struct us_plan plan;
    int kept[3], inner[2];
    us_graph_begin(&graph, 16, 16, 4);
    kept[0] = us_graph_pool(&graph, US_POOL_MAX, 0, 2, 2, 0);
    for (int k = 0; k < 2; k++) {
        inner[k] = us_graph_conv(&graph, "c", kept[k], 4, 3, 1, 1);
        kept[k + 1] = us_graph_batchnorm(&graph, "bn", inner[k], kept[k], US_ACT_RELU, NULL);
    }
    us_graph_linear(&graph, "fc", us_graph_pool(&graph, US_POOL_AVERAGE, kept[2], 2, 2, 0), 2);
    assert_ok(graph.status);
    assert_ok(us_plan_make(&graph, 2, US_PLAN_RECOMPUTE, NULL, &plan));
    const int restart[] = {-1, -1, 1, -1, -1, -1, -1};
    assert_int_equal(graph.n_nodes, 7);
    assert_memory_equal(plan.restart, restart, sizeof restart);
    for (int k = 0; k < 3; k++)
        assert_int_equal(plan.again[kept[k]], plan.activation[kept[k]]);
    assert_int_equal(plan.again[inner[1]], plan.activation[inner[1]]);
    assert_int_not_equal(plan.again[inner[0]], plan.activation[inner[0]]);
    assert_true(plan.again[inner[0]] >= 0);
    us_plan_free(&plan);
    us_graph_free(&graph);
}

/* Two consumers, or a residual, need the convolution's own output. */
static void shared_convolutions(void **state)
{
    (void)state;
    struct us_graph graph;
    us_graph_begin(&graph, 8, 8, 4);
    int c0 = us_graph_conv(&graph, "c0", 0, 4, 3, 1, 1);
    int a = us_graph_batchnorm(&graph, "bn0", c0, -1, US_ACT_RELU, NULL);
    int c1 = us_graph_conv(&graph, "c1", a, 4, 3, 1, 1);
    a = us_graph_batchnorm(&graph, "bn1", c1, c0, US_ACT_RELU, NULL);
    a = us_graph_conv(&graph, "c2", a, 4, 3, 1, 1);
    us_graph_batchnorm(&graph, "bn2", a, a, US_ACT_RELU, NULL);
    assert_ok(graph.status);
    assert_false(us_graph_feeds_batchnorm(&graph, 0));
    assert_true(us_graph_feeds_batchnorm(&graph, 2));
    assert_false(us_graph_feeds_batchnorm(&graph, 4));
    us_graph_free(&graph);
}

static void too_small_images(void **state)
{
    (void)state;
    struct us_graph graph;
    us_graph_begin(&graph, 2, 2, 3);
    int x = us_graph_pool(&graph, US_POOL_AVERAGE, 0, 2, 2, 0);
    x = us_graph_pool(&graph, US_POOL_AVERAGE, x, 2, 2, 0);
    assert_int_equal(x, -1);
    assert_int_equal(us_graph_linear(&graph, "fc", x, 2), -1);
    assert_int_equal(graph.status, UNSEEN_USAGE);
    us_graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_needs_two_slots),
        cmocka_unit_test(random_intervals),
        cmocka_unit_test(small_ones_lie_side_by_side),
        cmocka_unit_test(gradients_accumulate),
        cmocka_unit_test(evaluation_takes_less),
        cmocka_unit_test(fused_convolutions),
        cmocka_unit_test(shared_convolutions),
        cmocka_unit_test(blocks_are_recomputed),
        cmocka_unit_test(too_small_images),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
