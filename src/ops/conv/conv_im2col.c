#include "config.h"

#include "ops/conv/conv_algorithm.h"
#include "ops/gemm.h"

#include <limits.h>
#include <stdlib.h>

enum { GROUP = 256, COLUMNS_BYTES = 64 << 20 };

struct im2col {
    struct us_kernel *im2col, *col2im;
    int images; /* whose columns the workspace holds at a time */
    bool plain; /* 1x1, stride 1: x is its own columns */
};

static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    struct im2col *d = us_calloc(1, sizeof *d);
    plan->state = d;
    US_TRY_ALLOC(d);
    d->plain = s->kernel == 1 && s->stride == 1 && s->pad == 0;
    const double image = (double)conv->oh * conv->ow * us_conv_depth(conv);
    const double input = (double)s->h * s->w * s->cin;
    if (image > INT_MAX - GROUP || input > INT_MAX - GROUP) {
        st = us_fail(UNSEEN_USAGE, "convolution", "an image of %dx%dx%d is too large for im2col", s->h, s->w,
                     s->cin);
        goto out;
    }
    /* As many images as fit; element indices are int in the kernels. */
    double images = (double)COLUMNS_BYTES / sizeof(float) / image;
    if (images * input > INT_MAX - GROUP)
        images = (INT_MAX - GROUP) / input;
    d->images = images < 1 ? 1 : images > s->n ? s->n : (int)images;
    if (!d->plain)
        plan->workspace = (size_t)d->images * (size_t)image * sizeof(float);
    if (direction == US_CONV_BWD_DATA)
        US_TRY(us_kernel_get(conv->device, "conv/im2col.cl", "", "col2im", &d->col2im));
    else
        US_TRY(us_kernel_get(conv->device, "conv/im2col.cl", "", "im2col", &d->im2col));
out:
    return st;
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

/* Images first .. first + n, as the calls below go through them. */
struct chunk {
    int n;
    size_t rows;                  /* of the column matrix */
    size_t x_offset, y_offset;    /* in floats */
    struct us_buf *columns;       /* x or dx itself if plain */
    size_t columns_offset, depth; /* of the columns; floats a row */
};

static int chunk_images(const struct im2col *d, int n)
{
    return d->plain ? n : d->images;
}

static struct chunk chunk_at(const struct us_conv *conv, const struct im2col *d, int first, int n,
                             struct us_buf *x, struct us_buf *work)
{
    const struct us_conv_shape *s = &conv->shape;
    const int most = chunk_images(d, n);
    struct chunk c = {.n = n - first < most ? n - first : most};
    const size_t pixels = (size_t)conv->oh * (size_t)conv->ow;
    c.rows = (size_t)c.n * pixels;
    c.x_offset = (size_t)first * (size_t)s->h * (size_t)s->w * (size_t)s->cin;
    c.y_offset = (size_t)first * pixels * (size_t)s->cout;
    c.depth = (size_t)us_conv_depth(conv);
    c.columns = d->plain ? x : work;
    c.columns_offset = d->plain ? c.x_offset : 0;
    return c;
}

static enum unseen_status fill_columns(struct us_conv *conv, const struct im2col *d, const struct chunk *c,
                                       struct us_buf *x)
{
    const struct us_conv_shape *s = &conv->shape;
    const size_t total = c->rows * c->depth;
    if (d->plain)
        return UNSEEN_OK;
    return us_run(conv->device, d->im2col, US_RANGE1L(us_round_up(total, GROUP), GROUP), "bbliiiiiiiii", x,
                  c->columns, (int64_t)c->x_offset, (int)total, s->h, s->w, s->cin, conv->oh, conv->ow,
                  s->kernel, s->stride, s->pad);
}

static enum unseen_status gather_columns(struct us_conv *conv, const struct im2col *d, const struct chunk *c,
                                         bool accumulate, struct us_buf *dx)
{
    const struct us_conv_shape *s = &conv->shape;
    const size_t total = (size_t)c->n * (size_t)s->h * (size_t)s->w * (size_t)s->cin;
    if (d->plain)
        return UNSEEN_OK;
    return us_run(conv->device, d->col2im, US_RANGE1L(us_round_up(total, GROUP), GROUP), "bbliiiiiiiiii",
                  c->columns, dx, (int64_t)c->x_offset, (int)total, s->h, s->w, s->cin, conv->oh, conv->ow,
                  s->kernel, s->stride, s->pad, (int)accumulate);
}

static enum unseen_status forward(struct us_conv *conv, const struct us_conv_plan *plan,
                                  const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct im2col *d = plan->state;
    const size_t cout = (size_t)conv->shape.cout;
    for (int i = 0; i < call->n; i += chunk_images(d, call->n)) {
        const struct chunk c = chunk_at(conv, d, i, call->n, call->in, call->work);
        US_TRY(fill_columns(conv, d, &c, call->in));
        const struct us_gemm g = {.m = c.rows,
                                  .n = cout,
                                  .k = c.depth,
                                  .a = c.columns,
                                  .a_offset = c.columns_offset,
                                  .lda = c.depth,
                                  .b = call->other,
                                  .ldb = cout,
                                  .c = call->out,
                                  .c_offset = c.y_offset,
                                  .ldc = cout};
        US_TRY(us_gemm_run(conv->device, &g));
    }
out:
    return st;
}

static enum unseen_status backward_data(struct us_conv *conv, const struct us_conv_plan *plan,
                                        const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct im2col *d = plan->state;
    const size_t cout = (size_t)conv->shape.cout;
    for (int i = 0; i < call->n; i += chunk_images(d, call->n)) {
        const struct chunk c = chunk_at(conv, d, i, call->n, call->out, call->work);
        const struct us_gemm g = {.transpose_b = true,
                                  .m = c.rows,
                                  .n = c.depth,
                                  .k = cout,
                                  .a = call->in,
                                  .a_offset = c.y_offset,
                                  .lda = cout,
                                  .b = call->other,
                                  .ldb = cout,
                                  .c = c.columns,
                                  .c_offset = c.columns_offset,
                                  .ldc = c.depth,
                                  .beta = d->plain && call->accumulate ? 1.0f : 0.0f};
        US_TRY(us_gemm_run(conv->device, &g));
        US_TRY(gather_columns(conv, d, &c, call->accumulate, call->out));
    }
out:
    return st;
}

static enum unseen_status backward_weights(struct us_conv *conv, const struct us_conv_plan *plan,
                                           const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct im2col *d = plan->state;
    const size_t cout = (size_t)conv->shape.cout;
    for (int i = 0; i < call->n; i += chunk_images(d, call->n)) {
        const struct chunk c = chunk_at(conv, d, i, call->n, call->in, call->work);
        US_TRY(fill_columns(conv, d, &c, call->in));
        const struct us_gemm g = {.transpose_a = true,
                                  .m = c.depth,
                                  .n = cout,
                                  .k = c.rows,
                                  .a = c.columns,
                                  .a_offset = c.columns_offset,
                                  .lda = c.depth,
                                  .b = call->other,
                                  .b_offset = c.y_offset,
                                  .ldb = cout,
                                  .c = call->out,
                                  .ldc = cout,
                                  .beta = i ? 1.0f : 0.0f};
        US_TRY(us_gemm_run(conv->device, &g));
    }
out:
    return st;
}

const struct us_conv_algorithm us_conv_im2col = {.name = "im2col",
                                                 .prepare = prepare,
                                                 .release = release,
                                                 .run = {forward, backward_data, backward_weights}};
