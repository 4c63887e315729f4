/* Writing and removing files in the output folders that this process holds. */
#include "config.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"
#include "base/output_root.h"

/* A file that someone wrote over ours keeps its bytes under another name. */
static enum unseen_status set_aside(const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    struct stat about;
    char *other = us_format("%s.changed", path);
    for (int number = 2; other && lstat(other, &about) == 0; number++) {
        free(other);
        other = us_format("%s.changed-%d", path, number);
    }
    US_TRY_ALLOC(other);
    if (rename(path, other) != 0)
        st = us_fail_errno(path, "was changed since it was written, and cannot be renamed to %s", other);
    else
        us_log(UNSEEN_LOG_WARNING, "%s was changed since it was written; it is %s now, and made anew", path,
               other);
out:
    free(other);
    return st;
}

static enum unseen_status admit_locked(const char *path, const struct us_output *o, const char *name)
{
    enum unseen_status st = UNSEEN_OK;
    struct stat about;
    bool there, linked;
    if (!o)
        return UNSEEN_OK;
    US_TRY(us_output_check_links(o->root, name, &linked));
    there = lstat(path, &about) == 0;
    if (!us_written_has(&o->root->written, name)) {
        st = there ? us_output_in_the_way(o->root, path) : us_written_add(&o->root->written, name);
    } else if (there) {
        bool changed;
        US_TRY(us_stamps_compare(&o->root->stamps, o->root->path, name, &changed));
        if (changed)
            US_TRY(set_aside(path));
    }
    if (!st)
        us_stamps_forget(&o->root->stamps, o->root->path, name);
out:
    return st;
}

/* Whether a rename from the root's temporary folder to `path` is one within a file system. */
static bool same_file_system(const struct us_output_root *root, const char *path)
{
    struct stat there, here;
    const char *slash = strrchr(path, '/');
    char *folder = slash ? us_format("%.*s", (int)(slash - path) + 1, path) : us_format(".");
    char *tmp = us_format("%s/.unseen/tmp", root->path);
    bool same =
        folder && tmp && stat(folder, &there) == 0 && stat(tmp, &here) == 0 && there.st_dev == here.st_dev;
    free(tmp);
    free(folder);
    return same;
}

enum unseen_status us_output_admit(const char *path, char **temporary)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_output *o;
    char *name = NULL, *beside = NULL;
    pthread_mutex_lock(&us_output_mutex);
    US_TRY(us_output_find(path, &o, &name));
    US_TRY(admit_locked(path, o, name));
    if (!temporary)
        goto out;
    if (o && same_file_system(o->root, path)) {
        US_TRY_ALLOC(*temporary = us_output_temporary(o->root));
    } else {
        US_TRY_ALLOC(beside = us_format("%s.tmp.", path));
        US_TRY_ALLOC(*temporary = us_output_temporary_name(beside));
    }
out:
    pthread_mutex_unlock(&us_output_mutex);
    free(beside);
    free(name);
    return st;
}

/* What someone changed since is theirs. */
static enum unseen_status may_remove(const struct us_output *o, const char *name, bool *may)
{
    enum unseen_status st = UNSEEN_OK;
    bool changed = false;
    *may = us_written_has(&o->root->written, name);
    if (*may)
        US_TRY(us_stamps_compare(&o->root->stamps, o->root->path, name, &changed));
    *may = *may && !changed;
out:
    return st;
}

enum unseen_status us_remove_file(const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_output *o;
    char *name = NULL;
    bool ours = true;
    pthread_mutex_lock(&us_output_mutex);
    US_TRY(us_output_find(path, &o, &name));
    if (o)
        US_TRY(may_remove(o, name, &ours));
    if (ours && unlink(path) != 0 && errno != ENOENT)
        st = us_fail_errno(path, "cannot remove");
out:
    pthread_mutex_unlock(&us_output_mutex);
    free(name);
    return st;
}

static enum unseen_status remove_entry(const struct us_output *o, const FTSENT *entry)
{
    enum unseen_status st = UNSEEN_OK;
    const char *rest = us_output_behind(o->given, entry->fts_path);
    char *name = rest ? us_format("%s%s", o->inside, rest) : NULL;
    bool ours, folder = entry->fts_info == FTS_DP, bad = false;
    US_TRY_ALLOC(name);
    US_TRY(may_remove(o, name, &ours));
    if (folder && us_written_has_below(&o->root->written, name))
        bad = rmdir(entry->fts_accpath) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT;
    else if (!folder && ours)
        bad = unlink(entry->fts_accpath) != 0 && errno != ENOENT;
    if (bad)
        st = us_fail_errno(entry->fts_path, "cannot remove");
out:
    free(name);
    return st;
}

static enum unseen_status remove_below(const struct us_output *o, const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    const FTSENT *entry;
    char *start = us_format("%s", folder);
    FTS *walk = start ? fts_open((char *[]){start, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    if (start && !walk)
        st = us_fail_errno(folder, "cannot be read");
    US_TRY_ALLOC(walk);
    while (errno = 0, entry = fts_read(walk)) {
        if (entry->fts_info == FTS_D || (entry->fts_info == FTS_NS && entry->fts_errno == ENOENT))
            continue;
        US_TRY(remove_entry(o, entry));
    }
out:
    if (walk)
        fts_close(walk);
    free(start);
    return st;
}

enum unseen_status us_remove_written(const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_output *o;
    char *name = NULL;
    pthread_mutex_lock(&us_output_mutex);
    US_TRY(us_output_find(folder, &o, &name));
    if (o)
        US_TRY(remove_below(o, folder));
out:
    pthread_mutex_unlock(&us_output_mutex);
    free(name);
    return st;
}
