/* A dataset being written: it appears when it is whole. */
#ifndef US_DATASETS_EXPORT_H
#define US_DATASETS_EXPORT_H

#include <stdint.h>

#include "base/status.h"

struct us_export {
    char *folder; /* write here: beside `out`, or a hidden folder in it if it is there already */
    char *out;
    bool there;
};

/* UNSEEN_USAGE if `out` holds anything but hidden files: an export never mixes with, or writes over, what is
 * there. What killed exports to `out` left, of processes of this host, is removed. UNSEEN_FAILED if the disk
 * has less than `bytes` free. End with us_export_end. */
enum unseen_status us_export_begin(const char *out, int64_t bytes, struct us_export *export);

/* Give the folder its name. Data first: a name never stands for empty files. */
enum unseen_status us_export_commit(struct us_export *export);

/* Remove what was not committed. Takes a zeroed one too. */
void us_export_end(struct us_export *export);

#endif
