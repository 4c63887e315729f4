#include "config.h"

#include "device/tuning.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "device/device_file.h"
#include "device/state.h"

/* The number changes when the layout of the file or the meaning of a key does. */
static const char format[] = "unseen-tuning-1";

bool us_tuning_on(void)
{
    const char *wish = getenv("UNSEEN_TUNING");
    return !wish || strcmp(wish, "0") != 0;
}

char *us_tuning_path(const struct unseen_device *device)
{
    return us_device_file(&device->info, "tuning");
}

static enum unseen_status parse(const json_t *entry, const char *path, struct us_tuned *tuned)
{
    enum unseen_status st = UNSEEN_OK;
    memset(tuned, 0, sizeof *tuned);
    US_TRY(us_json_string(entry, path, "winner", &tuned->winner));
    US_TRY(us_json_real(entry, path, "ms", 0.0, 1e9, &tuned->milliseconds));
    US_TRY(us_json_real(entry, path, "gflops", 0.0, 1e9, &tuned->gflops));
    if (json_object_get(entry, "runner_up")) {
        US_TRY(us_json_string(entry, path, "runner_up", &tuned->runner_up));
        US_TRY(us_json_real(entry, path, "runner_up_ms", 0.0, 1e9, &tuned->runner_up_milliseconds));
    }
out:
    return st;
}

static enum unseen_status check(const struct unseen_device *device, const json_t *root, const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    const char *key, *text;
    json_t *entry, *about = us_device_about(&device->info);
    json_t *entries = json_object_get(root, "entries");
    struct us_tuned tuned;
    US_TRY(us_json_string(root, path, "format", &text));
    if (strcmp(text, format) != 0) {
        st = us_fail(UNSEEN_BAD_DATA, path, "has the format \"%s\" instead of \"%s\"", text, format);
        goto out;
    }
    if (!about || !json_equal(about, json_object_get(root, "device"))) {
        st = us_fail(UNSEEN_BAD_DATA, path, "belongs to another device or driver");
        goto out;
    }
    if (!json_is_object(entries)) {
        st = us_fail(UNSEEN_BAD_DATA, path, "\"entries\" is missing");
        goto out;
    }
    json_object_foreach(entries, key, entry) US_TRY(parse(entry, path, &tuned));
out:
    json_decref(about);
    return st;
}

/* A new reference to the file's entries: none if there is no file that can be trusted. NULL if memory ran
 * out. */
static json_t *read_entries(const struct unseen_device *device, const char *path)
{
    json_t *root = NULL, *entries = NULL;
    if (path && us_exists(path)) {
        if (us_json_load(path, &root) == UNSEEN_OK && check(device, root, path) == UNSEEN_OK)
            entries = json_incref(json_object_get(root, "entries"));
        else
            us_log(UNSEEN_LOG_WARNING, "%s; it is ignored (unseen tune writes it anew)", unseen_last_error());
        json_decref(root);
    }
    return entries ? entries : json_object();
}

static json_t *entries_of(struct unseen_device *device)
{
    if (!device->tuning && us_tuning_on()) {
        char *path = us_tuning_path(device);
        device->tuning = read_entries(device, path);
        free(path);
    }
    return device->tuning;
}

bool us_tuning_find(struct unseen_device *device, const char *key, struct us_tuned *tuned)
{
    const json_t *entry = us_tuning_on() ? json_object_get(entries_of(device), key) : NULL;
    return entry && parse(entry, key, tuned) == UNSEEN_OK;
}

enum unseen_status us_tuning_keep(struct unseen_device *device, const char *key, const struct us_tuned *tuned)
{
    json_t *entry = json_pack("{s:s, s:f, s:f}", "winner", tuned->winner, "ms", tuned->milliseconds, "gflops",
                              tuned->gflops);
    bool bad = !entry;
    if (entry && tuned->runner_up)
        bad = json_object_set_new(entry, "runner_up", json_string(tuned->runner_up)) ||
              json_object_set_new(entry, "runner_up_ms", json_real(tuned->runner_up_milliseconds));
    /* The setters take the reference also where they fail. */
    if (json_object_set_new(entries_of(device), key, entry) || bad)
        return us_fail(UNSEEN_FAILED, "tuning", "%s cannot be kept", key);
    return UNSEEN_OK;
}

enum unseen_status us_tuning_copy(struct unseen_device *from, struct unseen_device *to)
{
    const json_t *entries = entries_of(from);
    json_decref(to->tuning);
    to->tuning = entries ? json_deep_copy(entries) : NULL;
    if (entries && !to->tuning)
        return us_fail(UNSEEN_FAILED, "tuning", "memory ran out");
    return UNSEEN_OK;
}

enum unseen_status us_tuning_save(struct unseen_device *device)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *root = NULL, *all = NULL;
    int held = -1;
    char *path = us_tuning_path(device);
    US_TRY_ALLOC(path);
    held = us_device_file_lock(path);
    all = read_entries(device, path);
    if (!all || !entries_of(device) || json_object_update(all, device->tuning)) {
        st = us_fail(UNSEEN_FAILED, path, "memory ran out");
        goto out;
    }
    root = json_pack("{s:s, s:o, s:O}", "format", format, "device", us_device_about(&device->info), "entries",
                     all);
    US_TRY(us_json_save(path, root));
out:
    us_unlock(held);
    json_decref(root);
    json_decref(all);
    free(path);
    return st;
}
