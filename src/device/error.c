#include "config.h"

#include "device/device.h"

#include <string.h>

/* Codes of later versions and of the ICD loader are given as numbers: the headers are held to OpenCL 1.2. */
static const struct {
    cl_int code;
    const char *name, *words;
} errors[] = {
    {0, "CL_SUCCESS", "no error"},
    {-1, "CL_DEVICE_NOT_FOUND", "no device of that kind"},
    {-2, "CL_DEVICE_NOT_AVAILABLE", "the device is not available now"},
    {-3, "CL_COMPILER_NOT_AVAILABLE", "the device has no compiler"},
    {-4, "CL_MEM_OBJECT_ALLOCATION_FAILURE", "the device has no memory left for this buffer"},
    {-5, "CL_OUT_OF_RESOURCES", "the device ran out of resources, or a kernel went out of bounds"},
    {-6, "CL_OUT_OF_HOST_MEMORY", "the driver ran out of host memory"},
    {-7, "CL_PROFILING_INFO_NOT_AVAILABLE", "profiling is off"},
    {-8, "CL_MEM_COPY_OVERLAP", "source and destination overlap"},
    {-9, "CL_IMAGE_FORMAT_MISMATCH", "image formats differ"},
    {-10, "CL_IMAGE_FORMAT_NOT_SUPPORTED", "unsupported image format"},
    {-11, "CL_BUILD_PROGRAM_FAILURE", "the kernel source does not compile"},
    {-12, "CL_MAP_FAILURE", "a buffer cannot be mapped"},
    {-13, "CL_MISALIGNED_SUB_BUFFER_OFFSET", "a sub-buffer's offset is not aligned"},
    {-14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST", "an earlier command failed"},
    {-15, "CL_COMPILE_PROGRAM_FAILURE", "the kernel source does not compile"},
    {-16, "CL_LINKER_NOT_AVAILABLE", "the device has no linker"},
    {-17, "CL_LINK_PROGRAM_FAILURE", "the program does not link"},
    {-18, "CL_DEVICE_PARTITION_FAILED", "the device cannot be partitioned"},
    {-19, "CL_KERNEL_ARG_INFO_NOT_AVAILABLE", "argument information is missing"},
    {-30, "CL_INVALID_VALUE", "a value is out of range"},
    {-31, "CL_INVALID_DEVICE_TYPE", "no such device type"},
    {-32, "CL_INVALID_PLATFORM", "no such platform"},
    {-33, "CL_INVALID_DEVICE", "no such device"},
    {-34, "CL_INVALID_CONTEXT", "no such context"},
    {-35, "CL_INVALID_QUEUE_PROPERTIES", "unsupported queue properties"},
    {-36, "CL_INVALID_COMMAND_QUEUE", "no such queue, or the device is gone"},
    {-37, "CL_INVALID_HOST_PTR", "bad host pointer"},
    {-38, "CL_INVALID_MEM_OBJECT", "no such buffer"},
    {-39, "CL_INVALID_IMAGE_FORMAT_DESCRIPTOR", "bad image format"},
    {-40, "CL_INVALID_IMAGE_SIZE", "bad image size"},
    {-41, "CL_INVALID_SAMPLER", "no such sampler"},
    {-42, "CL_INVALID_BINARY", "the program's binary does not fit the device"},
    {-43, "CL_INVALID_BUILD_OPTIONS", "the compiler does not know an option"},
    {-44, "CL_INVALID_PROGRAM", "no such program"},
    {-45, "CL_INVALID_PROGRAM_EXECUTABLE", "the program was not built for this device"},
    {-46, "CL_INVALID_KERNEL_NAME", "the program has no kernel of that name"},
    {-47, "CL_INVALID_KERNEL_DEFINITION", "the kernel differs between devices"},
    {-48, "CL_INVALID_KERNEL", "no such kernel"},
    {-49, "CL_INVALID_ARG_INDEX", "the kernel has no argument of that number"},
    {-50, "CL_INVALID_ARG_VALUE", "bad argument value"},
    {-51, "CL_INVALID_ARG_SIZE", "an argument has another size in the kernel"},
    {-52, "CL_INVALID_KERNEL_ARGS", "an argument was not set"},
    {-53, "CL_INVALID_WORK_DIMENSION", "bad number of dimensions"},
    {-54, "CL_INVALID_WORK_GROUP_SIZE", "the work-group size does not fit kernel, device or global size"},
    {-55, "CL_INVALID_WORK_ITEM_SIZE", "the work-group is too large in one dimension"},
    {-56, "CL_INVALID_GLOBAL_OFFSET", "bad global offset"},
    {-57, "CL_INVALID_EVENT_WAIT_LIST", "bad list of events"},
    {-58, "CL_INVALID_EVENT", "no such event"},
    {-59, "CL_INVALID_OPERATION", "the operation is not allowed here"},
    {-60, "CL_INVALID_GL_OBJECT", "no such OpenGL object"},
    {-61, "CL_INVALID_BUFFER_SIZE", "a buffer of that size is not allowed on this device"},
    {-62, "CL_INVALID_MIP_LEVEL", "bad mip level"},
    {-63, "CL_INVALID_GLOBAL_WORK_SIZE", "bad global size"},
    {-64, "CL_INVALID_PROPERTY", "unknown property"},
    {-65, "CL_INVALID_IMAGE_DESCRIPTOR", "bad image descriptor"},
    {-66, "CL_INVALID_COMPILER_OPTIONS", "the compiler does not know an option"},
    {-67, "CL_INVALID_LINKER_OPTIONS", "the linker does not know an option"},
    {-68, "CL_INVALID_DEVICE_PARTITION_COUNT", "bad partition count"},
    {-69, "CL_INVALID_PIPE_SIZE", "bad pipe size"},
    {-70, "CL_INVALID_DEVICE_QUEUE", "no such device queue"},
    {-71, "CL_INVALID_SPEC_ID", "no such specialisation constant"},
    {-72, "CL_MAX_SIZE_RESTRICTION_EXCEEDED", "a size restriction of the program is exceeded"},
    {-1001, "CL_PLATFORM_NOT_FOUND_KHR", "no OpenCL driver is installed"},
    {-9999, "CL_NVIDIA_ILLEGAL_ACCESS", "a kernel read or wrote out of bounds"},
};

static const char *words(cl_int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].code == error)
            return errors[i].words;
    }
    return "not an error of the standard";
}

const char *us_cl_error_name(cl_int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].code == error)
            return errors[i].name;
    }
    return "CL_UNKNOWN_ERROR";
}

enum unseen_status us_cl_fail(cl_int error, const char *call, const char *file, int line)
{
    /* The call as it stands in the source may run over lines: squeeze its spaces. */
    char text[200];
    size_t n = 0;
    for (const char *p = call; *p && n + 1 < sizeof text; p++) {
        bool space = *p == ' ' || *p == '\n' || *p == '\t';
        if (!space || (n > 0 && text[n - 1] != ' '))
            text[n++] = space ? ' ' : *p;
    }
    text[n] = '\0';
    bool gone = error == CL_DEVICE_NOT_AVAILABLE;
    us_fail(gone ? UNSEEN_NO_DEVICE : UNSEEN_FAILED, "OpenCL", "%s (%d): %s; in %s at %s:%d",
            us_cl_error_name(error), (int)error, words(error), text, file, line);
    switch (error) {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_OUT_OF_RESOURCES:
    case CL_OUT_OF_HOST_MEMORY:
        us_hint(
            "the device may be out of memory: try a smaller --batch, or close other programs that use it");
        break;
    case CL_DEVICE_NOT_AVAILABLE:
    case CL_INVALID_COMMAND_QUEUE:
        us_hint("the driver may have reset the device: run again, and look at the system's log (dmesg)");
        break;
    case CL_COMPILER_NOT_AVAILABLE:
        us_hint("choose another device: `unseen devices` lists them");
        break;
    default:
        break;
    }
    return gone ? UNSEEN_NO_DEVICE : UNSEEN_FAILED;
}
