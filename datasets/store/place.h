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
    int64_t changed;  /* of a file of its own: when it was changed, in ns since 1970; else 0 */
    uint32_t touched; /* of a file of its own: us_touched; else 0 */
    int32_t file;     /* the store's number of the archive, or US_OWN_FILE, US_LINK */
};

static inline int64_t us_changed(const struct stat *about)
{
    return (int64_t)about->st_mtim.tv_sec * 1000000000 + about->st_mtim.tv_nsec;
}

/* A digest of when anything of it was changed, its name, its mode or its times included: no program sets that
 * time, while rsync, cp -a, tar and exiftool set the one above. A new hard link changes it too, so that a
 * file with another one may still be as it was. */
static inline uint32_t us_touched(const struct stat *about)
{
    const uint64_t time = (uint64_t)about->st_ctim.tv_sec * 1000000000 + (uint64_t)about->st_ctim.tv_nsec;
    return (uint32_t)(time ^ time >> 32);
}

/* Of a file of its own, or of a folder. */
static inline struct us_place us_place_of(const struct stat *about)
{
    return (struct us_place){.size = about->st_size,
                             .changed = us_changed(about),
                             .touched = us_touched(about),
                             .file = US_OWN_FILE};
}

#endif
