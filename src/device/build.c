#include "config.h"

#include "base/log.h"
#include "device/cache.h"
#include "device/drivers.h"
#include "device/signals.h"
#include "device/source.h"
#include "device/state.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* An interrupt comes to all threads, and compilers inside drivers end by it as the program is about to. */
static bool interrupted_meanwhile(void)
{
    const struct timespec nap = {0, 10000000};
    if (!us_interrupted())
        nanosleep(&nap, NULL);
    return us_interrupted();
}

/* The driver has no room to compile in; false where that is not what went wrong. */
static bool cache_is_full(const struct unseen_device *device, const char *file)
{
    char *trouble =
        strstr(device->info.platform, "Portable Computing Language") ? us_pocl_cache_trouble() : NULL;
    if (trouble) {
        us_fail(UNSEEN_FAILED, file, "cannot build it: PoCL cannot write its cache: %s", trouble);
        us_hint("free some space there, or set POCL_CACHE_DIR to a folder on another disk");
    }
    const bool full = trouble != NULL;
    free(trouble);
    return full;
}

/* The error line quotes the log from its first error on; all of it goes to the debug log. */
static enum unseen_status build_failed(const struct unseen_device *device, cl_program program, cl_int error,
                                       const char *file, const char *options)
{
    if (interrupted_meanwhile())
        return us_fail(UNSEEN_INTERRUPTED, file, "interrupted while it was compiled");
    if (cache_is_full(device, file))
        return UNSEEN_FAILED;
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

static cl_int build(const struct unseen_device *device, cl_program program, const char *options)
{
    us_signals_keep();
    const cl_int error = clBuildProgram(program, 1, &device->id, options, NULL, NULL);
    us_signals_restore();
    return error;
}

/* A program from a cached binary, NULL if there is none that the driver takes. */
static cl_program load(const struct unseen_device *device, const char *key, const char *options)
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
        error = build(device, program, options);
    if (error == CL_SUCCESS && binary == CL_SUCCESS)
        return program;
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

static enum unseen_status compile(const struct unseen_device *device, const char *file, const char *source,
                                  const char *options, cl_program *program)
{
    enum unseen_status st = UNSEEN_OK;
    cl_int error = CL_SUCCESS;
    cl_program fresh = clCreateProgramWithSource(device->context, 1, &source, NULL, &error);
    US_CL(error);
    error = build(device, fresh, options);
    if (error != CL_SUCCESS)
        US_TRY(build_failed(device, fresh, error, file, options));
    *program = fresh;
    fresh = NULL;
out:
    if (fresh)
        clReleaseProgram(fresh);
    return st;
}

enum unseen_status us_program_build(const struct unseen_device *device, struct us_program *program)
{
    enum unseen_status st = UNSEEN_OK;
    char *source = NULL, *options = NULL;
    char key[US_CACHE_KEY];
    bool cached = us_cache_on(!device->quirks.keeps_programs);
    US_TRY(us_source_load(program->file, &source));
    /* -w: some compilers write their count of warnings to stderr, past the build log. */
    US_TRY_ALLOC(options = us_format("-w %s%s%s", device->quirks.options, *program->options ? " " : "",
                                     program->options));
    if (cached) {
        us_cache_key(&device->info, source, options, key);
        program->program = load(device, key, options);
        program->loaded = program->program != NULL;
        if (program->loaded)
            goto out;
    }
    US_TRY(compile(device, program->file, source, options, &program->program));
    if (cached)
        store(device, program->program, key);
out:
    free(source);
    free(options);
    return st;
}
