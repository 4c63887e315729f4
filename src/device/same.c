/* Which entries of a list are the same hardware, shown by two drivers. */
#include "config.h"

#include <string.h>

#include "device/state.h"

/* How many devices of that name the platform lists before this one. */
static int ordinal(struct unseen_device_info *const list[], int i)
{
    int n = 0;
    for (int k = 0; k < i; k++)
        n += list[k]->platform_index == list[i]->platform_index && strcmp(list[k]->name, list[i]->name) == 0;
    return n;
}

/* A machine has one set of CPUs. Where a driver does not tell what a GPU is, the name does, and of several of
 * a name the order, which is that of the bus. */
static bool same_hardware(struct unseen_device_info *const list[], int i, int k)
{
    const struct unseen_device_info *a = list[i], *b = list[k];
    if (a->platform_index == b->platform_index || a->type != b->type)
        return false;
    if (a->type == UNSEEN_DEVICE_CPU)
        return true;
    if (*a->hardware && *b->hardware && strncmp(a->hardware, b->hardware, 3) == 0)
        return strcmp(a->hardware, b->hardware) == 0;
    return strcmp(a->name, b->name) == 0 && ordinal(list, i) == ordinal(list, k);
}

void us_devices_mark_same(struct unseen_device_info *const list[], int n)
{
    for (int i = 0; i < n; i++) {
        list[i]->repeated = 0;
        list[i]->same_as = list[i]->index;
        for (int k = 0; k < i && !list[i]->repeated; k++) {
            list[i]->repeated = same_hardware(list, k, i);
            if (list[i]->repeated)
                list[i]->same_as = list[k]->same_as;
        }
    }
}
