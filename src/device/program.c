/* Which programs and kernels a device has. Those asked for between us_builds_begin and us_builds_end are
 * built together by several threads. */
#include "config.h"

#include "base/threads.h"
#include "device/state.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 8 };

static void free_kernel(struct us_kernel *kernel)
{
    if (kernel->kernel)
        clReleaseKernel(kernel->kernel);
    free(kernel->name);
    free(kernel);
}

static void free_program(struct us_program *program)
{
    if (!program)
        return;
    for (struct us_kernel *k = program->kernels, *next; k; k = next) {
        next = k->next;
        free_kernel(k);
    }
    if (program->program)
        clReleaseProgram(program->program);
    free(program->file);
    free(program->options);
    free(program);
}

void us_programs_release(struct unseen_device *device)
{
    for (struct us_program *p = device->programs, *next; p; p = next) {
        next = p->next;
        free_program(p);
    }
    device->programs = NULL;
}

struct us_builds us_device_builds(const struct unseen_device *device)
{
    return device->builds;
}

static void count_build(struct unseen_device *device, const struct us_program *program)
{
    if (program->loaded)
        device->builds.loaded++;
    else
        device->builds.compiled++;
}

/* The program, built unless builds are being gathered. */
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
    if (!device->gathering) {
        US_TRY(us_program_build(device, fresh));
        count_build(device, fresh);
    }
    fresh->next = device->programs;
    device->programs = fresh;
    *program = fresh;
    fresh = NULL;
out:
    free_program(fresh);
    return st;
}

static enum unseen_status make_kernel(const struct us_program *program, struct us_kernel *kernel)
{
    enum unseen_status st = UNSEEN_OK;
    cl_int error = CL_SUCCESS;
    kernel->kernel = clCreateKernel(program->program, kernel->name, &error);
    if (error != CL_SUCCESS)
        US_TRY(us_fail(UNSEEN_FAILED, program->file, "cannot make kernel %s: %s", kernel->name,
                       us_cl_error_name(error)));
    US_CL(clGetKernelInfo(kernel->kernel, CL_KERNEL_NUM_ARGS, sizeof kernel->args, &kernel->args, NULL));
out:
    return st;
}

enum unseen_status us_kernel_get(struct unseen_device *device, const char *file, const char *options,
                                 const char *name, struct us_kernel **kernel)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_program *program = NULL;
    struct us_kernel *fresh = NULL;
    US_TRY(get_program(device, file, options ? options : "", &program));
    for (struct us_kernel *k = program->kernels; k; k = k->next) {
        if (strcmp(k->name, name) == 0) {
            *kernel = k;
            return UNSEEN_OK;
        }
    }
    US_TRY_ALLOC(fresh = us_calloc(1, sizeof *fresh));
    US_TRY_ALLOC(fresh->name = us_format("%s", name));
    if (program->program)
        US_TRY(make_kernel(program, fresh));
    fresh->next = program->kernels;
    program->kernels = fresh;
    *kernel = fresh;
    return UNSEEN_OK;
out:
    if (fresh)
        free_kernel(fresh);
    return st;
}

/* ---- several at a time ---- */

/* Programs to build, which threads take one after another. */
struct work {
    const struct unseen_device *device;
    struct us_program **programs; /* [n] */
    struct us_error *errors;      /* [n] */
    int n;
    atomic_int next;
};

static void build_some(void *context, int number)
{
    struct work *work = context;
    (void)number;
    for (int i; (i = atomic_fetch_add(&work->next, 1)) < work->n;) {
        enum unseen_status st = us_program_build(work->device, work->programs[i]);
        if (st)
            us_error_take(st, &work->errors[i]);
    }
}

/* The programs that are not built, oldest first. */
static enum unseen_status find_work(struct unseen_device *device, struct work *work)
{
    enum unseen_status st = UNSEEN_OK;
    for (struct us_program *p = device->programs; p; p = p->next)
        work->n += !p->program;
    US_TRY_ALLOC(work->programs = us_calloc((size_t)work->n, sizeof(struct us_program *)));
    US_TRY_ALLOC(work->errors = us_calloc((size_t)work->n, sizeof *work->errors));
    int i = work->n;
    for (struct us_program *p = device->programs; p; p = p->next) {
        if (!p->program)
            work->programs[--i] = p;
    }
out:
    return st;
}

/* Take what could not be built, or was not to be, off the list. */
static void drop_unbuilt(struct unseen_device *device)
{
    for (struct us_program **link = &device->programs; *link;) {
        struct us_program *p = *link;
        bool whole = p->program != NULL;
        for (struct us_kernel *k = p->kernels; k; k = k->next)
            whole = whole && k->kernel;
        if (whole) {
            link = &p->next;
        } else {
            *link = p->next;
            free_program(p);
        }
    }
}

static enum unseen_status build_gathered(struct unseen_device *device)
{
    enum unseen_status st = UNSEEN_OK;
    struct work work = {.device = device};
    US_TRY(find_work(device, &work));
    const int threads = us_threads(MOST_THREADS);
    us_threads_run(threads < work.n ? threads : work.n, build_some, &work);
    for (int i = 0; i < work.n; i++) {
        if (!work.programs[i]->program)
            US_TRY(us_error_again(&work.errors[i]));
        count_build(device, work.programs[i]);
        for (struct us_kernel *k = work.programs[i]->kernels; k; k = k->next)
            US_TRY(make_kernel(work.programs[i], k));
    }
out:
    free(work.programs);
    free(work.errors);
    return st;
}

void us_builds_begin(struct unseen_device *device)
{
    device->gathering++;
}

enum unseen_status us_builds_end(struct unseen_device *device, enum unseen_status st)
{
    if (--device->gathering > 0)
        return st;
    if (st == UNSEEN_OK)
        st = build_gathered(device);
    if (st != UNSEEN_OK)
        drop_unbuilt(device);
    return st;
}
