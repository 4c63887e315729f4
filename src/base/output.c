#include "config.h"

#include "base/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/written.h"

/* A folder with a list. */
struct root {
    struct root *next;
    char *path; /* without links */
    int lock;
    int holders;      /* us_run_lock without us_run_lock_end yet */
    bool fresh, made; /* it was no output folder before; it was not there at all */
    struct us_written written;
};

struct us_output {
    struct us_output *next;
    char *given;  /* as callers begin the paths of its files */
    char *inside; /* where that is in the root: "" or "scoring/fold-s1/" */
    struct root *root;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* over all that follows */
static struct root *roots;
static struct us_output *outputs;

/* ---- names ---- */

/* What follows `folder` in `path`, if that lies in it (or is it: ""); NULL otherwise. */
static const char *behind(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/')
        length--;
    if (strncmp(folder, path, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    path += length;
    return path + strspn(path, "/");
}

/* The innermost output that `path` lies in, and its name on the root's list, fresh; NULL and NULL for none.
 */
static enum unseen_status find(const char *path, struct us_output **output, char **name)
{
    const char *rest, *best = NULL;
    *output = NULL;
    *name = NULL;
    for (struct us_output *o = outputs; o; o = o->next) {
        if ((rest = behind(o->given, path)) && (!best || rest > best)) {
            best = rest;
            *output = o;
        }
    }
    if (!best)
        return UNSEEN_OK;
    return (*name = us_format("%s%s", (*output)->inside, best)) ? UNSEEN_OK : UNSEEN_FAILED;
}

/* As file names have it. */
static const char *host(void)
{
    static char name[256];
    if (gethostname(name, sizeof name - 1) != 0 || !*name)
        snprintf(name, sizeof name, "host");
    name[40] = '\0';
    for (char *c = name; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        *c = plain ? *c : '-';
    }
    return name;
}

/* "host.process.number" behind `before`, one that this process had not before. */
static char *temporary_name(const char *before)
{
    static unsigned number;
    return us_format("%s%s.%ld.%u", before, host(), (long)getpid(), number++);
}

static char *temporary_in(const struct root *root)
{
    char *folder = us_format("%s/.unseen/tmp/", root->path);
    char *name = folder ? temporary_name(folder) : NULL;
    free(folder);
    return name;
}

/* ---- opening a root ---- */

/* Files of processes of this host that are no more. Whoever holds the lock is alone in the folder. */
static enum unseen_status remove_left(const char *root)
{
    char *folder = us_format("%s/.unseen/tmp", root);
    DIR *entries = folder ? opendir(folder) : NULL;
    const struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        long process;
        unsigned number;
        int end = 0;
        size_t length = strlen(host());
        const char *name = entry->d_name;
        if (strncmp(name, host(), length) != 0 ||
            sscanf(name + length, ".%ld.%u%n", &process, &number, &end) != 2 || name[length + (size_t)end] ||
            process < 1 || (process != getpid() && (kill((pid_t)process, 0) == 0 || errno == EPERM)))
            continue;
        (void)unlinkat(dirfd(entries), name, 0); /* a folder of that name is not ours and stays */
    }
    if (entries)
        closedir(entries);
    enum unseen_status st = folder ? UNSEEN_OK : UNSEEN_FAILED;
    free(folder);
    return st;
}

static enum unseen_status held(const char *folder, int lock)
{
    char holder[128] = "";
    ssize_t size = pread(lock, holder, sizeof holder - 1, 0);
    holder[size > 0 ? strcspn(holder, "\n") : 0] = '\0';
    us_fail(UNSEEN_FAILED, folder, "%s%s works in this folder", *holder ? "" : "another process", holder);
    us_hint("wait for it to end, or use another folder");
    return UNSEEN_FAILED;
}

static enum unseen_status lock(struct root *r, const char *folder)
{
    char text[128];
    char *path = us_format("%s/.unseen/lock", r->path);
    if (!path)
        return UNSEEN_FAILED;
    enum unseen_status st = UNSEEN_OK;
    r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (r->lock < 0)
        st = us_fail_errno(path, "cannot open the lock file");
    else if (flock(r->lock, LOCK_EX | LOCK_NB) != 0)
        st = errno == EWOULDBLOCK ? held(folder, r->lock) : us_fail_errno(path, "cannot lock");
    if (!st) {
        int size = snprintf(text, sizeof text, "process %ld on %s\n", (long)getpid(), host());
        /* Only for those who are turned away. */
        (void)!ftruncate(r->lock, 0);
        (void)!pwrite(r->lock, text, (size_t)size, 0);
    }
    free(path);
    return st;
}

static void free_root(struct root *r)
{
    if (r->lock >= 0)
        close(r->lock);
    us_written_free(&r->written);
    free(r->path);
    free(r);
}

static enum unseen_status check_kind(const struct root *r, const char *folder, const char *kind)
{
    if (!kind || !*r->written.kind || strcmp(kind, r->written.kind) == 0)
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, folder, "is the folder of a %s run", r->written.kind);
    us_hint("choose another folder");
    return UNSEEN_USAGE;
}

static enum unseen_status in_the_way(const char *path)
{
    us_fail(UNSEEN_USAGE, path, "is in the way, and this program did not write it");
    us_hint("move it elsewhere, or choose another folder");
    return UNSEEN_USAGE;
}

/* Nobody else's file may be there. */
static enum unseen_status check_files(const struct root *r, const char *folder, const char *inside,
                                      const char *const *files)
{
    for (; files && *files; files++) {
        struct stat about;
        char *name = us_format("%s%s", inside, *files);
        char *path = us_format("%s/%s", folder, *files);
        enum unseen_status st = name && path ? UNSEEN_OK : UNSEEN_FAILED;
        if (!st && lstat(path, &about) == 0 && !us_written_has(&r->written, name))
            st = in_the_way(path);
        free(path);
        free(name);
        if (st)
            return st;
    }
    return UNSEEN_OK;
}

/* A folder of no kind yet becomes one of the kind asked for. Its parts have none. */
static enum unseen_status take_kind(struct root *r, const char *folder, const char *inside, const char *kind)
{
    enum unseen_status st = UNSEEN_OK;
    char *temporary = NULL;
    if (*inside || !kind)
        return UNSEEN_OK;
    US_TRY(check_kind(r, folder, kind));
    if (*r->written.kind)
        return UNSEEN_OK;
    US_TRY_ALLOC(temporary = temporary_in(r));
    US_TRY(us_written_open(r->path, temporary, kind, &r->written));
out:
    free(temporary);
    return st;
}

/* The root of `folder`, at `path` (which this takes), which nobody of this process has open. */
static enum unseen_status open_root(char *path, const char *folder, const char *inside, const char *kind,
                                    const char *const *files, struct root **root)
{
    enum unseen_status st = UNSEEN_OK;
    char *own = NULL, *temporary = NULL;
    struct root *r = us_calloc(1, sizeof *r);
    if (!r) {
        free(path);
        return UNSEEN_FAILED;
    }
    *r = (struct root){.path = path, .lock = -1, .written = {.journal = -1}};
    US_TRY_ALLOC(own = us_format("%s/.unseen/tmp", path));
    r->fresh = !us_is_output(path);
    US_TRY(us_written_read(path, &r->written));
    US_TRY(check_kind(r, folder, kind));
    US_TRY(check_files(r, folder, inside, files));
    US_TRY(us_make_folder(own));
    US_TRY(lock(r, folder));
    /* Once more: it may have been made in between. */
    us_written_free(&r->written);
    US_TRY(us_written_read(path, &r->written));
    US_TRY(check_kind(r, folder, kind));
    US_TRY(check_files(r, folder, inside, files));
    US_TRY(remove_left(path));
    US_TRY_ALLOC(temporary = temporary_in(r));
    US_TRY(us_written_open(path, temporary, kind, &r->written));
    r->next = roots;
    roots = *root = r;
    r = NULL;
out:
    if (r)
        free_root(r);
    free(temporary);
    free(own);
    return st;
}

/* ---- locks ---- */

bool us_is_output(const char *folder)
{
    char *path = us_format("%s/.unseen/files", folder);
    bool is = path && us_exists(path);
    free(path);
    return is;
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

static struct root *opened(const char *path)
{
    struct root *r = roots;
    while (r && strcmp(r->path, path) != 0)
        r = r->next;
    return r;
}

/* The root that the folder is (a part of), open. */
static enum unseen_status reach_root(const char *folder, const char *kind, const char *const *files,
                                     char **inside, struct root **root)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_output *around;
    char *name = NULL, *real = NULL;
    US_TRY(find(folder, &around, &name));
    if (around) {
        *root = around->root;
        *inside = us_format("%s%s", name, *name && name[strlen(name) - 1] != '/' ? "/" : "");
        US_TRY_ALLOC(*inside);
        US_TRY(take_kind(*root, folder, *inside, kind));
        st = check_files(*root, folder, *inside, files);
        goto out;
    }
    real = realpath(folder, NULL);
    if (!real) {
        st = us_fail_errno(folder, "cannot find its full path");
        goto out;
    }
    US_TRY(find_root(real, inside));
    if ((*root = opened(real))) {
        US_TRY(take_kind(*root, folder, *inside, kind));
        US_TRY(check_files(*root, folder, *inside, files));
        goto out;
    }
    st = open_root(real, folder, *inside, **inside ? NULL : kind, files, root);
    real = NULL;
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
    pthread_mutex_lock(&mutex);
    st = lock_root(folder, kind, files, lock);
    if (!st && !there)
        lock->output->root->made = lock->output->root->holders == 1;
    pthread_mutex_unlock(&mutex);
    return st;
}

/* What was refused before it wrote anything leaves nothing behind. Best effort. */
static void unmake(const struct root *r)
{
    static const char *const parts[] = {"/.unseen/files", "/.unseen/lock", "/.unseen/tmp", "/.unseen", ""};
    for (int i = 0; i < (r->made ? 5 : 4); i++) {
        char *path = us_format("%s%s", r->path, parts[i]);
        if (path)
            (void)remove(path);
        free(path);
    }
}

void us_run_lock_end(struct us_run_lock *lock)
{
    struct us_output *o = lock->output;
    if (!o)
        return;
    pthread_mutex_lock(&mutex);
    struct us_output **link = &outputs;
    while (*link != o)
        link = &(*link)->next;
    *link = o->next;
    if (--o->root->holders == 0) {
        struct root **place = &roots;
        while (*place != o->root)
            place = &(*place)->next;
        *place = o->root->next;
        if (o->root->fresh && o->root->written.n == 0)
            unmake(o->root);
        free_root(o->root);
    }
    pthread_mutex_unlock(&mutex);
    free(o->given);
    free(o->inside);
    free(o);
    lock->output = NULL;
}

/* ---- files ---- */

/* What a folder's link points to is not the output's, unless this program made the link: `name` may lie
 * behind no other. */
static enum unseen_status check_links(const struct root *root, const char *name)
{
    struct stat about;
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        char *folder = us_format("%s/%.*s", root->path, (int)(slash - name), name);
        if (!folder)
            return UNSEEN_FAILED;
        bool link = lstat(folder, &about) == 0 && S_ISLNK(about.st_mode) &&
                    !us_written_has(&root->written, folder + strlen(root->path) + 1);
        if (link) {
            us_fail(UNSEEN_USAGE, folder, "is a link, and what it points to is not this run's");
            us_hint("choose another --out, or remove the link");
        }
        free(folder);
        if (link)
            return UNSEEN_USAGE;
    }
    return UNSEEN_OK;
}

static enum unseen_status admit_locked(const char *path, const struct us_output *o, const char *name)
{
    enum unseen_status st = o ? check_links(o->root, name) : UNSEEN_OK;
    struct stat about;
    if (st || !o || us_written_has(&o->root->written, name))
        return st;
    if (lstat(path, &about) != 0)
        return us_written_add(&o->root->written, name);
    return in_the_way(path);
}

/* Whether a rename from the root's temporary folder to `path` is one within a file system. */
static bool same_file_system(const struct root *root, const char *path)
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
    pthread_mutex_lock(&mutex);
    US_TRY(find(path, &o, &name));
    US_TRY(admit_locked(path, o, name));
    if (!temporary)
        goto out;
    if (o && same_file_system(o->root, path)) {
        US_TRY_ALLOC(*temporary = temporary_in(o->root));
    } else {
        US_TRY_ALLOC(beside = us_format("%s.tmp.", path));
        US_TRY_ALLOC(*temporary = temporary_name(beside));
    }
out:
    pthread_mutex_unlock(&mutex);
    free(beside);
    free(name);
    return st;
}

enum unseen_status us_remove_file(const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_output *o;
    char *name = NULL;
    pthread_mutex_lock(&mutex);
    US_TRY(find(path, &o, &name));
    if ((!o || us_written_has(&o->root->written, name)) && unlink(path) != 0 && errno != ENOENT)
        st = us_fail_errno(path, "cannot remove");
out:
    pthread_mutex_unlock(&mutex);
    free(name);
    return st;
}

static enum unseen_status remove_entry(const struct us_output *o, const FTSENT *entry)
{
    const char *rest = behind(o->given, entry->fts_path);
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
    pthread_mutex_lock(&mutex);
    US_TRY(find(folder, &o, &name));
    if (o)
        US_TRY(remove_below(o, folder));
out:
    pthread_mutex_unlock(&mutex);
    free(name);
    return st;
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
