#include "config.h"

#include "device/device_file.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/sha256.h"

json_t *us_device_about(const struct unseen_device_info *info)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i}", "platform", info->platform, "name", info->name, "driver",
                     info->driver, "version", info->version, "compute_units", (int)info->compute_units);
}

char *us_device_file(const struct unseen_device_info *info, const char *name)
{
    char *path = NULL, *cache = us_cache_folder(), *folder = NULL, hex[65];
    json_t *about = us_device_about(info);
    char *text = about ? json_dumps(about, JSON_COMPACT) : NULL;
    if (!text && cache)
        us_fail(UNSEEN_FAILED, name, "the device's name is not UTF-8, or memory ran out");
    if (text && cache && (folder = us_format("%s/%s", cache, name)) && us_make_folder(folder) == UNSEEN_OK) {
        us_sha256_of(text, strlen(text), hex);
        path = us_format("%s/%.16s.json", folder, hex);
    }
    free(folder);
    free(text);
    json_decref(about);
    free(cache);
    return path;
}

int us_device_file_lock(const char *path)
{
    const struct timespec nap = {0, 10000000};
    int handle = -1;
    char *name = us_format("%s.lock", path);
    for (int i = 0; name && i < 1000; i++) {
        if (us_lock(name, &handle) == UNSEEN_OK)
            break;
        nanosleep(&nap, NULL);
    }
    free(name);
    return handle;
}
