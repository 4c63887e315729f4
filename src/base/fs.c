#include "config.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int us_open(const char *path, int flags, mode_t mode)
{
    int handle;
    do
        handle = open(path, flags, mode);
    while (handle < 0 && errno == EINTR);
    return handle;
}

FILE *us_fopen(const char *path, const char *mode)
{
    FILE *file;
    do
        file = fopen(path, mode);
    while (!file && errno == EINTR);
    return file;
}

/* Reads to the end of `fd`, whose size need not be known (pipes have none). */
static enum unseen_status read_all(int fd, const char *path, char **bytes, size_t *size)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return us_fail_errno(path, "cannot read");
    size_t room = info.st_size > 0 ? (size_t)info.st_size + 1 : 4096;
    size_t used = 0;
    char *text = us_calloc(room, 1);
    if (!text)
        return UNSEEN_FAILED;
    for (;;) {
        if (used + 1 >= room) {
            char *grown = us_realloc(text, room * 2, 1);
            if (!grown) {
                free(text);
                return UNSEEN_FAILED;
            }
            text = grown;
            room *= 2;
        }
        ssize_t got = read(fd, text + used, room - used - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(text);
            return us_fail_errno(path, "cannot read");
        }
        if (got == 0)
            break;
        used += (size_t)got;
    }
    text[used] = '\0';
    *bytes = text;
    if (size)
        *size = used;
    return UNSEEN_OK;
}

enum unseen_status us_read_file(const char *path, char **bytes, size_t *size)
{
    int fd = us_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return us_fail_errno(path, "cannot read");
    enum unseen_status st = read_all(fd, path, bytes, size);
    close(fd);
    return st;
}

enum unseen_status us_check_input(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return us_fail(UNSEEN_BAD_DATA, path, "%s", strerror(errno));
    return S_ISDIR(info.st_mode) ? us_fail(UNSEEN_BAD_DATA, path, "is a folder") : UNSEEN_OK;
}

static enum unseen_status map_open(int fd, const char *path, void **mapping, size_t *size)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return us_fail_errno(path, "cannot read");
    if (!S_ISREG(info.st_mode))
        return us_fail(UNSEEN_BAD_DATA, path, "is not a regular file");
    if (info.st_size == 0)
        return us_fail(UNSEEN_BAD_DATA, path, "is empty");
    void *block = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (block == MAP_FAILED)
        return us_fail_errno(path, "cannot map");
    *mapping = block;
    *size = (size_t)info.st_size;
    return UNSEEN_OK;
}

enum unseen_status us_map_file(const char *path, void **mapping, size_t *size)
{
    int fd = us_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return us_fail_errno(path, "cannot read");
    enum unseen_status st = map_open(fd, path, mapping, size);
    close(fd);
    return st;
}

static bool made_or_there(const char *path)
{
    if (mkdir(path, 0777) == 0)
        return true;
    int error = errno;
    if (us_is_folder(path))
        return true;
    errno = error == EEXIST ? ENOTDIR : error;
    return false;
}

enum unseen_status us_make_folder(const char *path)
{
    char *work = us_format("%s", path);
    if (!work)
        return UNSEEN_FAILED;
    enum unseen_status st = UNSEEN_OK;
    for (char *p = work; *p; p++) {
        if (p == work || *p != '/' || p[-1] == '/')
            continue;
        *p = '\0';
        if (!made_or_there(work)) {
            st = us_fail_errno(work, "cannot make the folder");
            goto out;
        }
        *p = '/';
    }
    if (!made_or_there(work))
        st = us_fail_errno(path, "cannot make the folder");
out:
    free(work);
    return st;
}

bool us_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool us_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

char *us_cache_folder(void)
{
    const char *chosen = getenv("UNSEEN_CACHE_DIR");
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    char *folder = NULL;
    if (chosen && *chosen) {
        folder = us_format("%s", chosen);
    } else if (xdg && *xdg == '/') { /* the XDG base directory specification: relative paths are invalid */
        folder = us_format("%s/unseen", xdg);
    } else if (home && *home) {
        folder = us_format("%s/.cache/unseen", home);
    } else {
        us_fail(UNSEEN_FAILED, "cache", "neither UNSEEN_CACHE_DIR, XDG_CACHE_HOME nor HOME is set");
        return NULL;
    }
    if (folder && us_make_folder(folder) != UNSEEN_OK) {
        free(folder);
        return NULL;
    }
    return folder;
}

enum unseen_status us_lock(const char *path, int *handle)
{
    int fd = us_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return us_fail_errno(path, "cannot open the lock file");
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *handle = fd;
        return UNSEEN_OK;
    }
    enum unseen_status st;
    if (errno == EWOULDBLOCK) {
        st = us_fail(UNSEEN_FAILED, path, "another process holds this lock");
        us_hint("wait for the other run to end, or use another folder");
    } else {
        st = us_fail_errno(path, "cannot lock");
    }
    close(fd);
    return st;
}

void us_unlock(int handle)
{
    if (handle >= 0)
        close(handle);
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

enum unseen_status us_remove_folder(const char *path)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
        return us_fail_errno(path, "cannot remove");
    return UNSEEN_OK;
}

/* Where `out` is or will be made, the nearest folder that exists. Fresh memory. */
static char *nearest_folder(const char *out)
{
    char *path = us_format("%s", out);
    while (path && !us_is_folder(path)) {
        char *slash = strrchr(path, '/');
        if (!slash) {
            free(path);
            return us_format(".");
        }
        slash[slash == path] = '\0';
        if (slash == path)
            break;
    }
    return path;
}

enum unseen_status us_check_room(const char *out, int64_t bytes)
{
    const double mebibyte = 1024. * 1024;
    struct statvfs disk;
    char *folder = nearest_folder(out);
    if (!folder)
        return UNSEEN_FAILED;
    bool known = statvfs(folder, &disk) == 0;
    free(folder);
    double there = known ? (double)disk.f_bavail * (double)disk.f_frsize : (double)bytes;
    return (double)bytes <= there
               ? UNSEEN_OK
               : us_fail(UNSEEN_FAILED, out, "needs %.0f MiB, and the disk has %.0f MiB free",
                         (double)bytes / mebibyte, there / mebibyte);
}

int64_t us_folder_bytes(const char *path)
{
    int64_t bytes = 0;
    char *start = us_format("%s", path);
    FTS *walk = start ? fts_open((char *[]){start, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    for (FTSENT *entry; walk && (entry = fts_read(walk));)
        bytes += entry->fts_info == FTS_F ? (int64_t)entry->fts_statp->st_blocks * 512 : 0;
    if (walk)
        fts_close(walk);
    free(start);
    return bytes;
}
