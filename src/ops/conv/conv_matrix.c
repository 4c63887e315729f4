#include "config.h"

#include "ops/conv/conv_algorithm.h"

#include <stdlib.h>

#include "device/matrix.h"
#include "ops/launch.h"

enum {
    MULTIPLE = 16,      /* of channels */
    ENOUGH_GROUPS = 64, /* work-groups of a weight gradient that keep the cores of a CPU evenly busy */
    GROUPS_A_UNIT = 4,  /* of a GPU's compute units */
    LEAST_STEPS = 8,    /* of the reduction, for a part of its own */
    CHUNK_BYTES = 16
};

struct matrix {
    struct us_kernel *narrow, *narrow_transposed, *gather, *weights, *sum;
    const struct us_matrix_unit *unit;
    const struct us_matrix_tile *tile;
    int step;         /* of the reduction */
    int chunk;        /* numbers in CHUNK_BYTES */
    int share, parts; /* pixels of a part of the weight gradient; WEIGHTS only */
    int other, sums;  /* where the second operand and the parts' sums begin in the workspace, in chunks */
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static bool suits(const struct us_conv_shape *s, enum us_conv_direction direction)
{
    (void)direction;
    /* Kernels count chunks, of four numbers at least, in int. */
    const double x = (double)s->n * s->h * s->w * s->cin, y = (double)s->n * s->h * s->w * s->cout;
    return s->cin % MULTIPLE == 0 && s->cout % MULTIPLE == 0 && x < 4e9 && y < 4e9;
}

/* The large tile where it leaves no compute unit idle, and fits local memory. */
static const struct us_matrix_tile *choose_tile(const struct us_conv *conv, const struct us_matrix_unit *unit,
                                                double rows, int columns)
{
    const struct us_matrix_tile *large = &unit->large;
    const struct unseen_device_info *about = unseen_device_info(conv->device);
    const double tiles = rows / large->m * ceil_div(columns, large->n);
    const bool fits = us_matrix_local(unit, conv->shape.precision, large) <= about->local_bytes;
    return fits && tiles >= about->compute_units ? large : &unit->small;
}

static enum unseen_status get(struct us_conv *conv, const struct matrix *m, bool by_k, const char *name,
                              struct us_kernel **kernel)
{
    char options[US_MATRIX_OPTIONS];
    us_matrix_options(m->unit, conv->shape.precision, m->tile, m->step, by_k, options);
    return us_kernel_get(conv->device, "conv/conv_matrix.cl", options, name, kernel);
}

/* How the pixels are shared among parts. It decides the order of summation, so it follows from the shape and
 * the device alone. */
static void share_pixels(const struct us_conv *conv, struct matrix *m)
{
    const struct us_conv_shape *s = &conv->shape;
    const int tiles = ceil_div(us_conv_depth(conv), m->tile->m) * ceil_div(s->cout, m->tile->n);
    const int pixels = s->n * conv->oh * conv->ow;
    const int units = (int)unseen_device_info(conv->device)->compute_units;
    const int groups = us_device_is_cpu(conv->device) ? ENOUGH_GROUPS : units * GROUPS_A_UNIT;
    int parts = ceil_div(groups, tiles);
    if (parts > ceil_div(pixels, m->step * LEAST_STEPS))
        parts = ceil_div(pixels, m->step * LEAST_STEPS);
    m->share = (int)us_round_up((size_t)ceil_div(pixels, parts), (size_t)m->step);
    m->parts = ceil_div(pixels, m->share);
}

static enum unseen_status prepare_gather(struct us_conv *conv, enum us_conv_direction direction,
                                         struct us_conv_plan *plan, struct matrix *m)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const bool data = direction == US_CONV_BWD_DATA;
    const size_t pixels = data ? (size_t)s->n * (size_t)conv->oh * (size_t)conv->ow
                               : (size_t)s->n * (size_t)s->h * (size_t)s->w;
    const int reduced = data ? s->cout : s->cin;
    const double rows =
        data ? (double)s->n * s->h * s->w / s->stride / s->stride : (double)s->n * conv->oh * conv->ow;
    m->step = reduced % 32 == 0 ? us_matrix_step(s->precision) : 16;
    m->tile = choose_tile(conv, m->unit, rows, data ? s->cin : s->cout);
    m->other = (int)(pixels * (size_t)reduced / (size_t)m->chunk);
    plan->workspace =
        ((size_t)m->other + (size_t)us_conv_depth(conv) * (size_t)s->cout / (size_t)m->chunk) * CHUNK_BYTES;
    US_TRY(get(conv, m, false, "conv_narrow", &m->narrow));
    if (data)
        US_TRY(get(conv, m, false, "conv_narrow_transposed", &m->narrow_transposed));
    US_TRY(get(conv, m, false, "matrix_gather", &m->gather));
out:
    return st;
}

static enum unseen_status prepare_weights(struct us_conv *conv, struct us_conv_plan *plan, struct matrix *m)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const size_t pixels = (size_t)s->n * (size_t)conv->oh * (size_t)conv->ow;
    const size_t x = (size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->cin;
    const size_t weights = (size_t)us_conv_depth(conv) * (size_t)s->cout;
    m->step = us_matrix_step(s->precision);
    m->tile = choose_tile(conv, m->unit, (double)us_conv_depth(conv), s->cout);
    share_pixels(conv, m);
    m->other = (int)(x / (size_t)m->chunk);
    m->sums = (int)((x + pixels * (size_t)s->cout) / (size_t)m->chunk);
    plan->workspace = (size_t)m->sums * CHUNK_BYTES;
    if (m->parts > 1)
        plan->workspace += (size_t)m->parts * weights * sizeof(float);
    US_TRY(get(conv, m, false, "conv_narrow", &m->narrow));
    US_TRY(get(conv, m, false, "matrix_sum", &m->sum));
    US_TRY(get(conv, m, true, "matrix_weights", &m->weights));
out:
    return st;
}

static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    struct matrix *m = us_calloc(1, sizeof *m);
    plan->state = m;
    US_TRY_ALLOC(m);
    US_TRY(us_matrix_find(conv->device, conv->shape.precision, &m->unit));
    m->chunk = conv->shape.precision == UNSEEN_TF32 ? 4 : 8;
    if (direction == US_CONV_BWD_WEIGHTS)
        US_TRY(prepare_weights(conv, plan, m));
    else
        US_TRY(prepare_gather(conv, direction, plan, m));
out:
    return st;
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

static enum unseen_status narrow(struct us_conv *conv, const struct matrix *m, struct us_buf *from,
                                 struct us_buf *work, int begin, int chunks)
{
    return us_run(conv->device, m->narrow, us_range_small_items(conv->device, (size_t)chunks), "bbii", from,
                  work, begin, chunks);
}

static size_t group(const struct matrix *m)
{
    return (size_t)(m->tile->teams_m * m->tile->teams_n * m->unit->lanes);
}

/* The arguments of matrix_gather that differ between directions and residues. */
struct gather {
    int ih, iw, ic, step, off_y, off_x, count_y, count_x, tap0, tap_y, tap_x;
    int gh, gw, h, w, oc, ostep, oa, ob;
    bool accumulate;
};

static enum unseen_status gather(struct us_conv *conv, const struct matrix *m,
                                 const struct us_conv_call *call, const struct gather *g)
{
    const int rows = call->n * g->gh * g->gw;
    const struct us_range range = US_RANGE2L((size_t)ceil_div(rows, m->tile->m) * group(m),
                                             (size_t)ceil_div(g->oc, m->tile->n), group(m), 1);
    const struct us_conv_epilogue *e = &call->epilogue;
    return us_run(conv->device, m->gather, range, "bbiiiiiiiiiiiiiiiiiiiiiiibbib", call->work, call->out, 0,
                  m->other, call->n, g->ih, g->iw, g->ic, g->step, g->off_y, g->off_x, g->count_y, g->count_x,
                  g->tap0, g->tap_y, g->tap_x, g->gh, g->gw, g->h, g->w, g->oc, g->ostep, g->oa, g->ob,
                  (int)g->accumulate, e->affine, e->residual, (int)e->act, e->moments);
}

static enum unseen_status forward(struct us_conv *conv, const struct us_conv_plan *plan,
                                  const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct matrix *m = plan->state;
    const struct us_conv_shape *s = &conv->shape;
    const struct gather g = {.ih = s->h,
                             .iw = s->w,
                             .ic = s->cin,
                             .step = s->stride,
                             .off_y = -s->pad,
                             .off_x = -s->pad,
                             .count_y = s->kernel,
                             .count_x = s->kernel,
                             .tap_y = s->kernel,
                             .tap_x = 1,
                             .gh = conv->oh,
                             .gw = conv->ow,
                             .h = conv->oh,
                             .w = conv->ow,
                             .oc = s->cout,
                             .ostep = 1};
    US_TRY(narrow(conv, m, call->in, call->work, 0, call->n * s->h * s->w * (s->cin / m->chunk)));
    US_TRY(narrow(conv, m, call->other, call->work, m->other, us_conv_depth(conv) * (s->cout / m->chunk)));
    US_TRY(gather(conv, m, call, &g));
out:
    return st;
}

static enum unseen_status backward_data(struct us_conv *conv, const struct us_conv_plan *plan,
                                        const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct matrix *m = plan->state;
    const struct us_conv_shape *s = &conv->shape;
    const int weights = us_conv_depth(conv) * (s->cout / m->chunk);
    US_TRY(narrow(conv, m, call->in, call->work, 0, call->n * conv->oh * conv->ow * (s->cout / m->chunk)));
    US_TRY(us_run(conv->device, m->narrow_transposed, us_range_small_items(conv->device, (size_t)weights),
                  "bbiiii", call->other, call->work, m->other, weights, s->cin, s->cout));
    for (int i = 0; i < s->stride * s->stride; i++) {
        const struct us_conv_residue y = us_conv_residue_of(s, i / s->stride, s->h),
                                     x = us_conv_residue_of(s, i % s->stride, s->w);
        const struct gather g = {.ih = conv->oh,
                                 .iw = conv->ow,
                                 .ic = s->cout,
                                 .step = 1,
                                 .off_y = y.offset,
                                 .off_x = x.offset,
                                 .count_y = y.taps,
                                 .count_x = x.taps,
                                 .tap0 = y.last * s->kernel + x.last,
                                 .tap_y = -s->stride * s->kernel,
                                 .tap_x = -s->stride,
                                 .gh = y.count,
                                 .gw = x.count,
                                 .h = s->h,
                                 .w = s->w,
                                 .oc = s->cin,
                                 .ostep = s->stride,
                                 .oa = i / s->stride,
                                 .ob = i % s->stride,
                                 .accumulate = call->accumulate};
        US_TRY(gather(conv, m, call, &g));
    }
out:
    return st;
}

static enum unseen_status backward_weights(struct us_conv *conv, const struct us_conv_plan *plan,
                                           const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct matrix *m = plan->state;
    const struct us_conv_shape *s = &conv->shape;
    const int depth = us_conv_depth(conv), pixels = call->n * conv->oh * conv->ow;
    const int parts = ceil_div(pixels, m->share);
    const struct us_range range =
        US_RANGE3L((size_t)ceil_div(depth, m->tile->m) * group(m), (size_t)ceil_div(s->cout, m->tile->n),
                   (size_t)parts, group(m), 1, 1);
    US_TRY(narrow(conv, m, call->in, call->work, 0, call->n * s->h * s->w * (s->cin / m->chunk)));
    US_TRY(narrow(conv, m, call->other, call->work, m->other, pixels * (s->cout / m->chunk)));
    US_TRY(us_run(conv->device, m->weights, range, "bbiiiiiiiiiiiiii", call->work,
                  parts > 1 ? call->work : call->out, parts > 1 ? m->sums : 0, 0, m->other, call->n, s->h,
                  s->w, s->cin, s->kernel, s->stride, s->pad, conv->oh, conv->ow, s->cout, m->share));
    if (parts > 1)
        US_TRY(us_run(conv->device, m->sum,
                      us_range_small_items(conv->device, (size_t)depth * (size_t)s->cout), "bbiii",
                      call->work, call->out, m->sums, parts, depth * s->cout));
out:
    return st;
}

/* A row of tiles is a block. */
static int moment_blocks(const struct us_conv *conv, const struct us_conv_plan *plan, int n)
{
    return ceil_div(n * conv->oh * conv->ow, ((const struct matrix *)plan->state)->tile->m);
}

const struct us_conv_algorithm us_conv_matrix_f16 = {.name = "matrix-f16",
                                                     .precision = UNSEEN_F16,
                                                     .suits = suits,
                                                     .prepare = prepare,
                                                     .release = release,
                                                     .run = {forward, backward_data, backward_weights},
                                                     .moment_blocks = moment_blocks};

const struct us_conv_algorithm us_conv_matrix_bf16 = {.name = "matrix-bf16",
                                                      .precision = UNSEEN_BF16,
                                                      .suits = suits,
                                                      .prepare = prepare,
                                                      .release = release,
                                                      .run = {forward, backward_data, backward_weights},
                                                      .moment_blocks = moment_blocks};

const struct us_conv_algorithm us_conv_matrix_tf32 = {.name = "matrix-tf32",
                                                      .precision = UNSEEN_TF32,
                                                      .suits = suits,
                                                      .prepare = prepare,
                                                      .release = release,
                                                      .run = {forward, backward_data, backward_weights},
                                                      .moment_blocks = moment_blocks};
