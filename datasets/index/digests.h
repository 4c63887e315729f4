/* Which files of an index may hold the same. */
#ifndef US_DATASETS_DIGESTS_H
#define US_DATASETS_DIGESTS_H

#include "datasets/index/index.h"

enum { US_DIGEST = 32 };

/* A file that has the size and the first bytes of another. */
struct us_digest {
    int64_t entry;
    uint8_t digest[US_DIGEST]; /* SHA-256 of all of it */
};

/* Fresh memory [*n]; files that cannot be read are left out. Only these files are read whole. */
enum unseen_status us_digests_find(struct us_index *index, struct us_digest **digests, size_t *n);

/* For qsort of struct us_digest: by digest, then by entry. */
int us_digest_compare(const void *a, const void *b);

#endif
