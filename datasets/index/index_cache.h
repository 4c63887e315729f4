/* Indices that were made before, in index/ of the cache folder: a file for each dataset. Whatever does not
 * check is treated as missing: without the cache an index is made. */
#ifndef US_DATASETS_INDEX_CACHE_H
#define US_DATASETS_INDEX_CACHE_H

#include "datasets/index/index.h"

enum {
    /* Smaller ones are listed at each start, which takes no longer than looking whether they changed. */
    US_INDEX_KEPT = 2000,
    /* Files whose size and time are compared when an index is taken again. */
    US_INDEX_COMPARED = 2048
};

/* Where the index of such data is kept. `what`: all that it depends on beside what is at `location`. Fresh
 * memory; NULL if there is no place for it. */
char *us_index_path(const char *location, const char *what);

/* The index kept at `path`, if its folders, archives and other witnesses, and of its files those that are bad
 * or damaged and some drawn ones, are as they were. Else `index` is left zeroed, or, if `former` is set, it
 * was read but does not hold any more: us_index_reuse takes from it what does. */
bool us_index_load(const char *path, struct us_index *index, bool *former);

/* Copy to the fresh listing `index` what `former` knows of files that are as they were. */
enum unseen_status us_index_reuse(struct us_index *index, const struct us_index *former);

/* Now, as us_index_write takes it. */
int64_t us_index_now(void);

#endif
