#include "config.h"

#include "ops/conv/conv_tile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    LARGEST = 1024,         /* of a tile's sides */
    LONGER = 4,             /* floats that a row of local memory is longer than the tile */
    ADDRESSES = 24,         /* registers for what is neither a sum nor an operand */
    ENOUGH_GROUPS = 512,    /* that keep a large GPU busy */
    LEAST_STEPS = 16,       /* of a part, which must pay for adding it up */
    PARTS_BYTES = 128 << 20 /* most for all parts */
};

/* What a local load costs, in multiply-adds: a work-item's tile decides how many share one. */
static const double local_load = 4.0;

static const struct choice {
    const char *vendor, *name;
    struct us_conv_tile tile;
} choices[] = {
#define US_CONV_GPU(...)
#define US_CONV_TILE(vendor, name, ...) {vendor, name, {__VA_ARGS__}},
#include "ops/conv/conv_tiles.def"
#undef US_CONV_GPU
#undef US_CONV_TILE
};
enum { CHOICES = sizeof choices / sizeof *choices };

static const struct limits {
    const char *vendor;
    int registers, units;
} limits[] = {
#define US_CONV_GPU(...) {__VA_ARGS__},
#define US_CONV_TILE(...)
#include "ops/conv/conv_tiles.def"
#undef US_CONV_GPU
#undef US_CONV_TILE
};

static const struct limits *limits_of(const struct unseen_device *device)
{
    const struct limits *l = limits;
    while (!strstr(unseen_device_info(device)->vendor, l->vendor))
        l++; /* the last one applies always */
    return l;
}

/* The widest loads of an operand of `rows` x bk that give each of `items` work-items the same number of them,
 * all in one column of vectors; 0: there are none. */
static int load_width(int rows, int bk, int items, int channels, bool along_k)
{
    for (int width = 4; width > 0; width /= 2) {
        const int along = along_k ? bk : rows;
        if (channels % width == 0 && along % width == 0 && rows * bk % (width * items) == 0 &&
            items % (along / width) == 0)
            return width;
    }
    return 0;
}

bool us_conv_tile_legal(const struct unseen_device *device, const struct us_conv_product *p,
                        const struct us_conv_tile *t, struct us_conv_tiling *tiling)
{
    const struct unseen_device_info *about = unseen_device_info(device);
    if (t->bm < 1 || t->bn < 1 || t->bk < 1 || t->tm < 1 || t->tn < 1 || t->bm % t->tm || t->bn % t->tn ||
        t->bm % 4 || t->bn % 4 || t->bm > LARGEST || t->bn > LARGEST || t->bk > LARGEST)
        return false;
    const int items = us_conv_tile_items(t);
    const size_t local = 2 * sizeof(float) * (size_t)t->bk * (size_t)(t->bm + t->bn + 2 * LONGER);
    const int scratch = items * 4; /* floats that the sums of columns take in its place */
    if ((size_t)items > about->max_group || local > about->local_bytes ||
        sizeof(float) * (size_t)scratch > local)
        return false;
    *tiling = (struct us_conv_tiling){*t, load_width(t->bm, t->bk, items, p->a_channels, p->a_along_k),
                                      load_width(t->bn, t->bk, items, p->b_channels, p->b_along_k)};
    if (p->a_along_k && p->b_along_k) /* which go through k in step */
        tiling->va = tiling->vb = tiling->va < tiling->vb ? tiling->va : tiling->vb;
    if (!tiling->va || !tiling->vb)
        return false;
    const int loaded = (t->bm + t->bn) * t->bk / items, patches = t->bm * t->bk / (tiling->va * items);
    return t->tm * t->tn + t->tm + t->tn + loaded + 3 * patches + ADDRESSES <= limits_of(device)->registers;
}

static double count_tiles(const struct us_conv_product *p, const struct us_conv_tile *t)
{
    return ceil(p->m / t->bm) * ceil(p->n / t->bn) * p->times;
}

int us_conv_tile_parts(const struct us_conv_product *p, const struct us_conv_tile *t)
{
    const double fit = floor(PARTS_BYTES / (p->m * p->n * p->times * sizeof(float)));
    const double worth = ceil(ceil(p->k / t->bk) / LEAST_STEPS);
    return (int)fmax(fmin(ceil(ENOUGH_GROUPS / count_tiles(p, t)), fmin(fit, worth)), 1.0);
}

/* Multiply-adds that one of the device's units does after another, for each k: those of a tile's overhang
 * among them, with what its local loads cost. */
static double estimate(const struct unseen_device *device, const struct us_conv_product *p,
                       const struct us_conv_tile *t)
{
    const double units = (double)unseen_device_info(device)->compute_units / limits_of(device)->units;
    const double parts = us_conv_tile_parts(p, t),
                 rounds = ceil(count_tiles(p, t) * parts / fmax(units, 1.0));
    return rounds / parts * t->bm * t->bn * (1.0 + local_load / t->tm + local_load / t->tn);
}

/* The next legal choice for the device from `*at` on, which moves behind it. */
static bool next(const struct unseen_device *device, const struct us_conv_product *p, int *at,
                 struct us_conv_tiling *tiling)
{
    const struct unseen_device_info *about = unseen_device_info(device);
    while (*at < CHOICES) {
        const struct choice *c = &choices[(*at)++];
        if (strstr(about->vendor, c->vendor) && strstr(about->name, c->name) &&
            us_conv_tile_legal(device, p, &c->tile, tiling))
            return true;
    }
    return false;
}

/* The lowest estimate; infinite where no tile is legal. */
static double find_best(const struct unseen_device *device, const struct us_conv_product *p,
                        struct us_conv_tiling *tiling)
{
    struct us_conv_tiling legal;
    double best = (double)INFINITY;
    for (int at = 0; next(device, p, &at, &legal);) {
        const double cost = estimate(device, p, &legal.tile);
        if (cost < best) {
            best = cost;
            *tiling = legal;
        }
    }
    return best;
}

enum unseen_status us_conv_tile_usual(const struct unseen_device *device, const struct us_conv_product *p,
                                      struct us_conv_tiling *tiling)
{
    if (find_best(device, p, tiling) < (double)INFINITY)
        return UNSEEN_OK;
    return us_fail(UNSEEN_FAILED, "convolution",
                   "%s has neither the local memory nor the work-group size for a tile",
                   unseen_device_info(device)->name);
}

bool us_conv_tile_offer(const struct unseen_device *device, const struct us_conv_product *p, int i,
                        struct us_conv_tile *tile)
{
    struct us_conv_tiling legal;
    const double most = 3.0 * find_best(device, p, &legal);
    for (int at = 0; next(device, p, &at, &legal);) {
        if (estimate(device, p, &legal.tile) <= most && i-- == 0) {
            *tile = legal.tile;
            return true;
        }
    }
    return false;
}

void us_conv_tile_write(const struct us_conv_tile *t, char text[US_CONV_NAME])
{
    snprintf(text, US_CONV_NAME, "%dx%dx%d/%dx%d", t->bm, t->bn, t->bk, t->tm, t->tn);
}

bool us_conv_tile_read(const char *text, struct us_conv_tile *t)
{
    char again[US_CONV_NAME];
    if (sscanf(text, "%dx%dx%d/%dx%d", &t->bm, &t->bn, &t->bk, &t->tm, &t->tn) != 5)
        return false;
    us_conv_tile_write(t, again);
    return strcmp(text, again) == 0;
}
