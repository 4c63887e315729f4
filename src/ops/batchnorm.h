/* Batch norm over [rows, channels] (rows = n*h*w), with residual add and activation in the same pass (Ioffe
 * and Szegedy, 2015). y = act(gamma * (x - mean) * invstd + beta + residual), residual optional. */
#ifndef US_OPS_BATCHNORM_H
#define US_OPS_BATCHNORM_H

#include "device/device.h"
#include "ops/activation.h"

struct us_batchnorm; /* prepared for one number of channels */

struct us_batchnorm_spec {
    int channels;
    enum us_activation act; /* with GELU there is no residual: its gradient is found from x */
    double eps, momentum;   /* momentum: the share of a new batch in the running statistics */
};

/* rows: the largest number of rows. */
enum unseen_status us_batchnorm_new(struct unseen_device *device, size_t rows,
                                    const struct us_batchnorm_spec *spec, struct us_batchnorm **bn);
void us_batchnorm_free(struct us_batchnorm *bn);
size_t us_batchnorm_workspace(const struct us_batchnorm *bn);

/* Parameters and state, each [channels]. Gradients may be NULL for evaluation. */
struct us_batchnorm_params {
    struct us_buf *gamma, *beta, *running_mean, *running_var;
    struct us_buf *dgamma, *dbeta;
    struct us_buf *mean, *invstd; /* saved by the training forward pass for backward */
    bool frozen;                  /* backward: by us_batchnorm_forward_frozen, so that they are constants */
};

/* Batch statistics; updates the running ones (variance unbiased, as PyTorch does). residual may be NULL. */
enum unseen_status us_batchnorm_forward_train(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                              struct us_buf *residual,
                                              const struct us_batchnorm_params *params,
                                              struct us_buf *workspace, struct us_buf *y);

/* The same from partial moments of x that are there already, in `blocks` blocks of any numbers of rows:
 * [blocks][2][channels] means and sums of squared distances to them, then [blocks] numbers of rows, all
 * floats. `moments` holds us_batchnorm_moments bytes, more than that because they are merged behind them. */
enum unseen_status us_batchnorm_forward_moments(struct us_batchnorm *bn, size_t rows, size_t blocks,
                                                struct us_buf *moments, struct us_buf *x,
                                                struct us_buf *residual,
                                                const struct us_batchnorm_params *params, struct us_buf *y);
size_t us_batchnorm_moments(const struct us_batchnorm *bn, size_t blocks);

/* Running statistics. */
enum unseen_status us_batchnorm_forward_eval(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                             struct us_buf *residual,
                                             const struct us_batchnorm_params *params,
                                             struct us_buf *workspace, struct us_buf *y);

/* The same, leaving mean and invstd for backward. */
enum unseen_status us_batchnorm_forward_frozen(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                               struct us_buf *residual,
                                               const struct us_batchnorm_params *params, struct us_buf *y);

/* What forward_train or forward_frozen made, from the mean and invstd that it left. */
enum unseen_status us_batchnorm_forward_again(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                              struct us_buf *residual,
                                              const struct us_batchnorm_params *params, struct us_buf *y);

/* Running statistics as a scale and a shift for each channel, affine [2][channels], for a convolution to do.
 */
enum unseen_status us_batchnorm_affine(struct us_batchnorm *bn, const struct us_batchnorm_params *params,
                                       struct us_buf *affine);

/* dx, dgamma and dbeta from dy and the forward input x. dresidual receives, or with accumulate_residual adds,
 * dy behind the ReLU's mask. The mask is y > 0 for the forward output y; y is read only with dresidual, and
 * without it the mask is computed from x, which saves the reading. So dresidual must be given if, and may be
 * given only if, forward had a residual; y may be NULL without. dx may be dy. */
enum unseen_status us_batchnorm_backward(struct us_batchnorm *bn, size_t rows, struct us_buf *dy,
                                         struct us_buf *x, struct us_buf *y,
                                         const struct us_batchnorm_params *params, struct us_buf *workspace,
                                         struct us_buf *dx, struct us_buf *dresidual,
                                         bool accumulate_residual);

#endif
