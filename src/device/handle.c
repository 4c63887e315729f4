/* What an open device is asked about itself. */
#include "config.h"

#include "device/state.h"

int us_device_count(const struct unseen_device *device)
{
    int n = 0;
    for (; device; device = device->next)
        n++;
    return n;
}

struct unseen_device *us_device_next(const struct unseen_device *device)
{
    return device->next;
}

enum unseen_status us_device_alone(const struct unseen_device *device, const char *what)
{
    const int n = us_device_count(device);
    if (n == 1)
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, "--device", "names %d devices; %s takes one", n, what);
    us_hint("prune, trajectory and compare train many models and spread them over several devices");
    return UNSEEN_USAGE;
}

void us_device_limit(struct unseen_device *device, uint64_t bytes)
{
    device->pool.limit = bytes;
}

const struct unseen_device_info *unseen_device_info(const struct unseen_device *device)
{
    return &device->info;
}

cl_command_queue us_device_queue(const struct unseen_device *device)
{
    return device->queue;
}

cl_device_id us_device_id(const struct unseen_device *device)
{
    return device->id;
}

bool us_device_is_cpu(const struct unseen_device *device)
{
    return device->quirks.cpu_shape;
}
