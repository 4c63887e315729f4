#include "config.h"

#include "device/cache.h"

#include "base/atomic.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

/* The number changes when the layout of a file does. */
static const char magic[16] = "unseen-kernel-1";

struct file_head {
    char magic[sizeof magic];
    char key[US_CACHE_KEY];
    char payload[US_CACHE_KEY]; /* SHA-256 of what follows */
};

bool us_cache_on(bool by_default)
{
    const char *wish = getenv("UNSEEN_KERNEL_CACHE");
    if (!wish || !*wish)
        return by_default;
    return strcmp(wish, "0") != 0;
}

void us_cache_key(const struct unseen_device_info *info, const char *source, const char *options,
                  char key[US_CACHE_KEY])
{
    const char *parts[] = {magic,      source,       options,      info->platform,
                           info->name, info->vendor, info->driver, info->version};
    struct sha256_ctx hash;
    sha256_init(&hash);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        sha256_update(&hash, strlen(parts[i]) + 1, (const uint8_t *)parts[i]);
    us_sha256_hex(&hash, key);
}

/* programs/<key> in the cache folder, which is made. NULL if there can be none. */
static char *path_of(const char *key)
{
    char *path = NULL, *cache = us_cache_folder();
    char *folder = cache ? us_format("%s/programs", cache) : NULL;
    if (folder && us_make_folder(folder) == UNSEEN_OK)
        path = us_format("%s/%s", folder, key);
    free(folder);
    free(cache);
    return path;
}

bool us_cache_read(const char *key, unsigned char **bytes, size_t *size)
{
    char *path = path_of(key), *file = NULL;
    size_t total = 0;
    bool good = false;
    if (path && us_exists(path) && us_read_file(path, &file, &total) == UNSEEN_OK) {
        struct file_head head, expected = {.magic = ""};
        memcpy(expected.magic, magic, sizeof magic);
        memcpy(expected.key, key, sizeof expected.key);
        if (total > sizeof head) {
            memcpy(&head, file, sizeof head);
            us_sha256_of(file + sizeof head, total - sizeof head, expected.payload);
            good = memcmp(&head, &expected, sizeof head) == 0;
        }
        if (!good)
            us_log(UNSEEN_LOG_DEBUG, "%s is damaged; the kernel is built anew", path);
    }
    if (good) {
        *size = total - sizeof(struct file_head);
        memmove(file, file + sizeof(struct file_head), *size);
        *bytes = (unsigned char *)file;
        file = NULL;
    }
    free(file);
    free(path);
    return good;
}

void us_cache_write(const char *key, const unsigned char *bytes, size_t size)
{
    char *path = path_of(key);
    char *file = us_calloc(sizeof(struct file_head) + size, 1);
    if (path && file) {
        struct file_head head = {.magic = ""};
        memcpy(head.magic, magic, sizeof magic);
        memcpy(head.key, key, sizeof head.key);
        us_sha256_of(bytes, size, head.payload);
        memcpy(file, &head, sizeof head);
        memcpy(file + sizeof head, bytes, size);
        if (us_write_file(path, file, sizeof head + size) != UNSEEN_OK)
            us_log(UNSEEN_LOG_DEBUG, "a built kernel is not kept: %s", unseen_last_error());
    }
    free(file);
    free(path);
}
