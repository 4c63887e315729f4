/* An OpenCL driver that misbehaves as UNSEEN_FAKE_ICD says: "abort", "exit" or "hang" when it is loaded,
 * "hang-later" when it is asked for platforms; "broken" has a platform that cannot list its devices, "mute"
 * one whose device tells nothing of itself; else it has no platform. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_icd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static int is(const char *what)
{
    const char *wish = getenv("UNSEEN_FAKE_ICD");
    return wish && strcmp(wish, what) == 0;
}

static void hang(void)
{
    for (;;)
        sleep(1000);
}

__attribute__((constructor)) static void begin(void)
{
    if (is("abort")) {
        fprintf(stderr, "fake: two compilers in one process\n");
        abort();
    }
    if (is("exit"))
        exit(7);
    if (is("hang"))
        hang();
}

static cl_int platform_info(cl_platform_id platform, cl_platform_info what, size_t size, void *value,
                            size_t *bytes)
{
    const char *text = what == CL_PLATFORM_EXTENSIONS ? "cl_khr_icd" : "Fake";
    (void)platform;
    if (value && size <= strlen(text))
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, text, strlen(text) + 1);
    if (bytes)
        *bytes = strlen(text) + 1;
    return CL_SUCCESS;
}

struct _cl_platform_id {
    const cl_icd_dispatch *dispatch;
};

struct _cl_device_id {
    const cl_icd_dispatch *dispatch;
};

static cl_device_id fake_device(void);

static cl_int device_ids(cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *list,
                         cl_uint *n)
{
    (void)platform;
    (void)type;
    if (!is("mute"))
        return CL_OUT_OF_HOST_MEMORY;
    if (n)
        *n = 1;
    if (list && room > 0)
        *list = fake_device();
    return CL_SUCCESS;
}

static cl_int device_info(cl_device_id device, cl_device_info what, size_t size, void *value, size_t *bytes)
{
    (void)device;
    (void)what;
    (void)size;
    (void)value;
    (void)bytes;
    return CL_INVALID_VALUE;
}

static const cl_icd_dispatch dispatch = {
    .clGetPlatformInfo = platform_info, .clGetDeviceIDs = device_ids, .clGetDeviceInfo = device_info};

static cl_device_id fake_device(void)
{
    static struct _cl_device_id device = {&dispatch};
    return &device;
}

EXPORTED cl_int clIcdGetPlatformIDsKHR(cl_uint room, cl_platform_id *list, cl_uint *n)
{
    static struct _cl_platform_id platform = {&dispatch};
    if (is("hang-later"))
        hang();
    const cl_uint there = is("broken") || is("mute");
    if (n)
        *n = there;
    if (list && room > 0 && there)
        *list = &platform;
    return there ? CL_SUCCESS : -1001;
}

EXPORTED cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t size, void *value,
                                  size_t *bytes)
{
    return platform_info(platform, what, size, value, bytes);
}

EXPORTED void *clGetExtensionFunctionAddress(const char *name)
{
    void *address = NULL;
    cl_int (*get)(cl_uint, cl_platform_id *, cl_uint *) = clIcdGetPlatformIDsKHR;
    if (strcmp(name, "clIcdGetPlatformIDsKHR") == 0)
        memcpy(&address, &get, sizeof address);
    return address;
}
