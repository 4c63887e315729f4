#include "config.h"

#include "ops/conv/conv_algorithm.h"

#include <math.h>
#include <stdlib.h>

enum {
    FEW_PIXELS = 32,  /* ... that still pay for loading and storing a tile of dW */
    PB = 96,          /* pixels in a block of the weight gradient */
    CGROUP = 8,       /* most tiles of 16 output channels that a work-item of the weight gradient owns, */
    KGROUP = 36,      /* and most tiles of 16 k, */
    PGROUP = 2,       /* copied at a time; most of a group where cin is no multiple of 16 */
    ENOUGH_ITEMS = 64 /* work-items that keep the cores of a CPU evenly busy */
};

/* Register tiles of conv_gather, and the most that a work-item takes; few columns take many pixels, and where
 * registers hold 32 vectors. Rows of those of the weight gradient, which divide 16. */
struct tile {
    int pixels, vectors, most, rows;
};
static const struct tile narrow = {12, 1, 1, 16}, wide = {14, 2, 4, 16}, usual = {6, 1, 8, 4};

static struct tile tile_for(const struct us_conv *conv, int columns)
{
    if (!us_device_has_wide_registers(conv->device))
        return usual;
    return columns <= 16 ? narrow : wide;
}

/* What a panel holds: numbers in a block of k at most, which divides what 3x3 kernels over powers of two
 * need. */
struct panel {
    const char *options;
    int k;
    size_t number; /* bytes */
};
static const struct panel float32 = {"", 1152, 4}, bf16 = {" -DBF16", 576, 2};

struct direct {
    struct panel panel;
    struct us_kernel *pack, *gather; /* forward and data gradient */
    struct us_kernel *weights, *sum; /* weight gradient */
    bool by_place;
    int kgroup, cgroup, parts, share; /* how it is cut; share = pixels of a part */
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static enum unseen_status get(struct us_conv *conv, const struct direct *d, int columns, const char *name,
                              struct us_kernel **kernel)
{
    const struct tile tile = tile_for(conv, columns);
    char *options = us_format("-DP=%d -DV=%d -DR=%d -DTILES=%d -DKB=%d -DPB=%d -DPG=%d -DCG=%d%s",
                              tile.pixels, tile.vectors, tile.rows, tile.most, d->panel.k, (int)PB,
                              (int)PGROUP, (int)CGROUP, d->panel.options);
    if (!options)
        return UNSEEN_FAILED;
    enum unseen_status st = us_kernel_get(conv->device, "conv/conv_direct.cl", options, name, kernel);
    free(options);
    return st;
}

/* Share of a row's or column's taps that lie inside the image of `in` pixels, over `out` output pixels. */
static double inside(int out, int step, int offset, int taps, int in)
{
    double sum = 0.0;
    for (int o = 0; o < out; o++) {
        const int at = o * step + offset;
        const int first = at < 0 ? -at : 0, last = in - at < taps ? in - at : taps;
        sum += last > first ? last - first : 0;
    }
    return taps ? sum / ((double)out * taps) : 1.0;
}

/* Whether to go through the images a place at a time, which saves the taps in the border but fills tiles with
 * images only. It changes how sums are grouped, so it follows from the shape alone. */
static bool worth_by_place(int images, int tile, double used)
{
    const double filled = (double)images / (ceil_div(images, tile) * tile);
    return used / filled < 0.93;
}

/* How many vectors pass between a core and memory if the weight gradient is cut into so many groups of tiles:
 * dy once for each group of k, the patches once for each of co, and partial sums three times (filled, stored,
 * added). */
static double traffic(int pixels, int ktiles, int ctiles, int kgroups, int cgroups, int parts)
{
    return (double)pixels * kgroups * ctiles + (double)pixels * cgroups * ktiles +
           3.0 * 16.0 * parts * ktiles * ctiles;
}

/* Cut the weight gradient into enough work-items, where that costs least. The cut decides the order of
 * summation, so it must follow from the shape alone. */
static void cut_weights(const struct us_conv *conv, struct direct *d)
{
    const struct us_conv_shape *s = &conv->shape;
    const int ktiles = ceil_div(us_conv_depth(conv), 16), ctiles = ceil_div(s->cout, 16);
    const int pixels = s->n * conv->oh * conv->ow, blocks = ceil_div(pixels, PB);
    double least = INFINITY;
    int most = 0;
    for (int k = ceil_div(ktiles, s->cin % 16 ? PGROUP : KGROUP); k <= ktiles; k++)
        for (int c = ceil_div(ctiles, CGROUP); c <= ctiles; c++) {
            const int wanted = ceil_div(ENOUGH_ITEMS, k * c), parts = wanted < blocks ? wanted : blocks;
            const int items = parts < wanted ? k * c * parts : ENOUGH_ITEMS;
            const double cost = traffic(pixels, ktiles, ctiles, k, c, parts);
            if (items < most || (items == most && cost >= least))
                continue;
            most = items;
            least = cost;
            d->kgroup = ceil_div(ktiles, k);
            d->cgroup = ceil_div(ctiles, c);
            d->share = ceil_div(blocks, parts) * PB;
        }
    d->parts = ceil_div(pixels, d->share);
    d->by_place =
        s->cin % 16 == 0 && worth_by_place(s->n, FEW_PIXELS,
                                           inside(conv->oh, s->stride, -s->pad, s->kernel, s->h) *
                                               inside(conv->ow, s->stride, -s->pad, s->kernel, s->w));
}

static size_t packed_bytes(const struct us_conv *conv, const struct direct *d, int depth, int columns)
{
    const int width = 16 * tile_for(conv, columns).vectors;
    return (size_t)depth * us_round_up((size_t)columns, (size_t)width) * d->panel.number;
}

static enum unseen_status prepare(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    struct direct *d = us_calloc(1, sizeof *d);
    plan->state = d;
    US_TRY_ALLOC(d);
    d->panel = plan->algorithm->precision == UNSEEN_BF16 ? bf16 : float32;
    const int cin = s->cin, cout = s->cout, depth = us_conv_depth(conv);
    switch (direction) {
    case US_CONV_FORWARD:
        US_TRY(get(conv, d, cout, "conv_pack", &d->pack));
        US_TRY(get(conv, d, cout, "conv_gather", &d->gather));
        plan->workspace = packed_bytes(conv, d, depth, cout);
        break;
    case US_CONV_BWD_DATA:
        US_TRY(get(conv, d, cin, "conv_pack_transposed", &d->pack));
        US_TRY(get(conv, d, cin, "conv_gather", &d->gather));
        plan->workspace = packed_bytes(conv, d, s->kernel * s->kernel * cout, cin);
        break;
    default:
        US_TRY(get(conv, d, cout, "conv_weights", &d->weights)); /* the same for any tile */
        US_TRY(get(conv, d, cout, "conv_weights_sum", &d->sum));
        cut_weights(conv, d);
        plan->workspace =
            (size_t)ceil_div(depth, 16) * (size_t)ceil_div(cout, 16) * 256 * (size_t)d->parts * sizeof(float);
    }
out:
    return st;
}

static void release(struct us_conv_plan *plan)
{
    free(plan->state);
}

/* The arguments of conv_gather; see cl/conv/conv_direct.cl. */
struct gather {
    struct us_kernel *kernel;
    struct us_buf *in, *out;
    int n, rows, cols, step, off_y, off_x, taps_y, taps_x, ih, iw, ic, oh, ow, oc, ostep, oa, ob;
    bool accumulate;
    struct us_conv_epilogue epilogue;
};

/* How the pixels are spread over work-items. */
struct spread {
    bool by_place;
    int tiles, items, group; /* tiles: of a work-item */
};

/* Tiles a place of n images. */
static int count_tiles(const struct gather *g, const struct tile *tile, bool by_place, int n)
{
    return ceil_div(by_place ? n : n * g->rows * g->cols, tile->pixels);
}

/* `tiles` follows from the largest batch, so that fewer images never take more work-items. */
static struct spread spread(const struct us_conv *conv, const struct gather *g)
{
    const struct tile tile = tile_for(conv, g->oc);
    const int columns = ceil_div(g->oc, 16 * tile.vectors), most = conv->shape.n;
    struct spread s = {.group = columns};
    s.by_place = worth_by_place(most, tile.pixels,
                                inside(g->rows, g->step, g->off_y, g->taps_y, g->ih) *
                                    inside(g->cols, g->step, g->off_x, g->taps_x, g->iw));
    const int places = s.by_place ? g->rows * g->cols : 1;
    /* What tiles share is the way of B from memory, once for each of several columns. */
    s.tiles = columns == 1 ? 1 : count_tiles(g, &tile, s.by_place, most) * places / ENOUGH_ITEMS;
    s.tiles = s.tiles < 1 ? 1 : s.tiles > tile.most ? tile.most : s.tiles;
    s.items = ceil_div(count_tiles(g, &tile, s.by_place, g->n), s.tiles) * places;
    if (s.items < ENOUGH_ITEMS / 2)
        s.group = ceil_div(columns, ceil_div(ENOUGH_ITEMS / 2, s.items));
    return s;
}

static enum unseen_status gather(struct us_conv *conv, const struct gather *g, struct us_buf *packed)
{
    const struct spread s = spread(conv, g);
    const int columns = ceil_div(g->oc, 16 * tile_for(conv, g->oc).vectors);
    const struct us_conv_epilogue *e = &g->epilogue;
    const struct us_range range = US_RANGE2L((size_t)s.items, (size_t)ceil_div(columns, s.group), 1, 1);
    return us_run(conv->device, g->kernel, range, "bbbiiiiiiiiiiiiiiiiiiiiibbib", g->in, packed, g->out, g->n,
                  g->rows, g->cols, g->step, g->off_y, g->off_x, g->taps_y, g->taps_x, g->ih, g->iw, g->ic,
                  g->oh, g->ow, g->oc, g->ostep, g->oa, g->ob, (int)s.by_place, s.tiles, s.group,
                  (int)g->accumulate, e->affine, e->residual, (int)e->act, e->moments);
}

/* All of n images at once, as the forward pass needs it. */
static struct gather whole(const struct us_conv *conv, int n)
{
    const struct us_conv_shape *s = &conv->shape;
    return (struct gather){.n = n,
                           .rows = conv->oh,
                           .cols = conv->ow,
                           .step = s->stride,
                           .off_y = -s->pad,
                           .off_x = -s->pad,
                           .taps_y = s->kernel,
                           .taps_x = s->kernel,
                           .ih = s->h,
                           .iw = s->w,
                           .ic = s->cin,
                           .oh = conv->oh,
                           .ow = conv->ow,
                           .oc = s->cout,
                           .ostep = 1};
}

static int moment_blocks(const struct us_conv *conv, const struct us_conv_plan *plan, int n)
{
    (void)plan;
    const struct gather g = whole(conv, n);
    return spread(conv, &g).items;
}

static enum unseen_status forward(struct us_conv *conv, const struct us_conv_plan *plan,
                                  const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct direct *d = plan->state;
    const struct us_conv_shape *s = &conv->shape;
    const int depth = us_conv_depth(conv), columns = ceil_div(s->cout, 16 * tile_for(conv, s->cout).vectors);
    struct gather g = whole(conv, call->n);
    US_TRY(us_run(conv->device, d->pack, US_RANGE2L((size_t)ceil_div(depth, 16), (size_t)columns, 1, 1),
                  "bbii", call->other, call->work, depth, s->cout));
    g.kernel = d->gather;
    g.in = call->in;
    g.out = call->out;
    g.epilogue = call->epilogue;
    US_TRY(gather(conv, &g, call->work));
out:
    return st;
}

static enum unseen_status gather_residue(struct us_conv *conv, const struct direct *d, int a, int b,
                                         const struct us_conv_call *call, struct gather *g)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_conv_shape *s = &conv->shape;
    const struct us_conv_residue y = us_conv_residue_of(s, a, s->h), x = us_conv_residue_of(s, b, s->w);
    const int taps = y.taps * x.taps, columns = ceil_div(s->cin, 16 * tile_for(conv, s->cin).vectors);
    if (!y.count || !x.count || (!taps && g->accumulate))
        goto out;
    if (taps)
        US_TRY(us_run(conv->device, d->pack,
                      US_RANGE3L((size_t)taps, (size_t)ceil_div(s->cout, 16), (size_t)columns, 1, 1, 1),
                      "bbiiiiiii", call->other, call->work, s->kernel, s->cin, s->cout, s->stride, y.last,
                      x.last, x.taps));
    g->rows = y.count;
    g->cols = x.count;
    g->off_y = y.offset;
    g->off_x = x.offset;
    g->taps_y = taps ? y.taps : 0;
    g->taps_x = taps ? x.taps : 0;
    g->oa = a;
    g->ob = b;
    US_TRY(gather(conv, g, call->work));
out:
    return st;
}

static enum unseen_status backward_data(struct us_conv *conv, const struct us_conv_plan *plan,
                                        const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct direct *d = plan->state;
    const struct us_conv_shape *s = &conv->shape;
    struct gather g = {.kernel = d->gather,
                       .in = call->in,
                       .out = call->out,
                       .n = call->n,
                       .step = 1,
                       .ih = conv->oh,
                       .iw = conv->ow,
                       .ic = s->cout,
                       .oh = s->h,
                       .ow = s->w,
                       .oc = s->cin,
                       .ostep = s->stride,
                       .accumulate = call->accumulate};
    for (int a = 0; a < s->stride; a++)
        for (int b = 0; b < s->stride; b++)
            US_TRY(gather_residue(conv, d, a, b, call, &g));
out:
    return st;
}

static enum unseen_status backward_weights(struct us_conv *conv, const struct us_conv_plan *plan,
                                           const struct us_conv_call *call)
{
    enum unseen_status st = UNSEEN_OK;
    const struct direct *d = plan->state;
    const struct us_conv_shape *s = &conv->shape;
    const int depth = us_conv_depth(conv), ktiles = ceil_div(depth, 16), ctiles = ceil_div(s->cout, 16);
    const int parts = ceil_div(call->n * conv->oh * conv->ow, d->share);
    const size_t kgroups = (size_t)ceil_div(ktiles, d->kgroup), cgroups = (size_t)ceil_div(ctiles, d->cgroup);
    US_TRY(us_run(conv->device, d->weights, US_RANGE3L((size_t)parts, kgroups, cgroups, 1, 1, 1),
                  "bbbiiiiiiiiiiiiii", call->in, call->other, call->work, call->n, d->share, s->h, s->w,
                  s->cin, conv->oh, conv->ow, s->cout, s->kernel, s->stride, s->pad, (int)d->by_place,
                  d->kgroup, d->cgroup));
    US_TRY(us_run(conv->device, d->sum, US_RANGE2L((size_t)ktiles, (size_t)ctiles, 1, 1), "bbiii", call->work,
                  call->out, parts, depth, s->cout));
out:
    return st;
}

/* Panels hold whole vectors of one tap's channels in pairs. */
static bool suits_bf16(const struct us_conv_shape *shape, enum us_conv_direction direction)
{
    return direction != US_CONV_BWD_WEIGHTS && shape->cin % 16 == 0 && shape->cout % 16 == 0;
}

const struct us_conv_algorithm us_conv_direct = {.name = "direct",
                                                 .made_for = US_CONV_FOR_CPU,
                                                 .prepare = prepare,
                                                 .release = release,
                                                 .run = {forward, backward_data, backward_weights},
                                                 .moment_blocks = moment_blocks};

const struct us_conv_algorithm us_conv_direct_bf16 = {.name = "direct-bf16",
                                                      .made_for = US_CONV_FOR_CPU,
                                                      .precision = UNSEEN_BF16,
                                                      .usable = us_device_has_bf16,
                                                      .pays = us_device_bf16_pays,
                                                      .suits = suits_bf16,
                                                      .prepare = prepare,
                                                      .release = release,
                                                      .run = {forward, backward_data, backward_weights},
                                                      .moment_blocks = moment_blocks};
