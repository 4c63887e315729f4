#include "config.h"

#include "base/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/output.h"

/* A rename would take the place of a device as of any file. */
static enum unseen_status check_target(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0 || S_ISREG(about.st_mode))
        return UNSEEN_OK;
    return us_fail(UNSEEN_FAILED, path, "cannot write: %s is there",
                   S_ISDIR(about.st_mode) ? "a folder" : "no regular file");
}

enum unseen_status us_atomic_begin(const char *path, struct us_atomic *file)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_atomic made = {0};
    US_TRY(check_target(path));
    US_TRY_ALLOC(made.path = us_format("%s", path));
    do {
        free(made.temporary);
        made.temporary = NULL;
        US_TRY(us_output_admit(path, &made.temporary));
        made.stream = us_fopen(made.temporary, "wbxe");
    } while (!made.stream && errno == EEXIST); /* of a killed process of the same number */
    if (!made.stream) {
        st = us_fail_errno(path, "cannot write");
        goto out;
    }
    *file = made;
    return UNSEEN_OK;
out:
    free(made.path);
    free(made.temporary);
    return st;
}

/* Makes the new name survive a power cut. Best effort: some file systems refuse to sync a folder, and the
 * file is whole under its old or its new name either way. */
static void sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!folder)
        return;
    int fd = us_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    free(folder);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* True if every byte reached the disk; errno says why not. */
static bool flushed(FILE *stream)
{
    int fd = fileno(stream);
    if (ferror(stream)) {
        /* The reason of an earlier failure is gone; one more byte to a file that is thrown away anyway
         * meets it again. */
        if (write(fd, "", 1) == 1)
            errno = EIO;
        return false;
    }
    if (fflush(stream) != 0)
        return false;
    /* Files that cannot be synced, such as those of some FUSE mounts, report EINVAL. */
    return fsync(fd) == 0 || errno == EINVAL;
}

enum unseen_status us_atomic_commit(struct us_atomic *file)
{
    enum unseen_status st = UNSEEN_OK;
    if (!flushed(file->stream)) {
        st = us_fail_errno(file->path, "cannot write");
        goto out;
    }
    FILE *stream = file->stream;
    file->stream = NULL;
    if (fclose(stream) != 0) {
        st = us_fail_errno(file->path, "cannot write");
        goto out;
    }
    if (rename(file->temporary, file->path) != 0) {
        st = us_fail_errno(file->path, "cannot move the finished file into place");
        goto out;
    }
    sync_folder_of(file->path);
    free(file->temporary);
    file->temporary = NULL;
out:
    us_atomic_abandon(file);
    return st;
}

void us_atomic_abandon(struct us_atomic *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    *file = (struct us_atomic){0};
}

enum unseen_status us_write_file(const char *path, const void *bytes, size_t size)
{
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st != UNSEEN_OK)
        return st;
    /* A short write sets the stream's error flag, which the commit looks at. */
    if (size > 0)
        (void)!fwrite(bytes, 1, size, file.stream);
    return us_atomic_commit(&file);
}
