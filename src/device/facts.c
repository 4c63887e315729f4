#include "config.h"

#include "device/state.h"

#include <string.h>

enum { MOST_SIZES = 8 };

/* What vendors' extensions tell, from their headers, which not every system has. */
enum {
    COMPUTE_CAPABILITY_MAJOR_NV = 0x4000,
    COMPUTE_CAPABILITY_MINOR_NV = 0x4001,
    WAVEFRONT_WIDTH_AMD = 0x4043,
    SUB_GROUP_SIZES_INTEL = 0x4108
};

static bool by(const struct unseen_device_info *info, const char *vendor)
{
    return info->type == UNSEEN_DEVICE_GPU && strstr(info->vendor, vendor);
}

static unsigned number(cl_device_id id, cl_device_info what)
{
    cl_uint value = 0;
    return clGetDeviceInfo(id, what, sizeof value, &value, NULL) == CL_SUCCESS ? value : 0;
}

static unsigned sub_groups(cl_device_id id)
{
    size_t sizes[MOST_SIZES], bytes = 0;
    unsigned all = 0;
    if (clGetDeviceInfo(id, SUB_GROUP_SIZES_INTEL, sizeof sizes, sizes, &bytes) != CL_SUCCESS)
        return 0;
    for (size_t i = 0; i < bytes / sizeof *sizes; i++)
        all |= (unsigned)sizes[i];
    return all;
}

void us_facts_find(cl_device_id id, const struct unseen_device_info *info, struct us_facts *facts)
{
    *facts = (struct us_facts){0};
    if (by(info, "NVIDIA"))
        facts->capability =
            10 * number(id, COMPUTE_CAPABILITY_MAJOR_NV) + number(id, COMPUTE_CAPABILITY_MINOR_NV);
    if (by(info, "Advanced Micro Devices"))
        facts->wavefront = number(id, WAVEFRONT_WIDTH_AMD);
    if (by(info, "Intel"))
        facts->sub_groups = sub_groups(id);
}
