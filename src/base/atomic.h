/* Files that are there whole or not at all. */
#ifndef US_BASE_ATOMIC_H
#define US_BASE_ATOMIC_H

#include <stdio.h>

#include "base/status.h"

/* A file being written: beside its final name as "<path>.tmp.<host>.<process>.<number>", or where the output
 * folder that it lies in keeps such files (base/output.h). No two processes write one, on whichever host. */
struct us_atomic {
    FILE *stream; /* write here */
    char *path;
    char *temporary;
};

/* Begin writing `path`. UNSEEN_FAILED if something is there that is no file, UNSEEN_USAGE if in an output
 * folder a file is there that is not ours. On success the caller ends it with us_atomic_commit or
 * us_atomic_abandon. */
enum unseen_status us_atomic_begin(const char *path, struct us_atomic *file);

/* Flush, fsync, rename to the final name, fsync the folder (as far as it can be). A write that failed
 * anywhere before is found here (stream error flag); then nothing appears under the final name. Releases
 * `file` either way. */
enum unseen_status us_atomic_commit(struct us_atomic *file);

/* Remove the temporary file and release. A zeroed or committed `file` is left alone. */
void us_atomic_abandon(struct us_atomic *file);

/* All of us_atomic_* for bytes already in memory. */
enum unseen_status us_write_file(const char *path, const void *bytes, size_t size);

#endif
