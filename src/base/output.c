#include "config.h"

#include "base/output.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/output_root.h"

pthread_mutex_t us_output_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct us_output_root *roots;
static struct us_output *outputs;

enum unseen_status us_output_find(const char *path, struct us_output **output, char **name)
{
    const char *rest, *best = NULL;
    *output = NULL;
    *name = NULL;
    for (struct us_output *o = outputs; o; o = o->next) {
        if ((rest = us_output_behind(o->given, path)) && (!best || rest > best)) {
            best = rest;
            *output = o;
        }
    }
    if (!best)
        return UNSEEN_OK;
    return (*name = us_format("%s%s", (*output)->inside, best)) ? UNSEEN_OK : UNSEEN_FAILED;
}

/* `real` is a path without links. What above it is an output folder that `real` is a listed part of: its path
 * is cut off at that, and `inside` is the rest with a slash behind it; otherwise "". */
static enum unseen_status find_root(char *real, char **inside)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_written written = {.journal = -1};
    bool part = us_is_output(real);
    for (char *slash = real + strlen(real); !part && slash > real; slash--) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        if (us_is_output(real)) {
            US_TRY(us_written_read(real, &written));
            part = us_written_has_below(&written, slash + 1);
            us_written_free(&written);
        }
        if (part)
            US_TRY_ALLOC(*inside = us_format("%s/", slash + 1));
        else
            *slash = '/';
    }
    if (!*inside)
        US_TRY_ALLOC(*inside = us_calloc(1, 1));
out:
    us_written_free(&written);
    return st;
}

static struct us_output_root *opened(const char *path)
{
    struct us_output_root *r = roots;
    while (r && strcmp(r->path, path) != 0)
        r = r->next;
    return r;
}

/* The root that the folder is (a part of), open. */
static enum unseen_status reach_root(const char *folder, const char *kind, const char *const *files,
                                     char **inside, struct us_output_root **root)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_output *around;
    char *name = NULL, *real = NULL;
    US_TRY(us_output_find(folder, &around, &name));
    if (around) {
        *root = around->root;
        *inside = us_format("%s%s", name, *name && name[strlen(name) - 1] != '/' ? "/" : "");
        US_TRY_ALLOC(*inside);
        US_TRY(us_output_take_kind(*root, folder, *inside, kind));
        st = us_output_check_files(*root, folder, *inside, files);
        goto out;
    }
    real = realpath(folder, NULL);
    if (!real) {
        st = us_fail_errno(folder, "cannot find its full path");
        goto out;
    }
    US_TRY(find_root(real, inside));
    if ((*root = opened(real))) {
        US_TRY(us_output_take_kind(*root, folder, *inside, kind));
        US_TRY(us_output_check_files(*root, folder, *inside, files));
        goto out;
    }
    st = us_output_root_open(real, folder, *inside, **inside ? NULL : kind, files, root);
    real = NULL;
    if (!st) {
        (*root)->next = roots;
        roots = *root;
        us_parts_kept(1);
    }
out:
    free(real);
    free(name);
    return st;
}

static enum unseen_status lock_root(const char *folder, const char *kind, const char *const *files,
                                    struct us_run_lock *lock)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_output *o = us_calloc(1, sizeof *o);
    US_TRY_ALLOC(o);
    US_TRY_ALLOC(o->given = us_format("%s", folder));
    US_TRY(reach_root(folder, kind, files, &o->inside, &o->root));
    o->root->holders++;
    o->next = outputs;
    outputs = lock->output = o;
    o = NULL;
out:
    if (o) {
        free(o->given);
        free(o->inside);
        free(o);
    }
    return st;
}

enum unseen_status us_run_lock(const char *folder, const char *kind, const char *const *files,
                               struct us_run_lock *lock)
{
    bool there = us_exists(folder);
    enum unseen_status st = us_make_folder(folder);
    if (st)
        return st;
    pthread_mutex_lock(&us_output_mutex);
    st = lock_root(folder, kind, files, lock);
    if (!st && !there)
        lock->output->root->made = lock->output->root->holders == 1;
    pthread_mutex_unlock(&us_output_mutex);
    return st;
}

/* Best effort; what failed before stays what is reported. */
static void leave(struct us_output_root *root)
{
    struct us_error before;
    us_error_take(UNSEEN_OK, &before);
    char *temporary = us_output_temporary(root);
    if (root->fresh && root->written.n == 0)
        us_output_unmake(root);
    else if (temporary)
        (void)us_stamps_save(&root->stamps, root->path, temporary);
    free(temporary);
    us_output_root_free(root);
    us_parts_kept(-1);
    (void)us_error_again(&before);
}

void us_run_lock_end(struct us_run_lock *lock)
{
    struct us_output *o = lock->output;
    if (!o)
        return;
    pthread_mutex_lock(&us_output_mutex);
    struct us_output **link = &outputs;
    while (*link != o)
        link = &(*link)->next;
    *link = o->next;
    if (--o->root->holders == 0) {
        struct us_output_root **place = &roots;
        while (*place != o->root)
            place = &(*place)->next;
        *place = o->root->next;
        leave(o->root);
    }
    pthread_mutex_unlock(&us_output_mutex);
    free(o->given);
    free(o->inside);
    free(o);
    lock->output = NULL;
}

/* ---- for programs ---- */

struct unseen_run_lock {
    struct us_run_lock lock;
};

enum unseen_status unseen_run_lock(const char *folder, const char *const *files,
                                   struct unseen_run_lock **lock)
{
    struct unseen_run_lock *made = us_calloc(1, sizeof *made);
    if (!made)
        return UNSEEN_FAILED;
    enum unseen_status st = us_run_lock(folder, NULL, files, &made->lock);
    if (st)
        free(made);
    else
        *lock = made;
    return st;
}

void unseen_run_lock_end(struct unseen_run_lock *lock)
{
    if (!lock)
        return;
    us_run_lock_end(&lock->lock);
    free(lock);
}
