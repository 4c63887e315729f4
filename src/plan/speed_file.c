#include "config.h"

#include "plan/speed_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "device/device_file.h"

/* The number changes when the layout of the file or the meaning of a key does. */
static const char format[] = "unseen-speed-1";

static bool sum_of(const json_t *entries, char hex[65])
{
    char *text = json_dumps(entries, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    if (text)
        us_sha256_of(text, strlen(text), hex);
    free(text);
    return text != NULL;
}

static bool is_sound(const json_t *root, const json_t *about)
{
    const char *is = json_string_value(json_object_get(root, "format"));
    const char *sum = json_string_value(json_object_get(root, "checksum"));
    const json_t *entries = json_object_get(root, "entries");
    char hex[65];
    return is && strcmp(is, format) == 0 && about && json_equal(about, json_object_get(root, "device")) &&
           json_is_object(entries) && sum && sum_of(entries, hex) && strcmp(sum, hex) == 0;
}

/* A new reference to the entries of the file: none of one that is not sound. NULL if memory runs out. */
static json_t *read_entries(const char *path, const struct unseen_device_info *info)
{
    json_t *root = us_exists(path) ? json_load_file(path, 0, NULL) : NULL;
    json_t *about = us_device_about(info);
    json_t *entries = is_sound(root, about) ? json_incref(json_object_get(root, "entries")) : NULL;
    if (!entries && us_exists(path))
        us_log(UNSEEN_LOG_DEBUG, "%s is damaged; speeds are measured anew", path);
    json_decref(about);
    json_decref(root);
    return entries ? entries : json_object();
}

bool us_speed_file_find(const struct unseen_device_info *info, const char *key, struct us_timed *timed)
{
    char *path = us_device_file(info, "speed");
    json_t *entries = path ? read_entries(path, info) : NULL;
    const json_t *entry = json_object_get(entries, key);
    *timed = (struct us_timed){.trained = json_number_value(json_object_get(entry, "trained")),
                               .evaluated = json_number_value(json_object_get(entry, "evaluated")),
                               .at_once = (int)json_integer_value(json_object_get(entry, "at_once"))};
    json_decref(entries);
    free(path);
    return timed->trained > 0 && timed->evaluated > 0 && timed->at_once > 0;
}

/* Takes the reference to `entries`. */
static void save(const char *path, const struct unseen_device_info *info, json_t *entries)
{
    char hex[65] = "";
    json_t *root = NULL;
    if (entries && sum_of(entries, hex))
        root = json_pack("{s:s, s:o, s:O, s:s}", "format", format, "device", us_device_about(info), "entries",
                         entries, "checksum", hex);
    if (us_json_save(path, root))
        us_log(UNSEEN_LOG_DEBUG, "a measured speed is not kept: %s", unseen_last_error());
    json_decref(root);
    json_decref(entries);
}

void us_speed_file_keep(const struct unseen_device_info *info, const char *key, const struct us_timed *timed)
{
    char *path = us_device_file(info, "speed");
    if (!path) {
        us_log(UNSEEN_LOG_DEBUG, "a measured speed is not kept: %s", unseen_last_error());
        return;
    }
    const int held = us_device_file_lock(path);
    json_t *entries = read_entries(path, info);
    if (entries)
        json_object_set_new(entries, key,
                            json_pack("{s:f, s:f, s:i}", "trained", timed->trained, "evaluated",
                                      timed->evaluated, "at_once", timed->at_once));
    save(path, info, entries);
    us_unlock(held);
    free(path);
}
