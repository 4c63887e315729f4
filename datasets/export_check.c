#include "config.h"

#include "datasets/export_check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/fs.h"

enum unseen_status us_check_subset(const struct unseen_dataset *dataset, const struct us_subset *subset)
{
    int64_t total = dataset->split[UNSEEN_TRAIN].n;
    if (subset->n < 1)
        return us_fail(UNSEEN_USAGE, "subset", "holds no samples");
    for (int64_t k = 0; subset->keep && k < subset->n; k++) {
        int64_t i = subset->keep[k];
        if (i < 0 || i >= total)
            return us_fail(UNSEEN_USAGE, "subset", "index %lld is not in 0..%lld, the samples of %s",
                           (long long)i, (long long)total - 1, dataset->location);
        if (k > 0 && i <= subset->keep[k - 1])
            return us_fail(UNSEEN_USAGE, "subset", "index %lld follows %lld: indices must ascend",
                           (long long)i, (long long)subset->keep[k - 1]);
    }
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
