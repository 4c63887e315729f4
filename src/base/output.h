/* Output folders: one process at a time, and nothing in them overwritten or removed that this program did not
 * write itself.
 *
 * A locked folder holds a folder of our own:
 *   .unseen/lock   locked while a process works in the folder; says which
 *   .unseen/files  the files that this program wrote there (base/written.h)
 *   .unseen/tmp/   files on their way, by host, process and number
 * All that is written below it (us_atomic_begin) comes onto the list. What else lies in the folder is its
 * owner's and stays as it is: a file that would have to give way for ours is a failure. */
#ifndef US_BASE_OUTPUT_H
#define US_BASE_OUTPUT_H

#include "base/status.h"

struct us_output; /* a folder that this process holds */

struct us_run_lock {
    struct us_output *output; /* NULL: nothing is held */
};

/* Make the folder, hold it against other processes, and remove temporary files that killed ones of this host
 * left. `kind` says what may go on in it (a folder is of one kind for ever; NULL: any), `files` (ended by
 * NULL; may be NULL itself) what will be written, relative to it, as patterns of glob(3): what is there of
 * them and is not ours is refused before hours of work are spent, and so is what lies behind links that are
 * not. A pattern that ends in / stands for folders, which must be no such links. A folder inside one that
 * this process holds, or that is listed as a part of an output folder above it, is held by holding that one;
 * locks of one folder by one process may be nested. UNSEEN_FAILED, naming process and host, if another
 * process holds the folder; UNSEEN_USAGE if it is of another kind or a file is in the way. End with
 * us_run_lock_end, which takes a zeroed one too. */
enum unseen_status us_run_lock(const char *folder, const char *kind, const char *const *files,
                               struct us_run_lock *lock);
void us_run_lock_end(struct us_run_lock *lock);

/* Whether the folder was an output folder before. */
bool us_is_output(const char *folder);

/* Before `path` is written or made: if it lies in a folder that is held, put it on the list. UNSEEN_USAGE, if
 * something is there that is not on it. `temporary` (may be NULL) receives where to write it first, on the
 * same file system if `path` is in no such folder, in fresh memory. Any thread. */
enum unseen_status us_output_admit(const char *path, char **temporary);

/* rm; a file that is not there is fine, and in an output folder that is held a file that is not on its list
 * stays. */
enum unseen_status us_remove_file(const char *path);

/* rm -r of what is listed below `folder`, and of the folders that are empty then; links are not followed.
 * Nothing happens outside of output folders that are held. */
enum unseen_status us_remove_written(const char *folder);

#endif
