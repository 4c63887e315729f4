#include "config.h"

#include "device/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool us_profile_on(const struct unseen_device *device)
{
    return device->profile.on;
}

/* Add up finished events; those that report no time count as calls of none. */
static void harvest(struct unseen_device *device)
{
    struct us_profile *profile = &device->profile;
    if (profile->waiting > 0)
        clFinish(device->queue);
    for (size_t i = 0; i < profile->waiting; i++) {
        cl_ulong start = 0, end = 0;
        cl_event event = profile->pending[i].event;
        struct us_profile_total *total = &profile->totals[profile->pending[i].total];
        total->calls++;
        if (clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL) ==
                CL_SUCCESS &&
            clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) == CL_SUCCESS &&
            end > start)
            total->ns += end - start;
        clReleaseEvent(event);
    }
    profile->waiting = 0;
}

/* The index of a name's total, made if new; SIZE_MAX if memory is short. */
static size_t total_of(struct us_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->n; i++) {
        if (strncmp(profile->totals[i].name, name, sizeof profile->totals[i].name - 1) == 0)
            return i;
    }
    if (profile->n == profile->room) {
        size_t room = profile->room ? profile->room * 2 : 32;
        struct us_profile_total *grown = us_realloc(profile->totals, room, sizeof *grown);
        if (!grown)
            return SIZE_MAX;
        profile->totals = grown;
        profile->room = room;
    }
    struct us_profile_total *total = &profile->totals[profile->n];
    memset(total, 0, sizeof *total);
    snprintf(total->name, sizeof total->name, "%s", name);
    return profile->n++;
}

void us_profile_external(struct unseen_device *device, const char *name, cl_event event)
{
    struct us_profile *profile = &device->profile;
    size_t total = profile->on && event ? total_of(profile, name) : SIZE_MAX;
    if (total == SIZE_MAX) {
        if (event)
            clReleaseEvent(event);
        return;
    }
    if (profile->waiting == US_PROFILE_PENDING)
        harvest(device);
    profile->pending[profile->waiting++] = (struct us_profile_event){event, total};
}

static int by_time(const void *a, const void *b)
{
    const struct us_profile_total *x = a, *y = b;
    return (y->ns > x->ns) - (y->ns < x->ns);
}

void us_profile_print(struct unseen_device *device)
{
    struct us_profile *profile = &device->profile;
    if (!profile->on)
        return;
    harvest(device);
    uint64_t sum = 0;
    for (size_t i = 0; i < profile->n; i++)
        sum += profile->totals[i].ns;
    if (profile->n > 0)
        qsort(profile->totals, profile->n, sizeof *profile->totals, by_time);
    fprintf(stderr, "%-40s %10s %12s %7s\n", "kernel", "calls", "ms", "share");
    for (size_t i = 0; i < profile->n; i++) {
        const struct us_profile_total *total = &profile->totals[i];
        fprintf(stderr, "%-40s %10llu %12.3f %6.1f%%\n", total->name, (unsigned long long)total->calls,
                (double)total->ns / 1e6, sum ? 100.0 * (double)total->ns / (double)sum : 0.0);
    }
    fprintf(stderr, "programs: %u compiled, %u loaded from the cache\n", device->builds.compiled,
            device->builds.loaded);
}

void us_profile_release(struct unseen_device *device)
{
    free(device->profile.totals);
    device->profile.totals = NULL;
    device->profile.n = device->profile.room = 0;
}
