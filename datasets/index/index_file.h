/* The file that an index is kept in: a head, then the arrays as they are in memory, so that it is taken by
 * mapping it. */
#ifndef US_DATASETS_INDEX_FILE_H
#define US_DATASETS_INDEX_FILE_H

#include "datasets/index/index.h"

/* False, and `index` zeroed, if there is no file that checks, or archives of the store are not as they were.
 */
bool us_index_map(const char *path, struct us_index *index, int64_t *made);

/* Write it whole or not at all. `made`: when its listing began, in ns since 1970. */
enum unseen_status us_index_write(const char *path, const struct us_index *index, int64_t made);

#endif
