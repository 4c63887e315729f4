#include "config.h"

#include "nn/plan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Largest first, and of equal ones the first in time. */
static int by_size(const void *a, const void *b)
{
    const struct us_interval *x = *(struct us_interval *const *)a, *y = *(struct us_interval *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x < y ? -1 : 1;
}

static bool meet(const struct us_interval *a, const struct us_interval *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset in slot s from which on none of the intervals placed so far is in the way. */
static size_t free_offset(struct us_interval *const *placed, int n, int s, const struct us_interval *interval)
{
    size_t offset = 0;
    for (int k = 0; k < n; k++) {
        const struct us_interval *other = placed[k];
        if (other->slot != s || !meet(other, interval) || other->offset + other->bytes <= offset ||
            offset + interval->bytes <= other->offset)
            continue;
        offset = other->offset + other->bytes;
        k = -1; /* those passed by may be in the way there */
    }
    return offset;
}

/* The last slot with room, since slots come largest first; a new one if there is none. */
static void place(struct us_interval *const *placed, int n, size_t *slots, int *n_slots,
                  struct us_interval *interval)
{
    for (int s = *n_slots - 1; s >= 0; s--) {
        interval->offset = free_offset(placed, n, s, interval);
        interval->slot = s;
        if (interval->offset + interval->bytes <= slots[s])
            return;
    }
    interval->offset = 0;
    interval->slot = *n_slots;
    slots[(*n_slots)++] = interval->bytes;
}

enum unseen_status us_plan_slots(struct us_interval *intervals, int n, size_t *slots, int *n_slots)
{
    struct us_interval **order = us_calloc((size_t)n, sizeof(struct us_interval *));
    if (!order)
        return UNSEEN_FAILED;
    for (int k = 0; k < n; k++)
        order[k] = &intervals[k];
    qsort(order, (size_t)n, sizeof(struct us_interval *), by_size);
    *n_slots = 0;
    for (int k = 0; k < n; k++)
        place(order, k, slots, n_slots, order[k]);
    free(order);
    return UNSEEN_OK;
}

/* What a pass forward and back comes to, step by step: when a node runs again, -1 if never, and when it runs
 * back. It runs first at the time that is its number. */
struct schedule {
    int *again, *back; /* [n_nodes] */
};

/* Whether recomputation begins behind node i. */
static bool keeps(const struct us_graph *graph, int i)
{
    const struct us_node *node = &graph->nodes[i];
    const bool pays = node->kind == US_NODE_POOL || (node->kind == US_NODE_BATCHNORM && node->residual >= 0);
    return pays && us_graph_cut_behind(graph, i);
}

/* Where each stretch between outputs that are kept begins, at its last node: what lies between is made again.
 */
static void find_stretches(const struct us_graph *graph, int *restart)
{
    int last = -1, first = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        if (!keeps(graph, i) && i + 1 < graph->n_nodes)
            continue;
        if (first < i) {
            restart[i] = first;
            last = i;
        }
        first = i + 1;
    }
    if (last >= 0)
        restart[last] = -1;
}

static enum unseen_status make_schedule(const struct us_graph *graph, const struct us_plan *plan,
                                        struct schedule *schedule)
{
    enum unseen_status st = UNSEEN_OK;
    int time = graph->n_nodes;
    US_TRY_ALLOC(schedule->again = us_calloc((size_t)graph->n_nodes, sizeof *schedule->again));
    US_TRY_ALLOC(schedule->back = us_calloc((size_t)graph->n_nodes, sizeof *schedule->back));
    memset(schedule->again, -1, (size_t)graph->n_nodes * sizeof *schedule->again);
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        for (int k = plan->restart[i]; k >= 0 && k < i; k++)
            schedule->again[k] = time++;
        schedule->back[i] = time++;
    }
out:
    return st;
}

static void extend(struct us_interval *interval, int time)
{
    if (time > interval->last)
        interval->last = time;
}

/* From first write to last use of every value in the forward pass. What a fused convolution makes of its
 * batch norm's output, it writes while it reads its own input. */
static void time_forward(const struct us_graph *graph, const bool *fused, struct us_interval *act)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        const struct us_node *node = &graph->nodes[i];
        act[node->y].first = fused && i > 0 && fused[i - 1] ? i - 1 : i;
        extend(&act[node->y], i);
        extend(&act[node->x], i);
        if (node->residual >= 0)
            extend(&act[node->residual], i);
    }
    act[graph->nodes[graph->n_nodes - 1].y].last = INT_MAX;
}

/* The same behind it. later[v]: what is made again of v, or act[v]. */
static void time_again(const struct us_graph *graph, const struct schedule *schedule,
                       struct us_interval *const *later)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        const struct us_node *node = &graph->nodes[i];
        if (schedule->again[i] >= 0) {
            later[node->y]->first = schedule->again[i];
            extend(later[node->y], schedule->again[i]);
            extend(later[node->x], schedule->again[i]);
            if (node->residual >= 0)
                extend(later[node->residual], schedule->again[i]);
        }
        extend(later[node->x], schedule->back[i]);
        /* A batch norm's output is asked for what ReLU let pass, next to a residual. */
        if ((node->kind == US_NODE_BATCHNORM && node->act == US_ACT_RELU) || node->kind == US_NODE_POOL)
            extend(later[node->y], schedule->back[i]);
    }
}

/* From the backward pass of the last consumer to that of the producer, and who is first to write. home[v]:
 * the value whose interval v's gradient lives in. */
static void time_gradients(const struct us_graph *graph, const int *back, const bool *wanted,
                           struct us_interval *grad, int *home, struct us_plan *plan)
{
    int logits = graph->nodes[graph->n_nodes - 1].y;
    grad[logits].first = graph->n_nodes;
    for (int v = 0; v < graph->n_values; v++)
        home[v] = v;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const struct us_node *node = &graph->nodes[i];
        if (!wanted[node->y])
            continue;
        grad[home[node->y]].last = back[i];
        if (node->residual > 0) {
            plan->accumulate_residual[i] = grad[node->residual].first != 0;
            if (!plan->accumulate_residual[i])
                grad[node->residual].first = back[i];
        }
        if (wanted[node->x]) {
            plan->accumulate_x[i] = grad[node->x].first != 0;
            if (!plan->accumulate_x[i]) {
                grad[node->x].first = back[i];
                if (node->kind == US_NODE_BATCHNORM || node->kind == US_NODE_BIAS)
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
    US_TRY_ALLOC(plan->again = us_calloc(values, sizeof *plan->again));
    US_TRY_ALLOC(plan->restart = us_calloc(nodes, sizeof *plan->restart));
    US_TRY_ALLOC(plan->gradient = us_calloc(values, sizeof *plan->gradient));
    US_TRY_ALLOC(plan->accumulate_x = us_calloc(nodes, sizeof *plan->accumulate_x));
    US_TRY_ALLOC(plan->accumulate_residual = us_calloc(nodes, sizeof *plan->accumulate_residual));
    US_TRY_ALLOC(plan->slots = us_calloc(3 * values, sizeof *plan->slots));
    US_TRY_ALLOC(plan->places = us_calloc(3 * values, sizeof *plan->places));
    memset(plan->gradient, -1, values * sizeof *plan->gradient);
    memset(plan->activation, -1, values * sizeof *plan->activation);
    memset(plan->again, -1, values * sizeof *plan->again);
    memset(plan->restart, -1, nodes * sizeof *plan->restart);
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

/* Intervals while they are found: three for each value, and of those in use where their places go. */
struct times {
    struct us_interval *all, *act, *made_again,
        *grad;                  /* all [3 * n_values]: the others, one behind the other */
    struct us_interval **later; /* [n_values] */
    int *home;                  /* [n_values] */
    bool *wanted;               /* [n_values]: us_graph_find_wanted */
    struct us_interval *used;   /* [3 * n_values] */
    int **place;
    int n; /* of these */
};

static enum unseen_status begin_times(const struct us_graph *graph, int batch, struct times *t)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t values = (size_t)graph->n_values;
    *t = (struct times){0};
    US_TRY_ALLOC(t->all = us_calloc(3 * values, sizeof *t->all));
    US_TRY_ALLOC(t->used = us_calloc(3 * values, sizeof *t->used));
    US_TRY_ALLOC(t->place = us_calloc(3 * values, sizeof *t->place));
    US_TRY_ALLOC(t->later = us_calloc(values, sizeof *t->later));
    US_TRY_ALLOC(t->home = us_calloc(values, sizeof *t->home));
    US_TRY_ALLOC(t->wanted = us_calloc(values, sizeof *t->wanted));
    us_graph_find_wanted(graph, t->wanted);
    t->act = t->all;
    t->made_again = t->all + values;
    t->grad = t->all + 2 * values;
    for (size_t k = 0; k < 3 * values; k++) {
        struct us_value v = graph->values[k % values];
        const size_t bytes = (size_t)batch * (size_t)v.h * (size_t)v.w * (size_t)v.c * sizeof(float);
        t->all[k].bytes = (bytes + US_PLAN_ALIGN - 1) / US_PLAN_ALIGN * US_PLAN_ALIGN;
    }
out:
    return st;
}

static void end_times(struct times *t)
{
    free(t->all);
    free(t->used);
    free(t->place);
    free(t->later);
    free(t->home);
    free(t->wanted);
}

static void use(struct times *t, const struct us_interval *interval, int *place)
{
    t->place[t->n] = place;
    t->used[t->n++] = *interval;
}

static void time_training(const struct us_graph *graph, const struct schedule *schedule, struct times *t,
                          struct us_plan *plan)
{
    for (int v = 0; v < graph->n_values; v++)
        t->later[v] = &t->act[v];
    for (int i = 0; i < graph->n_nodes; i++)
        if (schedule->again[i] >= 0)
            t->later[graph->nodes[i].y] = &t->made_again[graph->nodes[i].y];
    time_again(graph, schedule, t->later);
    time_gradients(graph, schedule->back, t->wanted, t->grad, t->home, plan);
}

enum unseen_status us_plan_make(const struct us_graph *graph, int batch, enum us_plan_for purpose,
                                const bool *fused, struct us_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const bool training = purpose != US_PLAN_FORWARD;
    struct schedule schedule = {0};
    struct times t = {0};
    memset(plan, 0, sizeof *plan);
    US_TRY(allocate(graph, plan));
    US_TRY(begin_times(graph, batch, &t));
    if (purpose == US_PLAN_RECOMPUTE)
        find_stretches(graph, plan->restart);
    US_TRY(make_schedule(graph, plan, &schedule));
    time_forward(graph, fused, t.act);
    if (training)
        time_training(graph, &schedule, &t, plan);
    for (int v = 0; v < graph->n_values; v++) {
        if (training || written(graph, fused, v))
            use(&t, &t.act[v], &plan->activation[v]);
        if (training && t.later[v] != &t.act[v])
            use(&t, t.later[v], &plan->again[v]);
    }
    for (int v = 1; training && v < graph->n_values; v++)
        if (t.wanted[v] && t.home[v] == v)
            use(&t, &t.grad[v], &plan->gradient[v]);
    US_TRY(us_plan_slots(t.used, t.n, plan->slots, &plan->n_slots));
    for (int k = 0; k < t.n; k++) {
        const struct us_interval *used = &t.used[k];
        *t.place[k] = k;
        plan->places[k] = (struct us_place){used->slot, used->offset, used->bytes};
    }
    plan->n_places = t.n;
    for (int v = 0; training && v < graph->n_values; v++) {
        if (t.later[v] == &t.act[v])
            plan->again[v] = plan->activation[v];
        plan->gradient[v] = t.wanted[v] ? plan->gradient[t.home[v]] : -1;
    }
out:
    free(schedule.again);
    free(schedule.back);
    end_times(&t);
    return st;
}

void us_plan_free(struct us_plan *plan)
{
    free(plan->activation);
    free(plan->again);
    free(plan->restart);
    free(plan->gradient);
    free(plan->accumulate_x);
    free(plan->accumulate_residual);
    free(plan->slots);
    free(plan->places);
    memset(plan, 0, sizeof *plan);
}
