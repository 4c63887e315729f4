#include "config.h"

#include "scoring/run_lock.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/reader.h"

enum unseen_status us_settings_match_file(const char *folder, const char *name, json_t *asked, bool *there)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *stored = NULL;
    char *path = us_format("%s/%s", folder, name);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(asked);
    *there = us_exists(path);
    if (!*there)
        goto out;
    US_TRY(us_json_load(path, &stored));
    US_TRY(us_settings_match(path, stored, asked, true));
out:
    json_decref(stored);
    free(path);
    return st;
}

enum unseen_status us_run_lock_for(const char *folder, const char *kind, const char *const *files,
                                   json_t *asked, struct us_run_lock *lock)
{
    enum unseen_status st = UNSEEN_OK;
    bool there;
    char *path = us_format("%s/%s", folder, files[0]);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(asked);
    US_TRY(us_run_lock(folder, kind, files, lock));
    US_TRY(us_settings_match_file(folder, files[0], asked, &there));
    if (!there)
        US_TRY(us_json_save(path, asked));
out:
    free(path);
    return st;
}

enum unseen_status us_settings_match(const char *path, json_t *stored, json_t *asked, bool device_matters)
{
    const char *key;
    json_t *value;
    json_object_foreach(asked, key, value)
    {
        json_t *other = json_object_get(stored, key);
        bool matters = device_matters || strcmp(key, "device") != 0;
        if (matters && !(other && json_equal(value, other))) {
            char *was = other ? json_dumps(other, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) : NULL;
            char *is = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
            us_fail(UNSEEN_USAGE, path, "the folder holds a run with another %s: %s, not %s", key,
                    was ? was : "an older version's", is ? is : "this");
            free(is);
            free(was);
            us_hint(strcmp(key, "data") == 0 ? US_DATA_DIFFER
                                             : "choose another --out, or remove the folder to begin again");
            return UNSEEN_USAGE;
        }
    }
    return UNSEEN_OK;
}

json_t *us_settings_made(json_t *settings, bool bad)
{
    if (settings && !bad)
        return settings;
    json_decref(settings);
    us_fail(UNSEEN_FAILED, "memory", "cannot describe the settings");
    return NULL;
}
