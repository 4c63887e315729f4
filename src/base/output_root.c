/* The folder of our own that an output folder holds: its lock, its list and its temporary files. */
#include "config.h"

#include "base/output_root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/output.h"

const char *us_output_behind(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/')
        length--;
    if (strncmp(folder, path, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    path += length;
    return path + strspn(path, "/");
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

char *us_output_temporary_name(const char *before)
{
    static unsigned number;
    return us_format("%s%s.%ld.%u", before, host(), (long)getpid(), number++);
}

bool us_output_is_left(const char *name)
{
    long process;
    unsigned number;
    int end = 0;
    const size_t length = strlen(host());
    return strncmp(name, host(), length) == 0 &&
           sscanf(name + length, ".%ld.%u%n", &process, &number, &end) == 2 && !name[length + (size_t)end] &&
           process >= 1 && (process == getpid() || (kill((pid_t)process, 0) != 0 && errno != EPERM));
}

char *us_output_temporary(const struct us_output_root *root)
{
    char *folder = us_format("%s/.unseen/tmp/", root->path);
    char *name = folder ? us_output_temporary_name(folder) : NULL;
    free(folder);
    return name;
}

bool us_is_output(const char *folder)
{
    char *path = us_format("%s/.unseen/files", folder);
    bool is = path && us_exists(path);
    free(path);
    return is;
}

/* Files of processes of this host that are no more. Whoever holds the lock is alone in the folder. */
static enum unseen_status remove_left(const char *root)
{
    char *folder = us_format("%s/.unseen/tmp", root);
    DIR *entries = folder ? opendir(folder) : NULL;
    const struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        /* A folder of that name is not ours and stays. */
        if (us_output_is_left(entry->d_name))
            (void)unlinkat(dirfd(entries), entry->d_name, 0);
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

static enum unseen_status lock(struct us_output_root *r, const char *folder)
{
    char text[128];
    char *path = us_format("%s/.unseen/lock", r->path);
    if (!path)
        return UNSEEN_FAILED;
    enum unseen_status st = UNSEEN_OK;
    r->lock = us_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
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

void us_output_root_free(struct us_output_root *r)
{
    if (r->lock >= 0)
        close(r->lock);
    us_stamps_free(&r->stamps);
    us_written_free(&r->written);
    free(r->path);
    free(r);
}

static enum unseen_status check_kind(const struct us_output_root *r, const char *folder, const char *kind)
{
    if (!kind || !*r->written.kind || strcmp(kind, r->written.kind) == 0)
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, folder, "is the folder of a %s run", r->written.kind);
    us_hint("choose another folder");
    return UNSEEN_USAGE;
}

enum unseen_status us_output_in_the_way(const struct us_output_root *r, const char *path)
{
    us_fail(UNSEEN_USAGE, path, "is in the way, and this program did not write it");
    us_hint("move it elsewhere, or choose another folder%s",
            r->fresh
                ? "; if this one is a copy of a run's, copy the hidden .unseen in that too, as cp -a does"
                : "");
    return UNSEEN_USAGE;
}

enum unseen_status us_output_check_links(const struct us_output_root *root, const char *name, bool *behind)
{
    struct stat about;
    *behind = false;
    for (const char *slash = strchr(name, '/'); slash && !*behind; slash = strchr(slash + 1, '/')) {
        char *folder = us_format("%s/%.*s", root->path, (int)(slash - name), name);
        if (!folder)
            return UNSEEN_FAILED;
        const bool link = lstat(folder, &about) == 0 && S_ISLNK(about.st_mode);
        *behind = link && us_written_has(&root->written, folder + strlen(root->path) + 1);
        if (link && !*behind) {
            us_fail(UNSEEN_USAGE, folder, "is a link, and what it points to is not this run's");
            us_hint("choose another --out, or remove the link");
        }
        free(folder);
        if (link && !*behind)
            return UNSEEN_USAGE;
    }
    return UNSEEN_OK;
}

/* A pattern of glob(3) below a folder, whose own name means itself; fresh memory. */
static char *pattern_in(const char *folder, const char *pattern)
{
    char *whole = us_calloc(2 * strlen(folder) + strlen(pattern) + 2, 1), *at = whole;
    for (; whole && *folder; *at++ = *folder++) {
        if (strchr("*?[\\", *folder))
            *at++ = '\\';
    }
    if (whole)
        sprintf(at, "/%s", pattern);
    return whole;
}

/* Of what there is of a pattern; `name` on the root's list. */
static enum unseen_status check_file(const struct us_output_root *r, const char *path, const char *name)
{
    bool behind;
    const size_t length = strlen(name);
    const enum unseen_status st = us_output_check_links(r, name, &behind);
    if (st || behind || us_written_has(&r->written, name) || (length > 0 && name[length - 1] == '/'))
        return st;
    return us_output_in_the_way(r, path);
}

static enum unseen_status check_pattern(const struct us_output_root *r, const char *folder,
                                        const char *inside, const char *pattern)
{
    enum unseen_status st = UNSEEN_OK;
    glob_t found = {0};
    char *whole = pattern_in(folder, pattern);
    US_TRY_ALLOC(whole);
    const int error = glob(whole, 0, NULL, &found);
    if (error && error != GLOB_NOMATCH) {
        st = us_fail(UNSEEN_FAILED, folder, "cannot be looked through for %s", pattern);
        goto out;
    }
    for (size_t i = 0; i < found.gl_pathc && !st; i++) {
        const char *path = found.gl_pathv[i];
        char *name = us_format("%s%s", inside, path + strlen(folder) + 1);
        st = name ? check_file(r, path, name) : UNSEEN_FAILED;
        free(name);
    }
out:
    globfree(&found);
    free(whole);
    return st;
}

enum unseen_status us_output_check_files(const struct us_output_root *r, const char *folder,
                                         const char *inside, const char *const *files)
{
    enum unseen_status st = UNSEEN_OK;
    for (; files && *files && !st; files++)
        st = check_pattern(r, folder, inside, *files);
    return st;
}

enum unseen_status us_output_take_kind(struct us_output_root *r, const char *folder, const char *inside,
                                       const char *kind)
{
    enum unseen_status st = UNSEEN_OK;
    char *temporary = NULL;
    if (*inside || !kind)
        return UNSEEN_OK;
    US_TRY(check_kind(r, folder, kind));
    if (*r->written.kind)
        return UNSEEN_OK;
    US_TRY_ALLOC(temporary = us_output_temporary(r));
    US_TRY(us_written_open(r->path, temporary, kind, &r->written));
out:
    free(temporary);
    return st;
}

enum unseen_status us_output_root_open(char *path, const char *folder, const char *inside, const char *kind,
                                       const char *const *files, struct us_output_root **root)
{
    enum unseen_status st = UNSEEN_OK;
    char *own = NULL, *temporary = NULL;
    struct us_output_root *r = us_calloc(1, sizeof *r);
    if (!r) {
        free(path);
        return UNSEEN_FAILED;
    }
    *r = (struct us_output_root){.path = path, .lock = -1, .written = {.journal = -1}};
    US_TRY_ALLOC(own = us_format("%s/.unseen/tmp", path));
    r->fresh = !us_is_output(path);
    US_TRY(us_written_read(path, &r->written));
    US_TRY(check_kind(r, folder, kind));
    US_TRY(us_output_check_files(r, folder, inside, files));
    US_TRY(us_make_folder(own));
    US_TRY(lock(r, folder));
    /* Once more: it may have been made in between. */
    us_written_free(&r->written);
    US_TRY(us_written_read(path, &r->written));
    US_TRY(check_kind(r, folder, kind));
    US_TRY(us_output_check_files(r, folder, inside, files));
    US_TRY(remove_left(path));
    US_TRY_ALLOC(temporary = us_output_temporary(r));
    US_TRY(us_written_open(path, temporary, kind, &r->written));
    US_TRY(us_stamps_read(path, &r->stamps));
    *root = r;
    r = NULL;
out:
    if (r)
        us_output_root_free(r);
    free(temporary);
    free(own);
    return st;
}

void us_output_unmake(const struct us_output_root *r)
{
    static const char *const parts[] = {"/.unseen/files", "/.unseen/lock", "/.unseen/tmp", "/.unseen", ""};
    for (int i = 0; i < (r->made ? 5 : 4); i++) {
        char *path = us_format("%s%s", r->path, parts[i]);
        if (path)
            (void)remove(path);
        free(path);
    }
}
