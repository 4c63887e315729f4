/* What the image files of a compressed archive hold, one after the other: in memory as long as that is
 * little, beyond that in a file of the cache folder that has no name and so ends with the process. */
#ifndef US_DATASETS_SPOOL_H
#define US_DATASETS_SPOOL_H

#include <stdint.h>

#include "base/status.h"

/* Kept in memory: a quarter of what is free at most. UNSEEN_SPOOL_MEMORY (bytes) sets another limit. */
enum { US_SPOOL_SHARE = 4 };

struct us_spool; /* opaque */

/* `path`: of the archive, for messages. Ends with us_spool_free. */
enum unseen_status us_spool_new(const char *path, struct us_spool **spool);
void us_spool_free(struct us_spool *spool);

/* Put bytes behind those that are there; *offset becomes their place. One thread. */
enum unseen_status us_spool_add(struct us_spool *spool, const void *bytes, size_t size, int64_t *offset);

/* What to pread from. */
int us_spool_handle(const struct us_spool *spool);

#endif
