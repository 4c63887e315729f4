#include "config.h"

#include "device/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cl_int set_arg(cl_kernel kernel, cl_uint i, char type, va_list *args)
{
    switch (type) {
    case 'b': {
        const struct us_buf *buf = va_arg(*args, const struct us_buf *);
        return clSetKernelArg(kernel, i, sizeof(cl_mem), buf ? &buf->mem : NULL);
    }
    case 'i': {
        cl_int value = va_arg(*args, int);
        return clSetKernelArg(kernel, i, sizeof value, &value);
    }
    case 'u': {
        cl_uint value = va_arg(*args, unsigned);
        return clSetKernelArg(kernel, i, sizeof value, &value);
    }
    case 'l': {
        cl_long value = va_arg(*args, int64_t);
        return clSetKernelArg(kernel, i, sizeof value, &value);
    }
    case 'f': {
        cl_float value = (float)va_arg(*args, double);
        return clSetKernelArg(kernel, i, sizeof value, &value);
    }
    default:
        return CL_INVALID_VALUE;
    }
}

static enum unseen_status set_args(const struct us_kernel *kernel, const char *signature, va_list *args)
{
    size_t n = strlen(signature);
    if (n != kernel->args)
        return us_fail(UNSEEN_FAILED, kernel->name, "the kernel takes %u arguments and '%s' gives %zu",
                       (unsigned)kernel->args, signature, n);
    for (size_t i = 0; i < n; i++) {
        cl_int error = set_arg(kernel->kernel, (cl_uint)i, signature[i], args);
        if (error != CL_SUCCESS)
            return us_fail(UNSEEN_FAILED, kernel->name, "argument %zu, type '%c' of '%s': %s", i,
                           signature[i], signature, us_cl_error_name(error));
    }
    return UNSEEN_OK;
}

enum unseen_status us_run(struct unseen_device *device, struct us_kernel *kernel, struct us_range range,
                          const char *signature, ...)
{
    va_list args;
    if (!kernel->kernel)
        return us_fail(UNSEEN_FAILED, kernel->name, "the kernel is not built yet");
    va_start(args, signature);
    enum unseen_status st = set_args(kernel, signature, &args);
    va_end(args);
    if (st != UNSEEN_OK)
        return st;
    for (cl_uint i = 0; i < range.dims; i++) {
        if (range.global[i] == 0)
            return UNSEEN_OK; /* OpenCL 1.2 calls an empty launch an error; operators have empty work at times
                               */
    }
    cl_event event = NULL;
    cl_int error = clEnqueueNDRangeKernel(device->queue, kernel->kernel, range.dims, NULL, range.global,
                                          range.local[0] ? range.local : NULL, 0, NULL,
                                          device->profile.on ? &event : NULL);
    if (error != CL_SUCCESS) {
        char text[512];
        snprintf(text, sizeof text, "%s over %zux%zux%zu in groups of %zux%zux%zu", kernel->name,
                 range.global[0], range.global[1], range.global[2], range.local[0], range.local[1],
                 range.local[2]);
        return us_cl_fail(error, text, __FILE__, __LINE__);
    }
    if (event)
        us_profile_external(device, kernel->name, event);
    return UNSEEN_OK;
}
