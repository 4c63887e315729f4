/* Softmax cross-entropy with label smoothing, its gradient, and a trajectory's per-sample quantities, in one
 * kernel. */
#ifndef US_OPS_LOSS_H
#define US_OPS_LOSS_H

#include "device/device.h"
#include "unseen/quantity.h"

/* logits [n,classes]; labels int32 [all samples], of which row i is labels[rows[i]] (rows int32 [n]).
 *   loss_i = -sum_c q_c ln p_c,  q = (1 - smoothing) onehot + smoothing / classes
 * dlogits (may be NULL) receives w_i (p - q) / over, w_i being weights[first_weight + i] or, without weights
 * (float32), 1; times the factor of `scaling` (ops/scaling.h) if that is given. record receives the
 * quantities of enum unseen_quantity without smoothing, float32 [UNSEEN_N_ALWAYS + 1][stride], at columns
 * column..column+n-1, CORRECT as 0 or 1; the objective itself (with smoothing) goes to the last row. */
struct us_loss {
    int n, classes;
    int over; /* what the sum of the samples' gradients is divided by; 0: n */
    float smoothing;
    struct us_buf *logits, *labels, *rows, *weights, *dlogits, *record, *scaling;
    size_t first_weight, stride, column;
};
enum unseen_status us_loss_run(struct unseen_device *device, const struct us_loss *loss);

/* Softmax of logits [n,classes] into rows first..first+n-1 of probs. */
enum unseen_status us_softmax_run(struct unseen_device *device, int n, int classes, struct us_buf *logits,
                                  struct us_buf *probs, int first);

/* Build the program ahead of the first run. */
enum unseen_status us_loss_prepare(struct unseen_device *device);

#endif
