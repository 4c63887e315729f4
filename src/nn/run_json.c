#include "config.h"

#include "nn/run_json.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/dataset_options.h"
#include "device/device.h"
#include "nn/loading.h"

static json_t *device_json(const struct unseen_device *device)
{
    const struct unseen_device_info *about = unseen_device_info(device);
    return json_pack("{s:i, s:s, s:s, s:s, s:s}", "index", about->index, "name", about->name, "platform",
                     about->platform, "driver", about->driver, "version", about->version);
}

/* Three numbers, one a channel. */
static json_t *channels_json(const float *values, int channels)
{
    json_t *array = json_array();
    for (int c = 0; array && c < channels && c < 3; c++)
        json_array_append_new(array, us_json_float(values[c]));
    return array;
}

/* A dataset that was made in memory may lack names. */
static json_t *data_json(const struct unseen_dataset *data)
{
    json_t *classes = json_array();
    for (int c = 0; classes && data->class_names && c < data->classes; c++)
        json_array_append_new(classes, us_json_text(data->class_names[c]));
    json_t *object = json_pack(
        "{s:o, s:s?, s:s, s:I, s:I, s:i, s:i, s:i, s:i}", "name",
        data->source ? us_json_text(data->source) : json_null(), "format", data->format, "hash", data->hash,
        "n_train", (json_int_t)data->split[UNSEEN_TRAIN].n, "n_test", (json_int_t)data->split[UNSEEN_TEST].n,
        "classes", data->classes, "height", data->height, "width", data->width, "channels", data->channels);
    if (object) {
        json_object_set_new(object, "mean", channels_json(data->mean, data->channels));
        json_object_set_new(object, "std", channels_json(data->std, data->channels));
        json_object_set(object, "class_names", classes);
        if (data->options.labels)
            json_object_set_new(object, "relabelled", json_integer((json_int_t)data->relabelled));
        json_object_set_new(
            object, "duplicates",
            json_pack("{s:I, s:I, s:I}", "same_label", (json_int_t)data->duplicates.same_label, "other_label",
                      (json_int_t)data->duplicates.other_label, "test", (json_int_t)data->duplicates.test));
    }
    json_decref(classes);
    return object;
}

/* The indices of all devices, where there are several. */
static void add_devices(json_t *run, const struct unseen_device *device)
{
    json_t *indices = device && us_device_count(device) > 1 ? json_array() : NULL;
    for (; indices && device; device = us_device_next(device))
        json_array_append_new(indices, json_integer(unseen_device_info(device)->index));
    if (indices)
        json_object_set_new(run, "devices", indices);
}

enum unseen_status us_put_reading(json_t *settings, const struct unseen_dataset_options *reading)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_options_put(settings, us_dataset_options, reading, 0));
    US_TRY(us_options_put(settings, us_label_options, reading, 0));
    if (reading->true_labels)
        US_TRY(us_options_put(settings, us_truth_options, reading, 0));
out:
    return st;
}

/* All that was asked for, as --config takes it. */
static json_t *settings_json(uint64_t seed, const struct us_option *table, const void *options,
                             const struct unseen_dataset_options *reading)
{
    json_t *settings = json_object();
    /* JSON's integers end earlier than seeds do. */
    char *large = seed > INT64_MAX ? us_format("%" PRIu64, seed) : NULL;
    json_t *number = large ? json_string(large) : json_integer((json_int_t)seed);
    free(large);
    if (us_options_put(settings, table, options, 0) || us_put_reading(settings, reading) ||
        json_object_set_new(settings, "seed", number)) {
        json_decref(settings);
        return NULL;
    }
    return settings;
}

json_t *us_run_json(const char *command, uint64_t seed, const struct unseen_device *device,
                    const struct unseen_dataset *data, const struct us_option *table, const void *options)
{
    json_t *run = json_pack("{s:s, s:s, s:o?, s:o*, s:o, s:o*}", "program", PACKAGE_NAME, "version",
                            unseen_version(), "command", command ? us_json_text(command) : NULL, "device",
                            device ? device_json(device) : NULL, "data", data_json(data), "settings",
                            table ? settings_json(seed, table, options, &data->options) : NULL);
    if (run && (!table || json_object_get(run, "settings"))) {
        add_devices(run, device);
        json_t *loading = us_loading_json();
        if (loading)
            json_object_set_new(run, "loading", loading);
    } else {
        json_decref(run);
        run = NULL;
        us_fail(UNSEEN_FAILED, "run.json", "cannot describe the run: out of memory");
    }
    return run;
}
