/* Names that a pattern stands for: "train-{000..146}.tar", "{a,b}/x", nested as a shell has it. */
#ifndef US_DATASETS_BRACES_H
#define US_DATASETS_BRACES_H

#include "base/status.h"

/* What the pattern stands for, in its order; a pattern without braces stands for itself, and braces without a
 * comma or a range in them for themselves. */
struct us_braces {
    char **list; /* [n] */
    int n;
};

enum { US_BRACES_MOST = 1000000 };

/* UNSEEN_USAGE if it is more than US_BRACES_MOST names. Freed with us_braces_free, also after a failure;
 * `braces` is zeroed by the caller. */
enum unseen_status us_braces_expand(const char *pattern, struct us_braces *braces);
void us_braces_free(struct us_braces *braces);

/* Whether it stands for more than itself. */
bool us_has_braces(const char *pattern);

#endif
