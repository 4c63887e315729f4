#include "config.h"

#include "base/log.h"
#include "device/cache.h"
#include "device/source.h"
#include "device/state.h"

#include <stdlib.h>
#include <string.h>

/* The compiler's log, fresh memory; empty where there is none. */
static char *build_log(const struct unseen_device *device, cl_program program)
{
    size_t size = 0;
    if (clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) != CL_SUCCESS)
        size = 0;
    char *log = us_calloc(size + 1, 1);
    if (log && size > 0 &&
        clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, size, log, NULL) != CL_SUCCESS)
        log[0] = '\0';
    return log;
}

/* The error line quotes the log from its first error on; all of it goes to the debug log. */
static enum unseen_status build_failed(const struct unseen_device *device, cl_program program, cl_int error,
                                       const char *file, const char *options)
{
    char *log = build_log(device, program);
    const char *text = log ? log : "";
    const char *first = strstr(text, "error");
    while (first && first > text && first[-1] != '\n')
        first--;
    us_fail(UNSEEN_FAILED, file, "cannot build it with options '%s': %s: %.500s", options,
            us_cl_error_name(error), first ? first : text);
    us_hint("--verbose shows the compiler's whole log; UNSEEN_CL_PATH=FOLDER tries changed kernel sources");
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        us_log(UNSEEN_LOG_DEBUG, "%s: %.*s", file, (int)length, line);
        line += length + (line[length] != '\0');
    }
    free(log);
    return UNSEEN_FAILED;
}

/* A program from a cached binary, NULL if there is none that the driver takes. */
static cl_program load(struct unseen_device *device, const char *key, const char *options)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (!us_cache_read(key, &bytes, &size))
        return NULL;
    cl_int error = CL_SUCCESS, binary = CL_SUCCESS;
    const unsigned char *binaries[] = {bytes};
    cl_program program =
        clCreateProgramWithBinary(device->context, 1, &device->id, &size, binaries, &binary, &error);
    free(bytes);
    if (error == CL_SUCCESS && binary == CL_SUCCESS)
        error = clBuildProgram(program, 1, &device->id, options, NULL, NULL);
    if (error == CL_SUCCESS && binary == CL_SUCCESS) {
        device->builds.loaded++;
        return program;
    }
    us_log(UNSEEN_LOG_DEBUG, "the driver refuses a cached kernel (%s); it is built anew",
           us_cl_error_name(error != CL_SUCCESS ? error : binary));
    if (program)
        clReleaseProgram(program);
    return NULL;
}

/* A cache that cannot be written costs time later and nothing else, so failures end here. */
static void store(const struct unseen_device *device, cl_program program, const char *key)
{
    size_t size = 0;
    unsigned char *bytes = NULL;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) != CL_SUCCESS ||
        size == 0)
        return;
    if (!(bytes = us_calloc(size, 1)))
        return;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, NULL) == CL_SUCCESS)
        us_cache_write(key, bytes, size);
    else
        us_log(UNSEEN_LOG_DEBUG, "%s does not give a kernel's binary", device->info.name);
    free(bytes);
}

static enum unseen_status compile(struct unseen_device *device, const char *file, const char *source,
                                  const char *options, cl_program *program)
{
    enum unseen_status st = UNSEEN_OK;
    cl_int error = CL_SUCCESS;
    cl_program fresh = clCreateProgramWithSource(device->context, 1, &source, NULL, &error);
    US_CL(error);
    error = clBuildProgram(fresh, 1, &device->id, options, NULL, NULL);
    if (error != CL_SUCCESS)
        US_TRY(build_failed(device, fresh, error, file, options));
    device->builds.compiled++;
    *program = fresh;
    fresh = NULL;
out:
    if (fresh)
        clReleaseProgram(fresh);
    return st;
}

static enum unseen_status make_program(struct unseen_device *device, const char *file, const char *options,
                                       cl_program *program)
{
    enum unseen_status st = UNSEEN_OK;
    char *source = NULL, *all_options = NULL;
    char key[US_CACHE_KEY];
    bool cached = us_cache_on(!device->quirks.keeps_programs);
    US_TRY(us_source_load(file, &source));
    US_TRY_ALLOC(all_options = us_format("%s%s%s", device->quirks.options, *options ? " " : "", options));
    if (cached) {
        us_cache_key(&device->info, source, all_options, key);
        *program = load(device, key, all_options);
        if (*program)
            goto out;
    }
    US_TRY(compile(device, file, source, all_options, program));
    if (cached)
        store(device, *program, key);
out:
    free(source);
    free(all_options);
    return st;
}

static enum unseen_status get_program(struct unseen_device *device, const char *file, const char *options,
                                      struct us_program **program)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_program *fresh = NULL;
    for (struct us_program *p = device->programs; p; p = p->next) {
        if (strcmp(p->file, file) == 0 && strcmp(p->options, options) == 0) {
            *program = p;
            return UNSEEN_OK;
        }
    }
    US_TRY_ALLOC(fresh = us_calloc(1, sizeof *fresh));
    US_TRY_ALLOC(fresh->file = us_format("%s", file));
    US_TRY_ALLOC(fresh->options = us_format("%s", options));
    US_TRY(make_program(device, file, options, &fresh->program));
    fresh->next = device->programs;
    device->programs = fresh;
    *program = fresh;
    return UNSEEN_OK;
out:
    if (fresh) {
        free(fresh->file);
        free(fresh->options);
        free(fresh);
    }
    return st;
}

enum unseen_status us_kernel_get(struct unseen_device *device, const char *file, const char *options,
                                 const char *name, struct us_kernel **kernel)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_program *program = NULL;
    struct us_kernel *fresh = NULL;
    cl_int error = CL_SUCCESS;
    US_TRY(get_program(device, file, options ? options : "", &program));
    for (struct us_kernel *k = program->kernels; k; k = k->next) {
        if (strcmp(k->name, name) == 0) {
            *kernel = k;
            return UNSEEN_OK;
        }
    }
    US_TRY_ALLOC(fresh = us_calloc(1, sizeof *fresh));
    US_TRY_ALLOC(fresh->name = us_format("%s", name));
    fresh->kernel = clCreateKernel(program->program, name, &error);
    if (error != CL_SUCCESS)
        US_TRY(us_fail(UNSEEN_FAILED, file, "cannot make kernel %s: %s", name, us_cl_error_name(error)));
    US_CL(clGetKernelInfo(fresh->kernel, CL_KERNEL_NUM_ARGS, sizeof fresh->args, &fresh->args, NULL));
    fresh->next = program->kernels;
    program->kernels = fresh;
    *kernel = fresh;
    return UNSEEN_OK;
out:
    if (fresh) {
        if (fresh->kernel)
            clReleaseKernel(fresh->kernel);
        free(fresh->name);
        free(fresh);
    }
    return st;
}

void us_programs_release(struct unseen_device *device)
{
    for (struct us_program *p = device->programs, *next; p; p = next) {
        next = p->next;
        for (struct us_kernel *k = p->kernels, *after; k; k = after) {
            after = k->next;
            clReleaseKernel(k->kernel);
            free(k->name);
            free(k);
        }
        clReleaseProgram(p->program);
        free(p->file);
        free(p->options);
        free(p);
    }
    device->programs = NULL;
}

struct us_builds us_device_builds(const struct unseen_device *device)
{
    return device->builds;
}
