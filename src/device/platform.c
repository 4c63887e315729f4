#include "config.h"

#include "base/log.h"
#include "base/text.h"
#include "device/drivers.h"
#include "device/signals.h"
#include "device/state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A string property without surrounding blanks (drivers pad names); empty if the driver refuses. */
static void get_text(cl_device_id id, cl_device_info what, char *text, size_t size)
{
    char *whole = NULL;
    size_t bytes = 0;
    text[0] = '\0';
    if (clGetDeviceInfo(id, what, 0, NULL, &bytes) != CL_SUCCESS || bytes == 0)
        return;
    if (!(whole = us_calloc(bytes + 1, 1)))
        return;
    if (clGetDeviceInfo(id, what, bytes, whole, NULL) == CL_SUCCESS) {
        const char *from = whole;
        while (us_is_space(*from))
            from++;
        snprintf(text, size, "%s", from);
        for (size_t n = strlen(text); n > 0 && us_is_space(text[n - 1]); n--)
            text[n - 1] = '\0';
    }
    free(whole);
}

static bool get_value(cl_device_id id, cl_device_info what, void *value, size_t size)
{
    return clGetDeviceInfo(id, what, size, value, NULL) == CL_SUCCESS;
}

static void judge(cl_device_id id, struct unseen_device_info *info, bool read)
{
    cl_bool available = CL_FALSE, compiler = CL_FALSE, little = CL_FALSE;
    int major = 0, minor = 0;
    char profile[32];
    get_text(id, CL_DEVICE_PROFILE, profile, sizeof profile);
    read = get_value(id, CL_DEVICE_AVAILABLE, &available, sizeof available) && read;
    read = get_value(id, CL_DEVICE_COMPILER_AVAILABLE, &compiler, sizeof compiler) && read;
    read = get_value(id, CL_DEVICE_ENDIAN_LITTLE, &little, sizeof little) && read;
    const char *reason = NULL;
    if (!read)
        reason = "its driver does not answer questions about it";
    else if (!available)
        reason = "it is not available now";
    else if (!compiler)
        reason = "its driver has no compiler";
    else if (!little)
        reason = "it is big-endian";
    else if (strcmp(profile, "FULL_PROFILE") != 0)
        reason = "it has the embedded profile only";
    else if (sscanf(info->version, "OpenCL %d.%d", &major, &minor) != 2 || major * 10 + minor < 12)
        reason = "it is older than OpenCL 1.2";
    info->usable = !reason;
    snprintf(info->reason, sizeof info->reason, "%s", reason ? reason : "");
}

static void describe(cl_platform_id platform, cl_device_id id, struct unseen_device_info *info)
{
    cl_device_type type = 0;
    cl_uint units = 0, clock = 0, align_bits = 0;
    cl_ulong global = 0, max_alloc = 0, local = 0;
    size_t max_group = 0;
    cl_bool host_memory = CL_FALSE;
    bool read = get_value(id, CL_DEVICE_TYPE, &type, sizeof type);
    read = get_value(id, CL_DEVICE_MAX_COMPUTE_UNITS, &units, sizeof units) && read;
    read = get_value(id, CL_DEVICE_GLOBAL_MEM_SIZE, &global, sizeof global) && read;
    read = get_value(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, &max_alloc, sizeof max_alloc) && read;
    read = get_value(id, CL_DEVICE_LOCAL_MEM_SIZE, &local, sizeof local) && read;
    read = get_value(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, &max_group, sizeof max_group) && read;
    read = get_value(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, &align_bits, sizeof align_bits) && read;
    get_value(id, CL_DEVICE_MAX_CLOCK_FREQUENCY, &clock, sizeof clock); /* some drivers do not know */

    get_value(id, CL_DEVICE_HOST_UNIFIED_MEMORY, &host_memory, sizeof host_memory);
    info->host_memory = host_memory == CL_TRUE;
    us_facts_hardware(id, info->hardware, sizeof info->hardware);

    info->type = type & CL_DEVICE_TYPE_GPU   ? UNSEEN_DEVICE_GPU
                 : type & CL_DEVICE_TYPE_CPU ? UNSEEN_DEVICE_CPU
                                             : UNSEEN_DEVICE_OTHER;
    if (clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof info->platform - 1, info->platform, NULL) !=
        CL_SUCCESS)
        info->platform[0] = '\0';
    get_text(id, CL_DEVICE_NAME, info->name, sizeof info->name);
    get_text(id, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
    get_text(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    get_text(id, CL_DEVICE_VERSION, info->version, sizeof info->version);
    get_text(id, CL_DEVICE_OPENCL_C_VERSION, info->c_version, sizeof info->c_version);
    info->compute_units = units;
    info->clock_mhz = clock;
    info->global_bytes = global;
    info->max_alloc_bytes = max_alloc;
    info->local_bytes = local;
    info->max_group = max_group;
    info->align = align_bits >= 8 ? align_bits / 8 : 1;
    judge(id, info, read);
}

/* Append the devices of one platform. A platform that fails is left out: a broken driver must not hide the
 * devices of the others. */
static enum unseen_status append(cl_platform_id platform, int number, struct us_found **found, int *n)
{
    enum unseen_status st = UNSEEN_OK;
    cl_device_id *ids = NULL;
    cl_uint count = 0;
    cl_int error = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count);
    if (error == CL_DEVICE_NOT_FOUND || (error == CL_SUCCESS && count == 0))
        return UNSEEN_OK;
    if (error == CL_SUCCESS) {
        US_TRY_ALLOC(ids = us_calloc(count, sizeof *ids));
        error = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, ids, NULL);
    }
    if (error != CL_SUCCESS) {
        char name[128] = "an OpenCL platform";
        (void)clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL);
        us_log(UNSEEN_LOG_WARNING, "%s does not list its devices: %s", name, us_cl_error_name(error));
        goto out;
    }
    struct us_found *grown = us_realloc(*found, (size_t)*n + count, sizeof **found);
    US_TRY_ALLOC(grown);
    *found = grown;
    for (cl_uint i = 0; i < count; i++) {
        struct us_found *one = &grown[*n];
        memset(one, 0, sizeof *one);
        one->platform = platform;
        one->id = ids[i];
        one->info.index = (*n)++;
        one->info.platform_index = number;
        describe(platform, ids[i], &one->info);
    }
out:
    free(ids);
    return st;
}

/* A driver that is registered twice is loaded once, and the loader lists its platform twice. */
static bool is_listed(const cl_platform_id *platforms, cl_uint i)
{
    for (cl_uint k = 0; k < i; k++) {
        if (platforms[k] == platforms[i])
            return true;
    }
    return false;
}

static enum unseen_status mark_same(struct us_found *found, int n)
{
    struct unseen_device_info **infos = us_calloc((size_t)n, sizeof *infos);
    if (!infos)
        return UNSEEN_FAILED;
    for (int i = 0; i < n; i++)
        infos[i] = &found[i].info;
    us_devices_mark_same(infos, n);
    free(infos);
    return UNSEEN_OK;
}

/* Before the first call of a driver. Whatever the first caller meets, the next ones meet again. */
static struct us_error prepared;

static void prepare(void)
{
    struct us_drivers drivers;
    enum unseen_status st = us_drivers_read(&drivers);
    if (st == UNSEEN_OK) {
        us_pocl_cache_prepare(&drivers);
        st = us_drivers_probe(&drivers);
    }
    us_error_take(st, &prepared);
    us_drivers_free(&drivers);
}

static enum unseen_status find_all(struct us_found **found, int *n)
{
    enum unseen_status st = UNSEEN_OK;
    cl_platform_id *platforms = NULL;
    struct us_found *all = NULL;
    int total = 0;
    cl_uint count = 0;
    cl_int error = clGetPlatformIDs(0, NULL, &count);
    if (error == -1001 /* CL_PLATFORM_NOT_FOUND_KHR, from the ICD loader */)
        count = 0;
    else
        US_CL(error);
    US_TRY_ALLOC(platforms = us_calloc(count, sizeof *platforms));
    if (count > 0)
        US_CL(clGetPlatformIDs(count, platforms, NULL));
    for (cl_uint i = 0; i < count; i++) {
        if (!is_listed(platforms, i))
            US_TRY(append(platforms[i], (int)i, &all, &total));
    }
    US_TRY(mark_same(all, total));
    *found = all;
    *n = total;
    all = NULL;
out:
    free(all);
    free(platforms);
    return st;
}

enum unseen_status us_found_list(struct us_found **found, int *n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare);
    if (prepared.status)
        return us_error_again(&prepared);
    us_signals_keep();
    const enum unseen_status st = find_all(found, n);
    us_signals_restore();
    return st;
}

enum unseen_status unseen_device_list(struct unseen_device_info **list, int *n)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_found *found = NULL;
    struct unseen_device_info *infos = NULL;
    int count = 0;
    US_TRY(us_found_list(&found, &count));
    US_TRY_ALLOC(infos = us_calloc((size_t)count, sizeof *infos));
    for (int i = 0; i < count; i++)
        infos[i] = found[i].info;
    *list = infos;
    *n = count;
out:
    free(found);
    return st;
}
