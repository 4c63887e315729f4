#include "config.h"

#include "device/state.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SIZES = 8 };

/* What vendors' extensions tell, from their headers, which not every system has. */
enum {
    UUID_KHR = 0x106A,
    PCI_BUS_INFO_KHR = 0x410F,
    COMPUTE_CAPABILITY_MAJOR_NV = 0x4000,
    COMPUTE_CAPABILITY_MINOR_NV = 0x4001,
    PCI_BUS_NV = 0x4008,
    PCI_SLOT_NV = 0x4009,
    PCI_DOMAIN_NV = 0x400A,
    TOPOLOGY_AMD = 0x4037,
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
    *facts = (struct us_facts){.floats = number(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT)};
    if (by(info, "NVIDIA"))
        facts->capability =
            10 * number(id, COMPUTE_CAPABILITY_MAJOR_NV) + number(id, COMPUTE_CAPABILITY_MINOR_NV);
    if (by(info, "Advanced Micro Devices"))
        facts->wavefront = number(id, WAVEFRONT_WIDTH_AMD);
    if (by(info, "Intel"))
        facts->sub_groups = sub_groups(id);
}

bool us_device_has_wide_registers(const struct unseen_device *device)
{
    return device->facts.floats >= 16;
}

/* Domain, bus, device, function on the bus, by whichever extension the driver has. */
static bool pci_place(cl_device_id id, unsigned place[4])
{
    cl_uint khr[4], bus, slot;
    cl_uchar amd[24]; /* type 1 in 4 bytes, 17 unused, bus, device, function */
    cl_uint type;
    if (clGetDeviceInfo(id, PCI_BUS_INFO_KHR, sizeof khr, khr, NULL) == CL_SUCCESS) {
        memcpy(place, khr, sizeof khr);
        return true;
    }
    if (clGetDeviceInfo(id, PCI_BUS_NV, sizeof bus, &bus, NULL) == CL_SUCCESS &&
        clGetDeviceInfo(id, PCI_SLOT_NV, sizeof slot, &slot, NULL) == CL_SUCCESS) {
        const unsigned nv[4] = {number(id, PCI_DOMAIN_NV), bus, slot >> 3, slot & 7};
        memcpy(place, nv, sizeof nv);
        return true;
    }
    if (clGetDeviceInfo(id, TOPOLOGY_AMD, sizeof amd, amd, NULL) == CL_SUCCESS &&
        (memcpy(&type, amd, sizeof type), type == 1)) {
        const unsigned radeon[4] = {0, amd[21], amd[22], amd[23]};
        memcpy(place, radeon, sizeof radeon);
        return true;
    }
    return false;
}

void us_facts_hardware(cl_device_id id, char *text, size_t size)
{
    unsigned place[4];
    cl_uchar uuid[16];
    text[0] = '\0';
    if (pci_place(id, place)) {
        snprintf(text, size, "pci %04x:%02x:%02x.%x", place[0], place[1], place[2], place[3]);
    } else if (clGetDeviceInfo(id, UUID_KHR, sizeof uuid, uuid, NULL) == CL_SUCCESS) {
        int n = snprintf(text, size, "uuid ");
        for (size_t i = 0; i < sizeof uuid; i++)
            n += snprintf(text + n, size - (size_t)n, "%02x", uuid[i]);
    }
}
