/* Test-time views: an evaluation pass may look at each image several times and average the logits. */
#ifndef US_NN_VIEWS_H
#define US_NN_VIEWS_H

#include <stdbool.h>

#include "unseen/train.h"

/* An image as a view shows it: shifted by so many pixels (down, right: where its first pixel lies in the
 * image), then mirrored. */
struct us_look {
    int down, right;
    bool mirrored;
    float weight; /* of its logits; those of all looks are 1 together */
};

enum { US_LOOKS_MOST = 6 };

struct us_looks {
    const char *name; /* "mirror" */
    int n;
    struct us_look look[US_LOOKS_MOST]; /* the first is the image as it is */
};

const struct us_looks *us_looks(enum unseen_views views);

#endif
