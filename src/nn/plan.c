#include "config.h"

#include "nn/plan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int by_start(const void *a, const void *b)
{
    const struct us_interval *x = *(struct us_interval *const *)a, *y = *(struct us_interval *const *)b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x < y ? -1 : 1;
}

/* The free slot that fits best: the smallest that is large enough, else the largest. -1: none is free. */
static int best_slot(const size_t *slots, const int *busy, int n, int time, size_t bytes)
{
    int best = -1;
    for (int s = 0; s < n; s++) {
        if (busy[s] >= time)
            continue;
        bool fits = slots[s] >= bytes;
        if (best < 0 || (fits && (slots[best] < bytes || slots[s] < slots[best])) ||
            (!fits && slots[best] < bytes && slots[s] > slots[best]))
            best = s;
    }
    return best;
}

enum unseen_status us_plan_slots(struct us_interval *intervals, int n, size_t *slots, int *n_slots)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_interval **order = us_calloc((size_t)n, sizeof(struct us_interval *));
    int *busy = us_calloc((size_t)n, sizeof *busy);
    US_TRY_ALLOC(order);
    US_TRY_ALLOC(busy);
    for (int k = 0; k < n; k++)
        order[k] = &intervals[k];
    qsort(order, (size_t)n, sizeof(struct us_interval *), by_start);
    *n_slots = 0;
    for (int k = 0; k < n; k++) {
        struct us_interval *interval = order[k];
        int s = best_slot(slots, busy, *n_slots, interval->first, interval->bytes);
        if (s < 0) {
            s = (*n_slots)++;
            slots[s] = 0;
        }
        if (slots[s] < interval->bytes)
            slots[s] = interval->bytes;
        busy[s] = interval->last;
        interval->slot = s;
    }
out:
    free(order);
    free(busy);
    return st;
}

/* When node i runs in a backward pass. */
static int backward_time(const struct us_graph *graph, int i)
{
    return 2 * graph->n_nodes - 1 - i;
}

static void extend(struct us_interval *interval, int time)
{
    if (time > interval->last)
        interval->last = time;
}

/* From first write to last use of every value. What a fused convolution makes of its batch norm's output, it
 * writes while it reads its own input. */
static void time_activations(const struct us_graph *graph, bool training, const bool *fused,
                             struct us_interval *act)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        const struct us_node *node = &graph->nodes[i];
        act[node->y].first = fused && i > 0 && fused[i - 1] ? i - 1 : i;
        extend(&act[node->y], i);
        extend(&act[node->x], i);
        if (node->residual >= 0)
            extend(&act[node->residual], i);
        if (!training)
            continue;
        extend(&act[node->x], backward_time(graph, i));
        if ((node->kind == US_NODE_BATCHNORM && node->relu) || node->kind == US_NODE_POOL)
            extend(&act[node->y], backward_time(graph, i));
    }
    act[graph->nodes[graph->n_nodes - 1].y].last = INT_MAX;
}

/* From the backward pass of the last consumer to that of the producer, and who is first to write. home[v]:
 * the value whose interval v's gradient lives in. */
static void time_gradients(const struct us_graph *graph, struct us_interval *grad, int *home,
                           struct us_plan *plan)
{
    int logits = graph->nodes[graph->n_nodes - 1].y;
    grad[logits].first = graph->n_nodes;
    for (int v = 0; v < graph->n_values; v++)
        home[v] = v;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const struct us_node *node = &graph->nodes[i];
        int time = backward_time(graph, i);
        grad[home[node->y]].last = time;
        if (node->residual > 0) {
            plan->accumulate_residual[i] = grad[node->residual].first != 0;
            if (!plan->accumulate_residual[i])
                grad[node->residual].first = time;
        }
        if (node->x > 0) {
            plan->accumulate_x[i] = grad[node->x].first != 0;
            if (!plan->accumulate_x[i]) {
                grad[node->x].first = time;
                if (node->kind == US_NODE_BATCHNORM)
                    home[node->x] = home[node->y];
            }
        }
    }
}

static enum unseen_status allocate(const struct us_graph *graph, struct us_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    size_t values = (size_t)graph->n_values, nodes = (size_t)graph->n_nodes;
    US_TRY_ALLOC(plan->activation = us_calloc(values, sizeof *plan->activation));
    US_TRY_ALLOC(plan->gradient = us_calloc(values, sizeof *plan->gradient));
    US_TRY_ALLOC(plan->accumulate_x = us_calloc(nodes, sizeof *plan->accumulate_x));
    US_TRY_ALLOC(plan->accumulate_residual = us_calloc(nodes, sizeof *plan->accumulate_residual));
    US_TRY_ALLOC(plan->slots = us_calloc(2 * values, sizeof *plan->slots));
    memset(plan->gradient, -1, values * sizeof *plan->gradient);
    memset(plan->activation, -1, values * sizeof *plan->activation);
out:
    return st;
}

/* Whether some node writes value v in evaluation: not where a convolution leaves it out. */
static bool written(const struct us_graph *graph, const bool *fused, int v)
{
    for (int i = 0; fused && i < graph->n_nodes; i++)
        if (fused[i] && graph->nodes[i].y == v)
            return false;
    return true;
}

enum unseen_status us_plan_make(const struct us_graph *graph, int batch, bool training, const bool *fused,
                                struct us_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    int values = graph->n_values, n = 0;
    struct us_interval *time = NULL, *used = NULL;
    int **slot = NULL, *home = NULL;
    memset(plan, 0, sizeof *plan);
    US_TRY(allocate(graph, plan));
    US_TRY_ALLOC(time = us_calloc((size_t)(2 * values), sizeof *time));
    US_TRY_ALLOC(used = us_calloc((size_t)(2 * values), sizeof *used));
    US_TRY_ALLOC(slot = us_calloc((size_t)(2 * values), sizeof *slot));
    US_TRY_ALLOC(home = us_calloc((size_t)values, sizeof *home));
    struct us_interval *act = time, *grad = time + values;
    for (int k = 0; k < 2 * values; k++) {
        struct us_value v = graph->values[k % values];
        time[k].bytes = (size_t)batch * (size_t)v.h * (size_t)v.w * (size_t)v.c * sizeof(float);
    }
    time_activations(graph, training, fused, act);
    if (training)
        time_gradients(graph, grad, home, plan);
    for (int v = 0; v < values; v++)
        if (training || written(graph, fused, v)) {
            slot[n] = &plan->activation[v];
            used[n++] = act[v];
        }
    for (int v = 1; training && v < values; v++)
        if (home[v] == v) {
            slot[n] = &plan->gradient[v];
            used[n++] = grad[v];
        }
    US_TRY(us_plan_slots(used, n, plan->slots, &plan->n_slots));
    for (int k = 0; k < n; k++)
        *slot[k] = used[k].slot;
    for (int v = 1; training && v < values; v++)
        plan->gradient[v] = plan->gradient[home[v]];
out:
    free(time);
    free(used);
    free(slot);
    free(home);
    return st;
}

void us_plan_free(struct us_plan *plan)
{
    free(plan->activation);
    free(plan->gradient);
    free(plan->accumulate_x);
    free(plan->accumulate_residual);
    free(plan->slots);
    memset(plan, 0, sizeof *plan);
}
