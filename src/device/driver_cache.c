/* Where PoCL keeps what it compiles, and what stands in the way. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "device/drivers.h"

/* The kernels of one model take about one MiB; what a quota or a limit on files leaves shows by writing. */
enum { ROOM = 1 << 20, TRIED = 1 << 16 };

/* Whether a new file can be written in the folder; errno says why not. */
static bool takes_file(const char *folder)
{
    static const char bytes[TRIED] = {1};
    char *path = us_format("%s/unseen-XXXXXX", folder);
    const int file = path ? mkostemp(path, O_CLOEXEC) : -1;
    ssize_t written = file < 0 ? -1 : write(file, bytes, sizeof bytes);
    if (written >= 0 && written < TRIED) /* the second call says why */
        written = write(file, bytes, sizeof bytes) == TRIED ? TRIED : -1;
    const int error = errno;
    if (file >= 0) {
        close(file);
        unlink(path);
    }
    free(path);
    errno = error;
    return written == TRIED;
}

/* Whether the folder is there, or can be made, and has room; errno says why not. */
static bool usable(const char *folder)
{
    struct statvfs disk;
    if (us_make_folder(folder) != UNSEEN_OK)
        return false;
    if (statvfs(folder, &disk) == 0 && (unsigned long long)disk.f_bavail * disk.f_frsize < ROOM) {
        errno = ENOSPC;
        return false;
    }
    return takes_file(folder);
}

/* Where PoCL looks, fresh memory. A home that does not exist is not to be made. */
static char *usual_folder(bool *home_is_there)
{
    const char *chosen = getenv("POCL_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    *home_is_there = true;
    if (chosen && *chosen)
        return us_format("%s", chosen);
    if (xdg && *xdg)
        return us_format("%s/pocl/kcache", xdg);
    if (home && *home) {
        *home_is_there = us_is_folder(home);
        return us_format("%s/.cache/pocl/kcache", home);
    }
    return us_format("/tmp/pocl/kcache");
}

/* A folder in TMPDIR of this user's alone, kept for the next run; NULL if there can be none. */
static char *temporary_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    struct stat info;
    char *path = us_format("%s/unseen-pocl-%ld", tmp && *tmp ? tmp : "/tmp", (long)geteuid());
    if (path && (mkdir(path, 0700) == 0 || errno == EEXIST) && lstat(path, &info) == 0 &&
        S_ISDIR(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 077) == 0)
        return path;
    free(path);
    return NULL;
}

/* The first of what can stand in that is usable; NULL if none is. */
static char *other_folder(void)
{
    const char *ours = getenv("UNSEEN_CACHE_DIR");
    char *folder = ours && *ours ? us_format("%s/pocl", ours) : NULL;
    if (folder && usable(folder))
        return folder;
    free(folder);
    folder = temporary_folder();
    if (folder && usable(folder))
        return folder;
    free(folder);
    return NULL;
}

void us_pocl_cache_prepare(const struct us_drivers *drivers)
{
    bool home_is_there;
    if (!us_drivers_find(drivers, "pocl"))
        return;
    char *usual = usual_folder(&home_is_there), *other = NULL;
    errno = ENOENT;
    if (usual && !(home_is_there && usable(usual))) {
        const char *reason = strerror(errno);
        other = other_folder();
        if (other && setenv("POCL_CACHE_DIR", other, 1) == 0)
            us_log(
                UNSEEN_LOG_WARNING,
                "PoCL cannot keep its kernels in %s (%s) and keeps them in %s; POCL_CACHE_DIR names another "
                "folder",
                usual, reason, other);
        else
            us_log(UNSEEN_LOG_WARNING,
                   "PoCL cannot keep its kernels in %s (%s), nor in TMPDIR: it may fail to compile; "
                   "POCL_CACHE_DIR names another folder",
                   usual, reason);
    }
    free(other);
    free(usual);
}

char *us_pocl_cache_trouble(void)
{
    bool home_is_there;
    char *folder = usual_folder(&home_is_there), *text = NULL;
    errno = ENOENT;
    if (folder && !(home_is_there && usable(folder)))
        text = us_format("%s: %s", folder, strerror(errno));
    free(folder);
    return text;
}
