#include "config.h"

#include "datasets/store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/host_memory.h"
#include "base/log.h"

struct us_spool {
    char *path;   /* of the archive */
    char *folder; /* where its file lies; NULL as long as all is in memory */
    int handle;
    int64_t size, most; /* bytes: there, and in memory at most */
};

static int64_t memory_share(void)
{
    const char *wish = getenv("UNSEEN_SPOOL_MEMORY");
    if (wish && *wish)
        return atoll(wish);
    return (int64_t)(us_host_memory_free() / US_SPOOL_SHARE);
}

enum unseen_status us_spool_new(const char *path, struct us_spool **spool)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_spool *fresh = us_calloc(1, sizeof *fresh);
    US_TRY_ALLOC(fresh);
    fresh->most = memory_share();
    fresh->handle = memfd_create("unseen", MFD_CLOEXEC);
    if (fresh->handle < 0)
        st = us_fail_errno(path, "cannot take memory to unpack to");
    US_TRY(st);
    US_TRY_ALLOC(fresh->path = us_format("%s", path));
    *spool = fresh;
    fresh = NULL;
out:
    us_spool_free(fresh);
    return st;
}

void us_spool_free(struct us_spool *spool)
{
    if (!spool)
        return;
    if (spool->handle >= 0)
        close(spool->handle);
    free(spool->folder);
    free(spool->path);
    free(spool);
}

static enum unseen_status write_all(const struct us_spool *spool, int handle, int64_t at,
                                    const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(handle, bytes + done, size - done, at + (int64_t)done);
        if (n < 0 && errno != EINTR) {
            enum unseen_status st = us_fail_errno(spool->folder ? spool->folder : "memory",
                                                  "cannot keep what %s is unpacked to", spool->path);
            us_hint(
                "the folder of the cache (UNSEEN_CACHE_DIR) needs room for the unpacked images; or unpack "
                "the archive, or pack it again without compression");
            return st;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return UNSEEN_OK;
}

/* From memory to a file of the cache folder. */
static enum unseen_status move_out(struct us_spool *spool)
{
    enum unseen_status st = UNSEEN_OK;
    uint8_t *piece = us_calloc(1 << 20, 1);
    int handle = -1;
    US_TRY_ALLOC(piece);
    US_TRY_ALLOC(spool->folder = us_cache_folder());
    handle = us_open(spool->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (handle < 0) {
        st = us_fail_errno(spool->folder, "cannot make a file to unpack %s to", spool->path);
        goto out;
    }
    us_log(UNSEEN_LOG_INFO, "%s is unpacked to a temporary file in %s, for it holds more than %.1f GiB",
           spool->path, spool->folder, (double)spool->most / (1 << 30));
    for (int64_t at = 0; at < spool->size;) {
        ssize_t n = pread(spool->handle, piece, 1 << 20, at);
        if (n <= 0) {
            st = us_fail_errno("memory", "cannot read what %s is unpacked to", spool->path);
            goto out;
        }
        US_TRY(write_all(spool, handle, at, piece, (size_t)n));
        at += n;
    }
    close(spool->handle);
    spool->handle = handle;
    handle = -1;
out:
    if (handle >= 0)
        close(handle);
    free(piece);
    return st;
}

enum unseen_status us_spool_add(struct us_spool *spool, const void *bytes, size_t size, int64_t *offset)
{
    enum unseen_status st = UNSEEN_OK;
    if (!spool->folder && spool->size + (int64_t)size > spool->most)
        US_TRY(move_out(spool));
    US_TRY(write_all(spool, spool->handle, spool->size, bytes, size));
    *offset = spool->size;
    spool->size += (int64_t)size;
out:
    return st;
}

int us_spool_handle(const struct us_spool *spool)
{
    return spool->handle;
}
