#include "config.h"

#include "base/log.h"
#include "device/signals.h"
#include "device/state.h"
#include "device/tuning.h"

#include <stdlib.h>
#include <string.h>

/* Drivers explain here what an error code only hints at. */
static void CL_CALLBACK notify(const char *text, const void *private_info, size_t size, void *context)
{
    (void)private_info;
    (void)size;
    (void)context;
    us_log(UNSEEN_LOG_DEBUG, "OpenCL: %s", text);
}

static enum unseen_status make_context(struct unseen_device *device)
{
    enum unseen_status st = UNSEEN_OK;
    cl_int error = CL_SUCCESS;
    cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)device->platform, 0};
    us_signals_keep();
    device->context = clCreateContext(properties, 1, &device->id, notify, NULL, &error);
    us_signals_restore();
    US_CL(error);
out:
    return st;
}

/* All that a handle has of its own. */
static enum unseen_status begin(struct unseen_device *device)
{
    enum unseen_status st = UNSEEN_OK;
    cl_int error = CL_SUCCESS;
    const char *profile = getenv("UNSEEN_PROFILE");
    device->profile.on = profile && strcmp(profile, "1") == 0;
    device->queue = clCreateCommandQueue(device->context, device->id,
                                         device->profile.on ? CL_QUEUE_PROFILING_ENABLE : 0, &error);
    US_CL(error);
    US_TRY(us_quirks_find(&device->info, &device->quirks));
    us_facts_find(device->id, &device->info, &device->facts);
    us_pool_begin(device);
out:
    return st;
}

static enum unseen_status open_one(const struct us_found *found, struct unseen_device **device)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device *fresh = us_calloc(1, sizeof *fresh);
    US_TRY_ALLOC(fresh);
    fresh->info = found->info;
    fresh->platform = found->platform;
    fresh->id = found->id;
    US_TRY(make_context(fresh));
    US_TRY(begin(fresh));
    *device = fresh;
    fresh = NULL;
out:
    unseen_device_close(fresh);
    return st;
}

/* Handles of the same device, each with a pool of its own, share its memory. */
static void share_memory(struct unseen_device *first)
{
    for (struct unseen_device *d = first; d; d = d->next) {
        uint64_t handles = 0;
        for (const struct unseen_device *other = first; other; other = other->next)
            handles += other->id == d->id;
        d->pool.limit /= handles;
    }
}

enum unseen_status unseen_device_open(const char *selector, struct unseen_device **device)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_found *found = NULL;
    struct unseen_device_info *infos = NULL;
    struct unseen_device *first = NULL, **link = &first;
    const char *why = NULL;
    int n = 0, indices[UNSEEN_DEVICES_MOST], count = 0;
    US_TRY(us_found_list(&found, &n));
    US_TRY_ALLOC(infos = us_calloc((size_t)n, sizeof *infos));
    for (int i = 0; i < n; i++)
        infos[i] = found[i].info;
    US_TRY(unseen_device_choose(infos, n, selector, indices, &count, &why));
    for (int i = 0; i < count; i++, link = &(*link)->next) {
        US_TRY(open_one(&found[indices[i]], link));
        us_log(UNSEEN_LOG_DEBUG, "device %d, %s (%s): %s", indices[i], (*link)->info.name,
               (*link)->info.platform, why);
    }
    share_memory(first);
    *device = first;
    first = NULL;
out:
    unseen_device_close(first);
    free(infos);
    free(found);
    return st;
}

enum unseen_status us_device_clone(struct unseen_device *device, struct unseen_device **clone)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device *fresh = us_calloc(1, sizeof *fresh);
    US_TRY_ALLOC(fresh);
    fresh->info = device->info;
    fresh->platform = device->platform;
    fresh->id = device->id;
    US_CL(clRetainContext(device->context));
    fresh->context = device->context;
    US_TRY(begin(fresh));
    fresh->bf16 = device->bf16;
    fresh->tiles = device->tiles;
    memcpy(fresh->matrix, device->matrix, sizeof fresh->matrix);
    fresh->told_slow = device->told_slow;
    US_TRY(us_tuning_copy(device, fresh));
    *clone = fresh;
    fresh = NULL;
out:
    unseen_device_close(fresh);
    return st;
}

static void close_one(struct unseen_device *device)
{
    if (device->queue)
        clFinish(device->queue);
    us_profile_print(device);
    us_profile_release(device);
    us_programs_release(device);
    us_pool_end(device);
    if (device->queue)
        clReleaseCommandQueue(device->queue);
    if (device->context)
        clReleaseContext(device->context);
    free(device->quirks.options);
    json_decref(device->tuning);
    free(device);
}

void unseen_device_close(struct unseen_device *device)
{
    while (device) {
        struct unseen_device *next = device->next;
        close_one(device);
        device = next;
    }
}
