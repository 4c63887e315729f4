/* A growing list of file names. */
#ifndef US_DATASETS_NAMES_H
#define US_DATASETS_NAMES_H

#include "base/status.h"

struct us_names {
    char **list; /* [n], each fresh memory */
    size_t n, capacity;
};

/* Add a copy of `name`. */
enum unseen_status us_names_add(struct us_names *names, const char *name);

/* By bytes. */
void us_names_sort(struct us_names *names);

void us_names_free(struct us_names *names);

#endif
