/* Writing and removing files in the output folders that this process holds. */
#include "config.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/output.h"
#include "base/output_root.h"

static enum unseen_status admit_locked(const char *path, const struct us_output *o, const char *name)
{
    struct stat about;
    bool linked;
    enum unseen_status st = o ? us_output_check_links(o->root, name, &linked) : UNSEEN_OK;
    if (st || !o || us_written_has(&o->root->written, name))
        return st;
    if (lstat(path, &about) != 0)
        return us_written_add(&o->root->written, name);
    return us_output_in_the_way(path);
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

enum unseen_status us_remove_file(const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_output *o;
    char *name = NULL;
    pthread_mutex_lock(&us_output_mutex);
    US_TRY(us_output_find(path, &o, &name));
    if ((!o || us_written_has(&o->root->written, name)) && unlink(path) != 0 && errno != ENOENT)
        st = us_fail_errno(path, "cannot remove");
out:
    pthread_mutex_unlock(&us_output_mutex);
    free(name);
    return st;
}

static enum unseen_status remove_entry(const struct us_output *o, const FTSENT *entry)
{
    const char *rest = us_output_behind(o->given, entry->fts_path);
    char *name = rest ? us_format("%s%s", o->inside, rest) : NULL;
    if (!name)
        return UNSEEN_FAILED;
    const struct us_written *written = &o->root->written;
    bool folder = entry->fts_info == FTS_DP;
    bool bad = false;
    if (folder && us_written_has_below(written, name))
        bad = rmdir(entry->fts_accpath) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT;
    else if (!folder && us_written_has(written, name))
        bad = unlink(entry->fts_accpath) != 0 && errno != ENOENT;
    free(name);
    return bad ? us_fail_errno(entry->fts_path, "cannot remove") : UNSEEN_OK;
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
