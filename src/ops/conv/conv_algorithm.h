/* What the algorithms of a convolution share, and what each provides. A convolution has one plan a direction,
 * each with an algorithm of its own. */
#ifndef US_OPS_CONV_CONV_ALGORITHM_H
#define US_OPS_CONV_CONV_ALGORITHM_H

#include <string.h>

#include "ops/conv/conv.h"

struct us_conv_plan {
    const struct us_conv_algorithm *algorithm;
    char
        name[US_CONV_NAME]; /* the algorithm's, and behind a colon the values that its tunables are to have */
    enum us_conv_why why;
    void *state;      /* of the algorithm, for this direction */
    size_t workspace; /* bytes */
};

struct us_conv {
    struct unseen_device *device;
    struct us_conv_shape shape;
    int oh, ow;
    struct us_conv_plan plan[US_CONV_DIRECTIONS];
};

/* The arguments of a run, by direction:
 *              in   other     out
 *   FORWARD    x    weights   y
 *   DATA       dy   weights   dx, added to with `accumulate`
 *   WEIGHTS    x    dy        dweights */
struct us_conv_call {
    int n;
    struct us_buf *in, *other, *work, *out;
    bool accumulate;
    struct us_conv_epilogue epilogue; /* FORWARD, of algorithms with moment_blocks; else zero */
};

/* The kind of device that an algorithm is shaped for. It is right on all, but slow on others. */
enum us_conv_made_for { US_CONV_FOR_ALL, US_CONV_FOR_CPU, US_CONV_FOR_GPU };

struct us_conv_algorithm {
    const char *name;
    enum unseen_precision precision;
    enum us_conv_made_for made_for;
    /* Whether a device can run it; NULL: every one that computes in the precision. */
    bool (*usable)(struct unseen_device *device);
    /* Whether a shipped row may name it there; NULL: wherever it is usable. */
    bool (*pays)(struct unseen_device *device);
    /* Whether it can do a shape in a direction at all; NULL: it can do every one. */
    bool (*suits)(const struct us_conv_shape *shape, enum us_conv_direction direction);
    /* Values of tunables, as text: the i-th that are worth timing, false behind the last; and whether values
     * are legal. NULL, both: it has no tunables. */
    bool (*offers)(const struct unseen_device *device, const struct us_conv_shape *shape,
                   enum us_conv_direction direction, int i, char values[US_CONV_NAME]);
    bool (*accepts)(const struct unseen_device *device, const struct us_conv_shape *shape,
                    enum us_conv_direction direction, const char *values);
    /* Sets plan->state (also where it fails) and plan->workspace, and completes plan->name where it has no
     * values. */
    enum unseen_status (*prepare)(struct us_conv *conv, enum us_conv_direction direction,
                                  struct us_conv_plan *plan);
    void (*release)(struct us_conv_plan *plan);
    /* By direction; NULL where it suits no shape. */
    enum unseen_status (*run[US_CONV_DIRECTIONS])(struct us_conv *conv, const struct us_conv_plan *plan,
                                                  const struct us_conv_call *call);
    /* us_conv_moment_blocks; NULL: its forward pass can do no epilogue. */
    int (*moment_blocks)(const struct us_conv *conv, const struct us_conv_plan *plan, int n);
};

/* Sets plan->algorithm and plan->why in the order of enum us_conv_why; `wish` may be NULL. */
enum unseen_status us_conv_choose(struct unseen_device *device, const struct us_conv_shape *shape,
                                  enum us_conv_direction direction, const char *wish,
                                  struct us_conv_plan *plan);

/* What follows the colon of a name; NULL where there is none. */
static inline const char *us_conv_values(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : NULL;
}

/* Along one axis, the image's pixels a, a + stride, ...: the same taps of the kernel meet all of them, so
 * that their data gradient is a convolution of dy, of stride 1, with these taps alone. */
struct us_conv_residue {
    int count;  /* pixels a, a + stride, ... */
    int taps;   /* kernel taps that meet them; 0 where the stride skips them */
    int last;   /* the last of these taps; they are last, last - stride, last - 2 stride, ... */
    int offset; /* for pixel a, tap `last` meets dy[offset], and tap last - j stride meets dy[offset + j] */
};

/* a < stride, of an image of `size` pixels along the axis. */
struct us_conv_residue us_conv_residue_of(const struct us_conv_shape *shape, int a, int size);

/* Rows of the weight matrix: kernel * kernel * cin. */
static inline int us_conv_depth(const struct us_conv *conv)
{
    return conv->shape.kernel * conv->shape.kernel * conv->shape.cin;
}

#endif
