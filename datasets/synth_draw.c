#include "config.h"

#include "datasets/synth_draw.h"

#include <stdlib.h>

#include "base/rng.h"

/* Fixed point: coordinates and sines have 12 fraction bits. The picture spans [-ONE, ONE] both ways; a shape
 * lies in [-ONE, ONE] of its own frame. Colours are 0..255. */
enum { ONE = 4096, MAX_LAYERS = 10 };

/* Draws of one item: the words of its Philox blocks one after the other. */
struct draws {
    uint64_t seed, item;
    uint32_t block;
    uint32_t words[4];
    int left;
};

static uint32_t draw(struct draws *draws)
{
    if (draws->left == 0) {
        us_philox(draws->seed, US_STREAM_SYNTH, draws->block++, draws->item, draws->words);
        draws->left = 4;
    }
    return draws->words[--draws->left];
}

/* Uniform in low..high. */
static int32_t between(struct draws *draws, int32_t low, int32_t high)
{
    return low + (int32_t)(((uint64_t)draw(draws) * (uint64_t)(high - low + 1)) >> 32);
}

struct colour {
    int32_t c[3];
};

/* A shape somewhere in the picture. */
struct layer {
    int shape, texture;
    int32_t x, y, radius; /* of the centre, in the picture's frame */
    int32_t cosine, sine; /* of its turn */
    int32_t opacity;      /* 0..256 */
    struct colour fill, second;
};

struct scene {
    struct colour corner, across; /* background: from the top left to the bottom right */
    struct layer layers[MAX_LAYERS];
    int n;
    int32_t noise; /* standard deviation */
};

/* Hue in 0..1535 (six times 256), saturation and value in 0..255. */
static struct colour from_hsv(int32_t hue, int32_t saturation, int32_t value)
{
    int32_t sector = hue / 256 % 6, part = hue % 256;
    int32_t low = value * (255 - saturation) / 255;
    int32_t rising = low + (value - low) * part / 256, falling = value - (value - low) * part / 256;
    switch (sector) {
    case 0:
        return (struct colour){{value, rising, low}};
    case 1:
        return (struct colour){{falling, value, low}};
    case 2:
        return (struct colour){{low, value, rising}};
    case 3:
        return (struct colour){{low, falling, value}};
    case 4:
        return (struct colour){{rising, low, value}};
    default:
        return (struct colour){{value, low, falling}};
    }
}

static struct colour mix(struct colour a, struct colour b, int32_t part_of_b)
{
    struct colour out;
    for (int c = 0; c < 3; c++)
        out.c[c] = a.c[c] + (b.c[c] - a.c[c]) * part_of_b / 256;
    return out;
}

/* Is (u, v) inside? Each outline differs from every other's mirror image: training flips images. */
static bool inside(int shape, int32_t u, int32_t v)
{
    int32_t across = abs(u), down = abs(v);
    int64_t square = (int64_t)u * u + (int64_t)v * v;
    const int64_t unit = (int64_t)ONE * ONE;
    switch (shape) {
    case 0: /* disc */
        return square * 100 <= unit * 64;
    case 1: /* square */
        return across * 100 <= ONE * 72 && down * 100 <= ONE * 72;
    case 2: /* triangle */
        return v * 100 <= ONE * 65 && across * 170 <= (v + ONE * 85 / 100) * 100;
    case 3: /* plus */
        return (across * 100 <= ONE * 24 && down * 100 <= ONE * 85) ||
               (down * 100 <= ONE * 24 && across * 100 <= ONE * 85);
    case 4: /* ring */
        return square * 100 <= unit * 76 && square * 100 >= unit * 27;
    case 5: /* two bars */
        return across * 100 <= ONE * 80 && down * 100 >= ONE * 28 && down * 100 <= ONE * 70;
    case 6: /* crescent */
        return square * 100 <= unit * 72 &&
               ((int64_t)(u - ONE * 4 / 10) * (u - ONE * 4 / 10) + (int64_t)v * v) * 100 >= unit * 38;
    case 7: /* angle */
        return (u * 100 >= -ONE * 70 && u * 100 <= -ONE * 25 && down * 100 <= ONE * 80) ||
               (v * 100 >= ONE * 35 && v * 100 <= ONE * 80 && across * 100 <= ONE * 70);
    case 8: /* hourglass */
        return across <= down && down * 100 <= ONE * 82;
    default: /* four dots */
        return ((int64_t)(across - ONE / 2) * (across - ONE / 2) +
                (int64_t)(down - ONE / 2) * (down - ONE / 2)) *
                   100 <=
               unit * 11;
    }
}

/* Does the second colour show at (u, v)? */
static bool second_tone(int texture, int32_t u, int32_t v)
{
    const int32_t band = ONE * 30 / 100;
    /* Shifted to be positive, so that division rounds one way. */
    int32_t columns = (u + 8 * ONE) / band, rows = (v + 8 * ONE) / band;
    int64_t square = (int64_t)u * u + (int64_t)v * v;
    switch (texture) {
    case 0:
        return false;
    case 1: /* stripes along the shape */
        return rows % 2 == 0;
    case 2: /* stripes across */
        return columns % 2 == 0;
    case 3: /* checks */
        return (rows + columns) % 2 == 0;
    case 4: /* lower half */
        return v > 0;
    case 5: /* one side */
        return u > 0;
    case 6: /* middle */
        return square * 100 <= (int64_t)ONE * ONE * 20;
    case 7: /* diagonal stripes */
        return (u + v + 16 * ONE) / (ONE * 45 / 100) % 2 == 0;
    case 8: /* dots on a grid */
        return rows % 2 == 0 && columns % 2 == 0;
    default: /* a wide band */
        return abs(v) * 100 <= ONE * 25;
    }
}

static struct colour shade(const struct scene *scene, int32_t x, int32_t y)
{
    struct colour colour = mix(scene->corner, scene->across, (x + y + 2 * ONE) * 64 / ONE);
    for (int i = 0; i < scene->n; i++) {
        const struct layer *layer = &scene->layers[i];
        int64_t dx = x - layer->x, dy = y - layer->y;
        int32_t u = (int32_t)((dx * layer->cosine + dy * layer->sine) / layer->radius);
        int32_t v = (int32_t)((dy * layer->cosine - dx * layer->sine) / layer->radius);
        if (abs(u) > ONE || abs(v) > ONE || !inside(layer->shape, u, v))
            continue;
        colour = mix(colour, second_tone(layer->texture, u, v) ? layer->second : layer->fill, layer->opacity);
    }
    return colour;
}

/* A turn by 2 atan(t), t in -limit..limit: rational, so no sine that differs between C libraries. */
static void turn(struct draws *draws, int32_t limit, struct layer *layer)
{
    int64_t t = between(draws, -limit, limit), square = t * t / ONE;
    layer->cosine = (int32_t)((ONE - square) * ONE / (ONE + square));
    layer->sine = (int32_t)(2 * t * ONE / (ONE + square));
}

/* Hues of neighbouring classes overlap: colour helps, and does not do alone. */
static int32_t hue_of(struct draws *draws, int label)
{
    return (label % 10 * 154 + label / 10 * 61 + between(draws, -150, 150) + 1536) % 1536;
}

static struct layer main_layer(struct draws *draws, int label)
{
    struct layer layer = {.shape = label % US_SYNTH_SHAPES, .texture = label / US_SYNTH_SHAPES};
    layer.x = between(draws, -ONE * 22 / 100, ONE * 22 / 100);
    layer.y = between(draws, -ONE * 22 / 100, ONE * 22 / 100);
    layer.radius = between(draws, ONE * 55 / 100, ONE * 85 / 100);
    turn(draws, ONE * 16 / 100, &layer);
    layer.opacity = 256;
    layer.fill = from_hsv(hue_of(draws, label), between(draws, 120, 255), between(draws, 170, 255));
    return layer;
}

/* Bits of other classes' shapes, too small to be the subject. */
static void add_clutter(struct draws *draws, struct scene *scene, int count)
{
    for (int i = 0; i < count; i++) {
        struct layer layer = {.shape = between(draws, 0, US_SYNTH_SHAPES - 1), .opacity = 220};
        layer.x = between(draws, -ONE, ONE);
        layer.y = between(draws, -ONE, ONE);
        layer.radius = between(draws, ONE * 15 / 100, ONE * 30 / 100);
        turn(draws, ONE, &layer);
        layer.fill = layer.second =
            from_hsv(between(draws, 0, 1535), between(draws, 80, 255), between(draws, 90, 255));
        scene->layers[scene->n++] = layer;
    }
}

/* The second class's shape, where the first one stands and under it. */
static void add_rival(struct draws *draws, const struct us_synth_image *image, struct scene *scene,
                      const struct layer *subject)
{
    int other = (image->label + between(draws, 1, image->classes - 1)) % image->classes;
    struct layer layer = *subject;
    layer.shape = other % US_SYNTH_SHAPES;
    layer.texture = other / US_SYNTH_SHAPES;
    layer.opacity = 150;
    scene->layers[scene->n++] = layer;
}

static void compose(const struct us_synth_image *image, struct scene *scene)
{
    struct draws draws = {.seed = image->seed, .item = image->item};
    struct layer subject = main_layer(&draws, image->label);
    /* The subject is the brighter one, except in a third of the pictures. */
    bool swapped = between(&draws, 0, 2) == 0;
    int32_t hue = between(&draws, 0, 1535), value = between(&draws, 20, 110);
    if (swapped) {
        value = between(&draws, 190, 255);
        for (int c = 0; c < 3; c++)
            subject.fill.c[c] = subject.fill.c[c] * 110 / 256;
    }
    scene->corner = from_hsv(hue, between(&draws, 0, 110), value);
    scene->across = from_hsv((hue + between(&draws, 0, 500)) % 1536, between(&draws, 0, 110),
                             value + between(&draws, -20, 0));
    scene->noise = between(&draws, 8, 18);
    struct colour middle = mix(scene->corner, scene->across, 128);
    if (!image->hard) {
        subject.second = mix(subject.fill, middle, 150);
        add_clutter(&draws, scene, between(&draws, 0, 2));
        scene->layers[scene->n++] = subject;
        return;
    }
    int way = between(&draws, 0, 2);
    if (way == 0)
        subject.fill = mix(middle, subject.fill, between(&draws, 32, 64));
    subject.second = mix(subject.fill, middle, 150);
    if (way == 1)
        add_clutter(&draws, scene, between(&draws, 4, 6));
    if (way == 2)
        add_rival(&draws, image, scene, &subject);
    subject.opacity = way == 2 ? 150 : 256;
    scene->layers[scene->n++] = subject;
    if (way == 1)
        add_clutter(&draws, scene, 3);
    scene->noise += 6;
}

static uint8_t clamp(int32_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void us_synth_draw_image(const struct us_synth_image *image, int size, uint8_t *pixels)
{
    struct scene scene = {.n = 0};
    compose(image, &scene);
    /* The noise draws' blocks begin far behind those that compose() can use. */
    struct draws noise = {.seed = image->seed, .item = image->noise, .block = 1 << 16};
    int32_t dx = 0, dy = 0, brighter = 0;
    if (image->noise != image->item) {
        dx = between(&noise, -ONE / 28, ONE / 28);
        dy = between(&noise, -ONE / 28, ONE / 28);
        brighter = between(&noise, -4, 4);
    }
    for (int32_t row = 0; row < size; row++) {
        for (int32_t column = 0; column < size; column++, pixels += 3) {
            struct colour sum = {{0, 0, 0}};
            for (int s = 0; s < 4; s++) { /* four samples a pixel */
                int32_t x = (4 * column + 1 + 2 * (s % 2)) * ONE / (2 * size) - ONE + dx;
                int32_t y = (4 * row + 1 + 2 * (s / 2)) * ONE / (2 * size) - ONE + dy;
                struct colour colour = shade(&scene, x, y);
                for (int c = 0; c < 3; c++)
                    sum.c[c] += colour.c[c];
            }
            for (int c = 0; c < 3; c++) {
                /* Nearly normal: four uniform bytes have a standard deviation of 148 together. */
                uint32_t word = draw(&noise);
                int32_t grain =
                    (int32_t)((word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24));
                pixels[c] = clamp(sum.c[c] / 4 + brighter + (grain - 510) * scene.noise / 148);
            }
        }
    }
}
