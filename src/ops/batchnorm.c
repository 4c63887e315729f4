#include "config.h"

#include "ops/batchnorm.h"

#include <stdio.h>
#include <stdlib.h>

#include "ops/launch.h"

enum {
    FAN = 64,          /* partial sums that one work-item merges */
    CPU_BLOCK = 32768, /* floats that a CPU's work-item sums: some microseconds */
    CPU_BLOCKS = 1024, /* the most */
    GPU_BLOCK = 128,   /* rows that a GPU's work-group sums at least */
    GPU_BLOCKS = 512,  /* the most: some for each multiprocessor */
    GPU_ACROSS = 32    /* of its work-items that stand side by side, the most */
};

/* torch.nn.BatchNorm2d's defaults. */
static const double eps = 1e-5, momentum = 0.1;

struct us_batchnorm {
    struct unseen_device *device;
    size_t rows; /* the most */
    int channels, vec, tile;
    struct us_sum_group group; /* no items: one work-item a block */
    bool relu;
    struct us_kernel *moments, *moments_merge, *moments_finish, *invstd, *affine, *apply;
    struct us_kernel *sums, *sums_merge, *sums_finish, *backward;
};

/* How `rows` are cut for a sum. */
struct cut {
    size_t block_rows, blocks;
    size_t merged; /* partial sums after the merge; 0: so few that none is needed */
};

static size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static size_t most_blocks(const struct us_batchnorm *bn)
{
    return bn->group.items ? GPU_BLOCKS : CPU_BLOCKS;
}

static size_t least_block_rows(const struct us_batchnorm *bn)
{
    return bn->group.items ? GPU_BLOCK : us_round_up(ceil_div(CPU_BLOCK, (size_t)bn->channels), 8);
}

/* A work-group needs no help with many partial sums. */
static size_t merged_blocks(const struct us_batchnorm *bn, size_t blocks)
{
    return !bn->group.items && blocks > FAN ? ceil_div(blocks, FAN) : 0;
}

static struct cut cut_rows(const struct us_batchnorm *bn, size_t rows)
{
    const size_t least = least_block_rows(bn);
    const size_t even = us_round_up(ceil_div(rows, most_blocks(bn)), 8);
    struct cut cut = {.block_rows = even > least ? even : least};
    cut.blocks = ceil_div(rows, cut.block_rows);
    cut.merged = merged_blocks(bn, cut.blocks);
    return cut;
}

/* Floats of the partial sums of `blocks` blocks: [blocks][2][channels]. */
static size_t partial_floats(const struct us_batchnorm *bn, size_t blocks)
{
    return blocks * 2 * (size_t)bn->channels;
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
    const char *each = "batchnorm.cl", *sums = bn->group.items ? "batchnorm_group.cl" : each;
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
    snprintf(options, sizeof options, "-DVEC=%d -DTILE=%d -DUNROLL=%d -DFAN=%d", bn->vec, bn->tile,
             8 / bn->tile, FAN);
    snprintf(sum_options, sizeof sum_options, "-DVEC=%d -DITEMS=%d -DACROSS=%d", bn->vec, bn->group.items,
             bn->group.across);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        US_TRY(us_kernel_get(bn->device, wanted[i].file, wanted[i].file == each ? options : sum_options,
                             wanted[i].name, wanted[i].kernel));
out:
    return st;
}

enum unseen_status us_batchnorm_new(struct unseen_device *device, size_t rows, int channels, bool relu,
                                    struct us_batchnorm **bn)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_batchnorm *b = NULL;
    if (channels < 1 || rows < 1)
        return us_fail(UNSEEN_USAGE, "batch norm", "%zu rows of %d channels", rows, channels);
    b = us_calloc(1, sizeof *b);
    US_TRY_ALLOC(b);
    b->device = device;
    b->rows = rows;
    b->channels = channels;
    b->relu = relu;
    b->vec = us_channel_vector(device, channels);
    b->tile = us_device_is_cpu(device) ? 4 : 1;
    while (channels / b->vec % b->tile)
        b->tile--;
    if (!us_device_is_cpu(device))
        b->group = us_sum_group(device, channels / b->vec, GPU_ACROSS);
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
    /* Not cut_rows(bn->rows): fewer rows may be cut into a few more blocks where blocks are rounded up. */
    const size_t blocks = ceil_div(bn->rows, least_block_rows(bn));
    return us_batchnorm_moments(bn, blocks < most_blocks(bn) ? blocks : most_blocks(bn));
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

static struct us_range channel_items(const struct us_batchnorm *bn, size_t times)
{
    return us_range_medium_items(bn->device, times * (size_t)(bn->channels / bn->vec));
}

static struct us_range groups(const struct us_batchnorm *bn, size_t blocks)
{
    const size_t columns = ceil_div((size_t)bn->channels, (size_t)(bn->group.across * bn->vec));
    return US_RANGE2L(blocks * (size_t)bn->group.items, columns, (size_t)bn->group.items, 1);
}

static struct us_range block_items(const struct us_batchnorm *bn, const struct cut *cut)
{
    return bn->group.items ? groups(bn, cut->blocks)
                           : us_range_large_items(
                                 bn->device, cut->blocks * (size_t)(bn->channels / (bn->vec * bn->tile)));
}

static struct us_range finish_items(const struct us_batchnorm *bn)
{
    return bn->group.items ? groups(bn, 1) : channel_items(bn, 1);
}

static struct us_range vector_items(const struct us_batchnorm *bn, size_t rows)
{
    return us_range_small_items(bn->device, rows * (size_t)(bn->channels / bn->vec));
}

static enum unseen_status apply(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                struct us_buf *residual, const struct us_batchnorm_params *params,
                                struct us_buf *mean, struct us_buf *invstd, struct us_buf *y)
{
    return us_run(bn->device, bn->apply, vector_items(bn, rows), "liibbbbbbb", (int64_t)rows, bn->channels,
                  (int)bn->relu, x, residual, mean, invstd, params->gamma, params->beta, y);
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
        US_TRY(us_run(bn->device, bn->moments_merge, channel_items(bn, merged), "iibl", bn->channels,
                      (int)blocks, moments, (int64_t)at));
    US_TRY(us_run(bn->device, bn->moments_finish, finish_items(bn), "liiblffbbbb", (int64_t)rows,
                  bn->channels, (int)(merged ? merged : blocks), moments, (int64_t)at, eps, momentum,
                  params->mean, params->invstd, params->running_mean, params->running_var));
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
    const struct cut cut = cut_rows(bn, rows);
    US_TRY(check_rows(bn, rows));
    US_TRY(us_run(bn->device, bn->moments, block_items(bn, &cut), "liiibb", (int64_t)rows, bn->channels,
                  (int)cut.block_rows, (int)cut.blocks, x, workspace));
    US_TRY(us_batchnorm_forward_moments(bn, rows, cut.blocks, workspace, x, residual, params, y));
out:
    return st;
}

enum unseen_status us_batchnorm_affine(struct us_batchnorm *bn, const struct us_batchnorm_params *params,
                                       struct us_buf *affine)
{
    return us_run(bn->device, bn->affine, channel_items(bn, 1), "ifbbbbb", bn->channels, eps,
                  params->running_mean, params->running_var, params->gamma, params->beta, affine);
}

enum unseen_status us_batchnorm_forward_eval(struct us_batchnorm *bn, size_t rows, struct us_buf *x,
                                             struct us_buf *residual,
                                             const struct us_batchnorm_params *params,
                                             struct us_buf *workspace, struct us_buf *y)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(check_rows(bn, rows));
    US_TRY(us_run(bn->device, bn->invstd, channel_items(bn, 1), "ifbb", bn->channels, eps,
                  params->running_var, workspace));
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
    US_TRY(
        us_copy(bn->device, params->running_mean, 0, params->mean, 0, (size_t)bn->channels * sizeof(float)));
    US_TRY(us_run(bn->device, bn->invstd, channel_items(bn, 1), "ifbb", bn->channels, eps,
                  params->running_var, params->invstd));
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
    const struct cut cut = cut_rows(bn, rows);
    struct us_buf *mask = dresidual ? y : NULL; /* without residual the kernels find it from x */
    size_t count = cut.blocks, at = 0;
    US_TRY(check_rows(bn, rows));
    US_TRY(us_run(bn->device, bn->sums, block_items(bn, &cut), "liiibbbbbbbb", (int64_t)rows, bn->channels,
                  (int)bn->relu, (int)cut.block_rows, dy, x, mask, params->mean, params->invstd,
                  params->gamma, params->beta, workspace));
    if (cut.merged) {
        at = partial_floats(bn, count);
        US_TRY(us_run(bn->device, bn->sums_merge, channel_items(bn, 2 * cut.merged), "iibl", bn->channels,
                      (int)count, workspace, (int64_t)at));
        count = cut.merged;
    }
    US_TRY(us_run(bn->device, bn->sums_finish, finish_items(bn), "iiblbbb", bn->channels, (int)count,
                  workspace, (int64_t)at, params->invstd, params->dgamma, params->dbeta));
    US_TRY(us_run(bn->device, bn->backward, vector_items(bn, rows), "liifbbbbbbbbbbbi", (int64_t)rows,
                  bn->channels, (int)bn->relu, params->frozen ? 0.0 : 1.0 / (double)rows, dy, x, mask,
                  params->mean, params->invstd, params->gamma, params->beta, params->dgamma, params->dbeta,
                  dx, dresidual, (int)accumulate_residual));
out:
    return st;
}
