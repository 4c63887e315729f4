#include "config.h"

#include "ops/batchnorm.h"

#include <stdio.h>
#include <stdlib.h>

#include "ops/columns.h"

enum { FAN = 64 }; /* partial sums that one work-item merges */

struct us_batchnorm {
    struct unseen_device *device;
    size_t rows; /* the most */
    struct us_batchnorm_spec spec;
    struct us_columns columns;
    struct us_kernel *moments, *moments_merge, *moments_finish, *invstd, *affine, *apply;
    struct us_kernel *sums, *sums_merge, *sums_finish, *backward;
};

/* Partial sums after the merge; 0: so few `blocks` that none is needed. A work-group needs no help with many.
 */
static size_t merged_blocks(const struct us_batchnorm *bn, size_t blocks)
{
    return !bn->columns.group.items && blocks > FAN ? (blocks + FAN - 1) / FAN : 0;
}

/* Floats of the partial sums of `blocks` blocks: [blocks][2][channels]. */
static size_t partial_floats(const struct us_batchnorm *bn, size_t blocks)
{
    return blocks * 2 * (size_t)bn->spec.channels;
}

/* Floats of their partial moments, [blocks][2][channels] and [blocks] counts, rounded up so that what lies
 * behind them is aligned for vectors. */
static size_t moment_floats(const struct us_batchnorm *bn, size_t blocks)
{
    return us_round_up(partial_floats(bn, blocks) + blocks, 16);
}

static enum unseen_status get_kernels(struct us_batchnorm *bn)
{
    enum unseen_status st = UNSEEN_OK;
    char options[128], sum_options[128];
    const struct us_columns *columns = &bn->columns;
    const char *each = "batchnorm.cl", *sums = columns->group.items ? "batchnorm_group.cl" : each;
    const struct {
        const char *file, *name;
        struct us_kernel **kernel;
    } wanted[] = {
        {sums, "batchnorm_moments", &bn->moments},
        {each, "batchnorm_moments_merge", &bn->moments_merge},
        {sums, "batchnorm_moments_finish", &bn->moments_finish},
        {each, "batchnorm_invstd", &bn->invstd},
        {each, "batchnorm_affine", &bn->affine},
        {each, "batchnorm_apply", &bn->apply},
        {sums, "batchnorm_sums", &bn->sums},
        {each, "batchnorm_sums_merge", &bn->sums_merge},
        {sums, "batchnorm_sums_finish", &bn->sums_finish},
        {each, "batchnorm_backward", &bn->backward},
    };
    snprintf(options, sizeof options, "-DVEC=%d -DTILE=%d -DUNROLL=%d -DFAN=%d", columns->vec, columns->tile,
             8 / columns->tile, FAN);
    snprintf(sum_options, sizeof sum_options, "-DVEC=%d -DITEMS=%d -DACROSS=%d", columns->vec,
             columns->group.items, columns->group.across);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        US_TRY(us_kernel_get(bn->device, wanted[i].file, wanted[i].file == each ? options : sum_options,
                             wanted[i].name, wanted[i].kernel));
out:
    return st;
}

enum unseen_status us_batchnorm_new(struct unseen_device *device, size_t rows,
                                    const struct us_batchnorm_spec *spec, struct us_batchnorm **bn)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_batchnorm *b = NULL;
    if (spec->channels < 1 || rows < 1)
        return us_fail(UNSEEN_USAGE, "batch norm", "%zu rows of %d channels", rows, spec->channels);
    b = us_calloc(1, sizeof *b);
    US_TRY_ALLOC(b);
    b->device = device;
    b->rows = rows;
    b->spec = *spec;
    b->columns = us_columns_of(device, spec->channels);
    US_TRY(get_kernels(b));
    *bn = b;
    b = NULL;
out:
    us_batchnorm_free(b);
    return st;
}

void us_batchnorm_free(struct us_batchnorm *bn)
{
    free(bn);
}

size_t us_batchnorm_workspace(const struct us_batchnorm *bn)
{
    return us_batchnorm_moments(bn, us_columns_most_blocks(&bn->columns, bn->rows));
}

size_t us_batchnorm_moments(const struct us_batchnorm *bn, size_t blocks)
{
    return (moment_floats(bn, blocks) + moment_floats(bn, merged_blocks(bn, blocks))) * sizeof(float);
}

static enum unseen_status check_rows(const struct us_batchnorm *bn, size_t rows)
{
    if (rows < 1 || rows > bn->rows)
        return us_fail(UNSEEN_USAGE, "batch norm", "%zu rows where it was made for 1 to %zu", rows, bn->rows);
    return UNSEEN_OK;
}

static enum unseen_status apply(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                struct us_buf *residual, const struct us_batchnorm_params *params,
                                struct us_buf *mean, struct us_buf *invstd, struct us_buf *y)
{
    return us_run(bn->device, bn->apply, us_columns_vectors(&bn->columns, rows), "liibbbbbbb", (int64_t)rows,
                  bn->spec.channels, (int)bn->spec.act, x, residual, mean, invstd, params->gamma,
                  params->beta, y);
}

enum unseen_status us_batchnorm_forward_moments(struct us_batchnorm *bn, size_t rows, size_t blocks,
                                                struct us_buf *moments, struct us_buf *x,
                                                struct us_buf *residual,
                                                const struct us_batchnorm_params *params, struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t merged = merged_blocks(bn, blocks), at = merged ? moment_floats(bn, blocks) : 0;
    US_TRY(check_rows(bn, rows));
    if (merged)
        US_TRY(us_run(bn->device, bn->moments_merge, us_columns_channels(&bn->columns, merged), "iibl",
                      bn->spec.channels, (int)blocks, moments, (int64_t)at));
    US_TRY(us_run(bn->device, bn->moments_finish, us_columns_finish(&bn->columns), "liiblffbbbb",
                  (int64_t)rows, bn->spec.channels, (int)(merged ? merged : blocks), moments, (int64_t)at,
                  bn->spec.eps, bn->spec.momentum, params->mean, params->invstd, params->running_mean,
                  params->running_var));
    US_TRY(apply(bn, rows, x, residual, params, params->mean, params->invstd, y));
out:
    return st;
}

enum unseen_status us_batchnorm_forward_train(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                              struct us_buf *residual,
                                              const struct us_batchnorm_params *params,
                                              struct us_buf *workspace, struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_cut cut = us_columns_cut(&bn->columns, rows);
    US_TRY(check_rows(bn, rows));
    US_TRY(us_run(bn->device, bn->moments, us_columns_blocks(&bn->columns, cut.blocks), "liiibb",
                  (int64_t)rows, bn->spec.channels, (int)cut.block_rows, (int)cut.blocks, x, workspace));
    US_TRY(us_batchnorm_forward_moments(bn, rows, cut.blocks, workspace, x, residual, params, y));
out:
    return st;
}

enum unseen_status us_batchnorm_affine(struct us_batchnorm *bn, const struct us_batchnorm_params *params,
                                       struct us_buf *affine)
{
    return us_run(bn->device, bn->affine, us_columns_channels(&bn->columns, 1), "ifbbbbb", bn->spec.channels,
                  bn->spec.eps, params->running_mean, params->running_var, params->gamma, params->beta,
                  affine);
}

enum unseen_status us_batchnorm_forward_eval(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                             struct us_buf *residual,
                                             const struct us_batchnorm_params *params,
                                             struct us_buf *workspace, struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(check_rows(bn, rows));
    US_TRY(us_run(bn->device, bn->invstd, us_columns_channels(&bn->columns, 1), "ifbb", bn->spec.channels,
                  bn->spec.eps, params->running_var, workspace));
    US_TRY(apply(bn, rows, x, residual, params, params->running_mean, workspace, y));
out:
    return st;
}

enum unseen_status us_batchnorm_forward_frozen(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                               struct us_buf *residual,
                                               const struct us_batchnorm_params *params, struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(check_rows(bn, rows));
    US_TRY(us_copy(bn->device, params->running_mean, 0, params->mean, 0,
                   (size_t)bn->spec.channels * sizeof(float)));
    US_TRY(us_run(bn->device, bn->invstd, us_columns_channels(&bn->columns, 1), "ifbb", bn->spec.channels,
                  bn->spec.eps, params->running_var, params->invstd));
    US_TRY(apply(bn, rows, x, residual, params, params->mean, params->invstd, y));
out:
    return st;
}

enum unseen_status us_batchnorm_forward_again(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                              struct us_buf *residual,
                                              const struct us_batchnorm_params *params, struct us_buf *y)
{
    enum unseen_status st = check_rows(bn, rows);
    return st ? st : apply(bn, rows, x, residual, params, params->mean, params->invstd, y);
}

enum unseen_status us_batchnorm_backward(struct us_batchnorm *bn, size_t rows, struct us_buf *dy,
                                         struct us_buf *x, struct us_buf *y,
                                         const struct us_batchnorm_params *params, struct us_buf *workspace,
                                         struct us_buf *dx, struct us_buf *dresidual,
                                         bool accumulate_residual)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_cut cut = us_columns_cut(&bn->columns, rows);
    struct us_buf *mask = dresidual ? y : NULL; /* without residual the kernels find it from x */
    const size_t merged = merged_blocks(bn, cut.blocks);
    size_t count = cut.blocks, at = 0;
    US_TRY(check_rows(bn, rows));
    US_TRY(us_run(bn->device, bn->sums, us_columns_blocks(&bn->columns, cut.blocks), "liiibbbbbbbb",
                  (int64_t)rows, bn->spec.channels, (int)bn->spec.act, (int)cut.block_rows, dy, x, mask,
                  params->mean, params->invstd, params->gamma, params->beta, workspace));
    if (merged) {
        at = partial_floats(bn, count);
        US_TRY(us_run(bn->device, bn->sums_merge, us_columns_channels(&bn->columns, 2 * merged), "iibl",
                      bn->spec.channels, (int)count, workspace, (int64_t)at));
        count = merged;
    }
    US_TRY(us_run(bn->device, bn->sums_finish, us_columns_finish(&bn->columns), "iiblbbb", bn->spec.channels,
                  (int)count, workspace, (int64_t)at, params->invstd, params->dgamma, params->dbeta));
    US_TRY(us_run(bn->device, bn->backward, us_columns_vectors(&bn->columns, rows), "liifbbbbbbbbbbbi",
                  (int64_t)rows, bn->spec.channels, (int)bn->spec.act,
                  params->frozen ? 0.0 : 1.0 / (double)rows, dy, x, mask, params->mean, params->invstd,
                  params->gamma, params->beta, params->dgamma, params->dbeta, dx, dresidual,
                  (int)accumulate_residual));
out:
    return st;
}
