/* Where the bytes of a file are stored. */
#ifndef US_DATASETS_PLACE_H
#define US_DATASETS_PLACE_H

#include <stdint.h>
#include <sys/stat.h>

enum {
    US_OWN_FILE = -1, /* a file of its own, found by its name */
    US_LINK = -2      /* a link in an archive: there are no bytes */
};

struct us_place {
    int64_t offset; /* where the bytes begin in `file` */
    int64_t size;
    int64_t changed; /* of a file of its own: when it was changed, in ns since 1970; else 0 */
    int32_t file;    /* the store's number of the archive, or US_OWN_FILE, US_LINK */
    int32_t spare;   /* 0: places are kept as they are in memory */
};

static inline int64_t us_changed(const struct stat *about)
{
    return (int64_t)about->st_mtim.tv_sec * 1000000000 + about->st_mtim.tv_nsec;
}

#endif
