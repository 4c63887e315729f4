/* What the files of base/output.h share: the folders that this process holds. */
#ifndef US_BASE_OUTPUT_ROOT_H
#define US_BASE_OUTPUT_ROOT_H

#include <pthread.h>

#include "base/stamps.h"
#include "base/status.h"
#include "base/written.h"

/* A folder with a list. */
struct us_output_root {
    struct us_output_root *next;
    char *path; /* without links */
    int lock;
    int holders;      /* us_run_lock without us_run_lock_end yet */
    bool fresh, made; /* it was no output folder before; it was not there at all */
    struct us_written written;
    struct us_stamps stamps;
};

struct us_output {
    struct us_output *next;
    char *given;  /* as callers begin the paths of its files */
    char *inside; /* where that is in the root: "" or "scoring/fold-s1/" */
    struct us_output_root *root;
};

/* Over all roots and outputs; those who call the functions below hold it. */
extern pthread_mutex_t us_output_mutex;

/* What follows `folder` in `path`, if that lies in it (or is it: ""); NULL otherwise. */
const char *us_output_behind(const char *folder, const char *path);

/* The innermost output that `path` lies in, and its name on the root's list, fresh; NULL and NULL for none.
 */
enum unseen_status us_output_find(const char *path, struct us_output **output, char **name);

/* "host.process.number" behind `before`, and that in the root's temporary folder: one that this process had
 * not before, in fresh memory. */
char *us_output_temporary_name(const char *before);
char *us_output_temporary(const struct us_output_root *root);

/* Whether such a name, without what stands before it, was left by a process of this host that is no more, or
 * that had this one's number. */
bool us_output_is_left(const char *name);

/* Fail: something is at `path` that is not ours. */
enum unseen_status us_output_in_the_way(const struct us_output_root *root, const char *path);

/* What a folder's link points to is not the output's, unless this program made the link: `name` may lie
 * behind no other. `behind` receives whether it lies behind one of ours. */
enum unseen_status us_output_check_links(const struct us_output_root *root, const char *name, bool *behind);

/* Nobody else's file may be there: `files`, as us_run_lock takes them, lie in `folder`, which is `inside` the
 * root. */
enum unseen_status us_output_check_files(const struct us_output_root *root, const char *folder,
                                         const char *inside, const char *const *files);

/* A folder of no kind yet becomes one of the kind asked for. Its parts have none. */
enum unseen_status us_output_take_kind(struct us_output_root *root, const char *folder, const char *inside,
                                       const char *kind);

/* The root of `folder`, at `path` (which this takes), which nobody of this process has open: check it, lock
 * it and read its list. */
enum unseen_status us_output_root_open(char *path, const char *folder, const char *inside, const char *kind,
                                       const char *const *files, struct us_output_root **root);
void us_output_root_free(struct us_output_root *root);

/* What was refused before it wrote anything leaves nothing behind. Best effort. */
void us_output_unmake(const struct us_output_root *root);

#endif
