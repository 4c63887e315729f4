/* Which tensors may share memory, by liveness: places in a few slots, each a buffer of the device. */
#ifndef US_NN_PLAN_H
#define US_NN_PLAN_H

#include "nn/graph.h"

/* A tensor that holds something from time `first` to time `last`, both included. */
struct us_interval {
    int first, last;
    size_t bytes;
    int slot; /* out: where it lies, from byte `offset` of the slot on */
    size_t offset;
};

enum { US_PLAN_ALIGN = 1024 }; /* of offsets, for any device's sub-buffers */

/* Give every interval a place such that no two that overlap in time share a byte; slots[] [n] receives the
 * sizes of the slots and *n_slots their number. Greedy, the largest first: a slot is as large as the first
 * that lies in it, smaller ones lie side by side in what larger ones leave. */
enum unseen_status us_plan_slots(struct us_interval *intervals, int n, size_t *slots, int *n_slots);

struct us_place {
    int slot;
    size_t offset, bytes;
};

/* How a graph's passes use memory and gradients. Arrays are [n_values] or [n_nodes]. */
struct us_plan {
    int *activation;    /* place of each value; -1: it is never in memory */
    int *again;         /* the same in the backward pass: another, if the value is recomputed there */
    int *restart;       /* per node: before its backward pass the nodes from this one on, up to but without
                           itself, run forward again; -1: none do */
    int *gradient;      /* place of each value's gradient; -1: none is wanted. Batch norm's and a bias's
                           backward pass works in place: dx lies where dy does, unless dx must be added to
                           another */
    bool *accumulate_x; /* per node: x's gradient has been written before, add to it */
    bool *accumulate_residual; /* the same for the residual's */
    struct us_place *places;
    size_t *slots; /* bytes */
    int n_places, n_slots;
};

enum us_plan_for {
    US_PLAN_FORWARD,
    US_PLAN_TRAINING,  /* forward and backward */
    US_PLAN_RECOMPUTE, /* the same, keeping only what pools and additions of residuals make, where all that
                          follows depends on nothing else; what lies between is computed once more on the way
                          back (Chen et al., 2016), but for the last such part, which is just computed */
};

/* Plan for up to `batch` images. fused [n_nodes]:
 * convolutions that in evaluation do the batch norm behind them as well (us_graph_feeds_batchnorm), so that
 * their own output exists in training only; NULL: none. Time runs over the nodes forward, then back. Freed
 * with us_plan_free, also after a failure. */
enum unseen_status us_plan_make(const struct us_graph *graph, int batch, enum us_plan_for purpose,
                                const bool *fused, struct us_plan *plan);
void us_plan_free(struct us_plan *plan);

#endif
