/* How operators spread their work: vector widths and group sizes that suit the kind of device. */
#ifndef US_OPS_LAUNCH_H
#define US_OPS_LAUNCH_H

#include "device/device.h"

/* Floats that one load should take: 16 on CPUs (one AVX-512 register, two of AVX), 4 elsewhere. */
static inline int us_vector_width(const struct unseen_device *device)
{
    return us_device_is_cpu(device) ? 16 : 4;
}

/* The widest vector, up to us_vector_width, that divides `channels`: a power of two. */
static inline int us_channel_vector(const struct unseen_device *device, int channels)
{
    int width = us_vector_width(device);
    while (channels % width)
        width /= 2;
    return width;
}

/* A work-group for sums over columns, see cl/group_sum.clh: its items and how many of them stand side by
 * side, both powers of two. */
struct us_sum_group {
    int items, across;
};

/* For so many columns, at most `most` side by side. */
static inline struct us_sum_group us_sum_group(const struct unseen_device *device, int columns, int most)
{
    struct us_sum_group g = {.items = 256, .across = 1};
    while ((size_t)g.items > unseen_device_info(device)->max_group)
        g.items /= 2;
    while (g.across < most && g.across < g.items && 2 * g.across <= columns)
        g.across *= 2;
    return g;
}

/* Small work-items (nanoseconds) in groups large enough to pay for dispatching one; kernels guard against the
 * surplus. */
static inline struct us_range us_range_small_items(const struct unseen_device *device, size_t items)
{
    size_t group = us_device_is_cpu(device) ? 256 : 64;
    return US_RANGE1L(us_round_up(items, group), group);
}

/* Medium work-items: tens of nanoseconds to a few microseconds. */
static inline struct us_range us_range_medium_items(const struct unseen_device *device, size_t items)
{
    size_t group = us_device_is_cpu(device) ? 16 : 64;
    return US_RANGE1L(us_round_up(items, group), group);
}

/* Large work-items (a microsecond or more): one a group on CPUs, where a group runs on one core. */
static inline struct us_range us_range_large_items(const struct unseen_device *device, size_t items)
{
    size_t group = us_device_is_cpu(device) ? 1 : 64;
    return US_RANGE1L(us_round_up(items, group), group);
}

#endif
