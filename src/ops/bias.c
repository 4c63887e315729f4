#include "config.h"

#include "ops/bias.h"

#include <stdio.h>
#include <stdlib.h>

#include "ops/columns.h"

struct us_bias {
    struct unseen_device *device;
    size_t rows; /* the most */
    enum us_activation act;
    struct us_columns columns;
    struct us_kernel *forward, *backward, *finish;
};

static enum unseen_status get_kernels(struct us_bias *b)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_columns *c = &b->columns;
    char options[64];
    if (c->group.items)
        snprintf(options, sizeof options, "-DVEC=%d -DITEMS=%d -DACROSS=%d", c->vec, c->group.items,
                 c->group.across);
    else
        snprintf(options, sizeof options, "-DVEC=%d -DTILE=%d", c->vec, c->tile);
    US_TRY(us_kernel_get(b->device, "bias.cl", options, "bias_forward", &b->forward));
    US_TRY(us_kernel_get(b->device, "bias.cl", options, "bias_backward", &b->backward));
    US_TRY(us_kernel_get(b->device, "bias.cl", options, "bias_finish", &b->finish));
out:
    return st;
}

enum unseen_status us_bias_new(struct unseen_device *device, size_t rows, int channels,
                               enum us_activation act, struct us_bias **bias)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_bias *b = NULL;
    if (channels < 1 || rows < 1)
        return us_fail(UNSEEN_USAGE, "bias", "%zu rows of %d channels", rows, channels);
    b = us_calloc(1, sizeof *b);
    US_TRY_ALLOC(b);
    b->device = device;
    b->rows = rows;
    b->act = act;
    b->columns = us_columns_of(device, channels);
    US_TRY(get_kernels(b));
    *bias = b;
    b = NULL;
out:
    us_bias_free(b);
    return st;
}

void us_bias_free(struct us_bias *bias)
{
    free(bias);
}

size_t us_bias_workspace(const struct us_bias *b)
{
    return us_columns_most_blocks(&b->columns, b->rows) * (size_t)b->columns.channels * sizeof(float);
}

static enum unseen_status check_rows(const struct us_bias *b, size_t rows)
{
    if (rows < 1 || rows > b->rows)
        return us_fail(UNSEEN_USAGE, "bias", "%zu rows where it was made for 1 to %zu", rows, b->rows);
    return UNSEEN_OK;
}

enum unseen_status us_bias_forward(struct us_bias *b, size_t rows, struct us_buf *x, struct us_buf *values,
                                   struct us_buf *y)
{
    const enum unseen_status st = check_rows(b, rows);
    return st ? st
              : us_run(b->device, b->forward, us_columns_vectors(&b->columns, rows), "liibbb", (int64_t)rows,
                       b->columns.channels, (int)b->act, x, values, y);
}

enum unseen_status us_bias_backward(struct us_bias *b, size_t rows, struct us_buf *dy, struct us_buf *x,
                                    struct us_buf *values, struct us_buf *workspace, struct us_buf *dvalues,
                                    bool accumulate, struct us_buf *dx)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_cut cut = us_columns_cut(&b->columns, rows);
    const int channels = b->columns.channels;
    US_TRY(check_rows(b, rows));
    US_TRY(us_run(b->device, b->backward, us_columns_blocks(&b->columns, cut.blocks), "liiibbbbib",
                  (int64_t)rows, channels, (int)b->act, (int)cut.block_rows, dy, x, values, dx,
                  (int)accumulate, workspace));
    US_TRY(us_run(b->device, b->finish, us_columns_finish(&b->columns), "iibb", channels, (int)cut.blocks,
                  workspace, dvalues));
out:
    return st;
}
