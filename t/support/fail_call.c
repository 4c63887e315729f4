/* To preload: one call fails of those that the program and its library make of the C library, jansson and
 * OpenCL.
 *
 *   FAIL_LOG=FILE   names every such call, a line each: "NUMBER CALL PATH"; PATH is a hash of the innermost
 * frames in the program and its library, alike for calls from the same place FAIL_AT=N       lets the N-th
 * fail, counted from 1 over all threads and children, as when memory, disk or device give out; FAIL_HOW=eintr
 * and =short let it be interrupted or transfer less instead, where the call may FAIL_ON=1       .. and all
 * calls of that kind after it
 *
 * Calls from elsewhere, from a driver or its compiler, are let through and not counted: what they do with a
 * failure is not this program's to mend. */
#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <jansson.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define FRAMES 24
#define OURS   5 /* frames that tell a path from another */

enum how { FAIL, INTERRUPT, SHORTEN };

static struct {
    uintptr_t base, from, to;
} code[8]; /* of the program and its library */
static int n_code;
static int log_fd = -1;
static long fail_at, count;
static bool fail_on;
static const char *volatile failed_kind;
static enum how how;
static __thread bool inside;

/* dlsym may allocate before the next malloc is known. */
static _Alignas(16) char early[4096];
static size_t early_used;

static void *next(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol && strncmp(name, "cl", 2) == 0) {
        void *loader = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_NOLOAD);
        symbol = loader ? dlsym(loader, name) : NULL;
    }
    return symbol;
}

static int add_object(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    const bool ours = !*info->dlpi_name || strstr(info->dlpi_name, "/libunseen");
    for (int i = 0; ours && i < info->dlpi_phnum && n_code < 8; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        code[n_code].base = info->dlpi_addr;
        code[n_code].from = info->dlpi_addr + part->p_vaddr;
        code[n_code].to = code[n_code].from + part->p_memsz;
        n_code++;
    }
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    char self[256] = "";
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0 || !strstr(self, "unseen"))
        return; /* the shell of a libtool wrapper */
    void *frame[1];
    inside = true;
    backtrace(frame, 1); /* which allocates the first time */
    dl_iterate_phdr(add_object, NULL);
    const char *path = getenv("FAIL_LOG"), *at = getenv("FAIL_AT"), *way = getenv("FAIL_HOW");
    if (path)
        log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    fail_at = at ? atol(at) : 0;
    fail_on = getenv("FAIL_ON") != NULL;
    how = way && !strcmp(way, "eintr") ? INTERRUPT : way && !strcmp(way, "short") ? SHORTEN : FAIL;
    inside = false;
}

static int part_of(const void *address)
{
    for (int i = 0; i < n_code; i++)
        if ((uintptr_t)address >= code[i].from && (uintptr_t)address < code[i].to)
            return i;
    return -1;
}

static void note(long number, const char *kind)
{
    void *frame[FRAMES];
    char line[128];
    uint64_t hash = 1469598103934665603u;
    uintptr_t innermost = 0;
    int ours = 0;
    const int n = backtrace(frame, FRAMES);
    for (int i = 0; i < n && ours < OURS; i++) {
        const int part = part_of(frame[i]);
        if (part < 0)
            continue;
        const uintptr_t at = (uintptr_t)frame[i] - code[part].base;
        if (ours++ == 0)
            innermost = at;
        hash = (hash ^ (at + (uintptr_t)part)) * 1099511628211u;
    }
    const int length = snprintf(line, sizeof line, "%ld %s %016llx %#llx\n", number, kind,
                                (unsigned long long)hash, (unsigned long long)innermost);
    if (syscall(SYS_write, log_fd, line, (size_t)length) < 0)
        abort();
}

/* Whether the call is to fail. */
static bool fails(const char *kind, const void *caller)
{
    if (inside || !n_code || part_of(caller) < 0)
        return false;
    const int error = errno;
    const long number = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    inside = true;
    if (log_fd >= 0)
        note(number, kind);
    inside = false;
    errno = error;
    if (number == fail_at)
        failed_kind = kind;
    return number == fail_at || (fail_on && failed_kind && !strcmp(kind, failed_kind));
}

#define CALLER __builtin_return_address(0)

/* What a stream's own failure leaves behind, for ferror. */
static int spoil(FILE *file)
{
    file->_flags |= 0x20; /* glibc's _IO_ERR_SEEN */
    return EOF;
}

/* TYPE name(params): on failure errno is ERROR and VALUE is returned. */
#define WRAP(type, name, params, args, error, value)                                                         \
    EXPORT type name params                                                                                  \
    {                                                                                                        \
        static type(*real) params;                                                                           \
        if (fails(#name, CALLER)) {                                                                          \
            errno = error;                                                                                   \
            return value;                                                                                    \
        }                                                                                                    \
        if (!real)                                                                                           \
            *(void **)&real = next(#name);                                                                   \
        return real args;                                                                                    \
    }

/* ---- memory ---- */

static void *early_alloc(size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (early_used + size > sizeof early)
        return NULL;
    early_used += size;
    return early + early_used - size;
}

static bool is_early(const void *p)
{
    return (uintptr_t)p >= (uintptr_t)early && (uintptr_t)p < (uintptr_t)early + sizeof early;
}

static __thread bool looking; /* dlsym is at work */

#define FIND(real, name)                                                                                     \
    do {                                                                                                     \
        if (!(real) && !looking) {                                                                           \
            looking = true;                                                                                  \
            *(void **)&(real) = next(name);                                                                  \
            looking = false;                                                                                 \
        }                                                                                                    \
    } while (0)

EXPORT void *malloc(size_t size)
{
    static void *(*real)(size_t);
    if (fails("malloc", CALLER)) {
        errno = ENOMEM;
        return NULL;
    }
    FIND(real, "malloc");
    return real ? real(size) : early_alloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
    static void *(*real)(size_t, size_t);
    if (fails("calloc", CALLER)) {
        errno = ENOMEM;
        return NULL;
    }
    FIND(real, "calloc");
    return real ? real(n, size) : early_alloc(n * size);
}

EXPORT void *realloc(void *p, size_t size)
{
    static void *(*real)(void *, size_t);
    if (fails("realloc", CALLER)) {
        errno = ENOMEM;
        return NULL;
    }
    FIND(real, "realloc");
    return real(p, size);
}

EXPORT void free(void *p)
{
    static void (*real)(void *);
    FIND(real, "free");
    if (real && !is_early(p))
        real(p);
}

WRAP(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), ENOMEM, NULL)
WRAP(char *, strdup, (const char *text), (text), ENOMEM, NULL)
WRAP(char *, strndup, (const char *text, size_t n), (text, n), ENOMEM, NULL)
WRAP(int, vasprintf, (char **out, const char *format, va_list values), (out, format, values), ENOMEM, -1)
WRAP(char *, realpath, (const char *path, char *out), (path, out), ENOMEM, NULL)
WRAP(FILE *, open_memstream, (char **out, size_t *size), (out, size), ENOMEM, NULL)
WRAP(void *, mmap, (void *at, size_t size, int access, int flags, int fd, off_t from),
     (at, size, access, flags, fd, from), ENOMEM, MAP_FAILED)
WRAP(json_t *, json_object, (void), (), ENOMEM, NULL)
WRAP(json_t *, json_array, (void), (), ENOMEM, NULL)
WRAP(json_t *, json_string, (const char *text), (text), ENOMEM, NULL)
WRAP(json_t *, json_integer, (json_int_t value), (value), ENOMEM, NULL)
WRAP(json_t *, json_real, (double value), (value), ENOMEM, NULL)
WRAP(json_t *, json_copy, (json_t * json), (json), ENOMEM, NULL)
WRAP(json_t *, json_deep_copy, (const json_t *json), (json), ENOMEM, NULL)
WRAP(char *, json_dumps, (const json_t *json, size_t flags), (json, flags), ENOMEM, NULL)

/* ---- files and processes ---- */

static mode_t mode_of(int flags, va_list more)
{
    return flags & (O_CREAT | __O_TMPFILE) ? (mode_t)va_arg(more, int) : 0;
}

EXPORT int open(const char *path, int flags, ...)
{
    static int (*real)(const char *, int, ...);
    va_list more;
    va_start(more, flags);
    const mode_t mode = mode_of(flags, more);
    va_end(more);
    if (fails("open", CALLER)) {
        errno = how == INTERRUPT ? EINTR : EMFILE;
        return -1;
    }
    if (!real)
        *(void **)&real = next("open");
    return real(path, flags, mode);
}

/* ssize_t name(fd, data, size, ..): interrupted, shortened or ERROR. */
#define WRAP_TRANSFER(name, params, args, error)                                                             \
    EXPORT ssize_t name params                                                                               \
    {                                                                                                        \
        static ssize_t(*real) params;                                                                        \
        if (fails(#name, CALLER)) {                                                                          \
            if (how != SHORTEN) {                                                                            \
                errno = how == INTERRUPT ? EINTR : error;                                                    \
                return -1;                                                                                   \
            }                                                                                                \
            size = size > 1 ? size / 2 : size;                                                               \
        }                                                                                                    \
        if (!real)                                                                                           \
            *(void **)&real = next(#name);                                                                   \
        return real args;                                                                                    \
    }

WRAP_TRANSFER(read, (int fd, void *data, size_t size), (fd, data, size), EIO)
WRAP_TRANSFER(write, (int fd, const void *data, size_t size), (fd, data, size), ENOSPC)
WRAP_TRANSFER(pread, (int fd, void *data, size_t size, off_t at), (fd, data, size, at), EIO)
WRAP_TRANSFER(pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at), ENOSPC)

WRAP(int, close, (int fd), (fd), EIO, (syscall(SYS_close, fd), -1))
WRAP(int, fsync, (int fd), (fd), EIO, -1)
WRAP(int, fdatasync, (int fd), (fd), EIO, -1)
WRAP(int, syncfs, (int fd), (fd), EIO, -1)
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), EIO, -1)
WRAP(int, fstat, (int fd, struct stat *out), (fd, out), EIO, -1)
WRAP(off_t, lseek, (int fd, off_t at, int from), (fd, at, from), EIO, -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), EACCES, -1)
WRAP(int, unlink, (const char *path), (path), EACCES, -1)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC, -1)
WRAP(int, mkostemp, (char *path, int flags), (path, flags), ENOSPC, -1)
WRAP(char *, mkdtemp, (char *path), (path), ENOSPC, NULL)
WRAP(int, flock, (int fd, int operation), (fd, operation), ENOLCK, -1)
WRAP(DIR *, opendir, (const char *path), (path), EMFILE, NULL)
WRAP(struct dirent *, readdir, (DIR * folder), (folder), EIO, NULL)
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), EMFILE, NULL)
WRAP(size_t, fread, (void *data, size_t size, size_t n, FILE *file), (data, size, n, file), EIO,
     (spoil(file), (size_t)0))
WRAP(size_t, fwrite, (const void *data, size_t size, size_t n, FILE *file), (data, size, n, file), ENOSPC,
     (spoil(file), (size_t)0))
WRAP(int, fputs, (const char *text, FILE *file), (text, file), ENOSPC, spoil(file))
WRAP(int, fflush, (FILE * file), (file), ENOSPC, file ? spoil(file) : EOF)
WRAP(int, pipe, (int fds[2]), (fds), EMFILE, -1)
WRAP(pid_t, fork, (void), (), EAGAIN, -1)
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags), EMFILE, -1)

EXPORT int fclose(FILE *file)
{
    static int (*real)(FILE *);
    const bool failed = fails("fclose", CALLER);
    if (!real)
        *(void **)&real = next("fclose");
    const int result = real(file);
    if (!failed)
        return result;
    errno = ENOSPC;
    return EOF;
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                          void *data)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (fails("pthread_create", CALLER))
        return EAGAIN;
    if (!real)
        *(void **)&real = next("pthread_create");
    return real(thread, attributes, start, data);
}

/* ---- OpenCL ---- */

#define CL_INT(name, params, args) WRAP(cl_int, name, params, args, 0, CL_OUT_OF_RESOURCES)
/* Which lets go of the object nevertheless. */
#define CL_RELEASE(name, type)                                                                               \
    EXPORT cl_int name(type object)                                                                          \
    {                                                                                                        \
        static cl_int (*real)(type);                                                                         \
        const bool failed = fails(#name, CALLER);                                                            \
        if (!real)                                                                                           \
            *(void **)&real = next(#name);                                                                   \
        const cl_int result = real(object);                                                                  \
        return failed ? CL_OUT_OF_HOST_MEMORY : result;                                                      \
    }
#define CL_NEW(type, name, params, args)                                                                     \
    WRAP(type, name, params, args, 0, (error ? (void)(*error = CL_OUT_OF_HOST_MEMORY) : (void)0, (type)NULL))

CL_INT(clGetPlatformIDs, (cl_uint n, cl_platform_id *out, cl_uint *all), (n, out, all))
CL_INT(clGetPlatformInfo, (cl_platform_id of, cl_platform_info what, size_t size, void *out, size_t *all),
       (of, what, size, out, all))
CL_INT(clGetDeviceIDs, (cl_platform_id of, cl_device_type type, cl_uint n, cl_device_id *out, cl_uint *all),
       (of, type, n, out, all))
CL_INT(clGetDeviceInfo, (cl_device_id of, cl_device_info what, size_t size, void *out, size_t *all),
       (of, what, size, out, all))
CL_INT(clGetKernelInfo, (cl_kernel of, cl_kernel_info what, size_t size, void *out, size_t *all),
       (of, what, size, out, all))
CL_INT(clGetProgramInfo, (cl_program of, cl_program_info what, size_t size, void *out, size_t *all),
       (of, what, size, out, all))
CL_INT(clGetProgramBuildInfo,
       (cl_program of, cl_device_id on, cl_program_build_info what, size_t size, void *out, size_t *all),
       (of, on, what, size, out, all))
CL_INT(clGetEventInfo, (cl_event of, cl_event_info what, size_t size, void *out, size_t *all),
       (of, what, size, out, all))
CL_INT(clGetEventProfilingInfo, (cl_event of, cl_profiling_info what, size_t size, void *out, size_t *all),
       (of, what, size, out, all))
CL_INT(clBuildProgram,
       (cl_program of, cl_uint n, const cl_device_id *on, const char *options,
        void(CL_CALLBACK *done)(cl_program, void *), void *data),
       (of, n, on, options, done, data))
CL_INT(clSetKernelArg, (cl_kernel of, cl_uint i, size_t size, const void *value), (of, i, size, value))
CL_INT(clSetMemObjectDestructorCallback, (cl_mem of, void(CL_CALLBACK *done)(cl_mem, void *), void *data),
       (of, done, data))
CL_INT(clWaitForEvents, (cl_uint n, const cl_event *events), (n, events))
CL_INT(clFinish, (cl_command_queue queue), (queue))
CL_INT(clFlush, (cl_command_queue queue), (queue))
CL_INT(clEnqueueNDRangeKernel,
       (cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *from, const size_t *global,
        const size_t *local, cl_uint n, const cl_event *after, cl_event *event),
       (queue, kernel, dims, from, global, local, n, after, event))
CL_INT(clEnqueueReadBuffer,
       (cl_command_queue queue, cl_mem of, cl_bool wait, size_t at, size_t size, void *out, cl_uint n,
        const cl_event *after, cl_event *event),
       (queue, of, wait, at, size, out, n, after, event))
CL_INT(clEnqueueWriteBuffer,
       (cl_command_queue queue, cl_mem of, cl_bool wait, size_t at, size_t size, const void *in, cl_uint n,
        const cl_event *after, cl_event *event),
       (queue, of, wait, at, size, in, n, after, event))
CL_INT(clEnqueueCopyBuffer,
       (cl_command_queue queue, cl_mem from, cl_mem to, size_t at, size_t to_at, size_t size, cl_uint n,
        const cl_event *after, cl_event *event),
       (queue, from, to, at, to_at, size, n, after, event))
CL_INT(clEnqueueFillBuffer,
       (cl_command_queue queue, cl_mem of, const void *pattern, size_t width, size_t at, size_t size,
        cl_uint n, const cl_event *after, cl_event *event),
       (queue, of, pattern, width, at, size, n, after, event))
CL_INT(clEnqueueMarkerWithWaitList,
       (cl_command_queue queue, cl_uint n, const cl_event *after, cl_event *event), (queue, n, after, event))

CL_NEW(cl_context, clCreateContext,
       (const cl_context_properties *properties, cl_uint n, const cl_device_id *devices,
        void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *data, cl_int *error),
       (properties, n, devices, notify, data, error))
CL_NEW(cl_command_queue, clCreateCommandQueue,
       (cl_context in, cl_device_id on, cl_command_queue_properties properties, cl_int *error),
       (in, on, properties, error))
CL_NEW(cl_mem, clCreateBuffer, (cl_context in, cl_mem_flags flags, size_t size, void *host, cl_int *error),
       (in, flags, size, host, error))
CL_NEW(cl_mem, clCreateSubBuffer,
       (cl_mem of, cl_mem_flags flags, cl_buffer_create_type type, const void *region, cl_int *error),
       (of, flags, type, region, error))
CL_NEW(cl_program, clCreateProgramWithSource,
       (cl_context in, cl_uint n, const char **text, const size_t *size, cl_int *error),
       (in, n, text, size, error))
CL_NEW(cl_program, clCreateProgramWithBinary,
       (cl_context in, cl_uint n, const cl_device_id *on, const size_t *size, const unsigned char **binary,
        cl_int *status, cl_int *error),
       (in, n, on, size, binary, status, error))
CL_NEW(cl_kernel, clCreateKernel, (cl_program of, const char *name, cl_int *error), (of, name, error))

CL_RELEASE(clReleaseCommandQueue, cl_command_queue)
CL_RELEASE(clReleaseContext, cl_context)
CL_RELEASE(clReleaseEvent, cl_event)
CL_RELEASE(clReleaseKernel, cl_kernel)
CL_RELEASE(clReleaseMemObject, cl_mem)
CL_RELEASE(clReleaseProgram, cl_program)
