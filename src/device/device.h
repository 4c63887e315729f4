/* The device layer as operators see it: buffers, kernels, launches. Everything is enqueued on one in-order
 * queue; nothing waits for the device but us_read, us_write, us_queue_wait and us_finish. */
#ifndef US_DEVICE_DEVICE_H
#define US_DEVICE_DEVICE_H

#include <CL/cl.h>
#include <stdint.h>

#include "base/status.h"
#include "unseen/device.h"

/* The symbolic name of an OpenCL error, "CL_OUT_OF_RESOURCES". Static. */
const char *us_cl_error_name(cl_int error);

/* Record a failed OpenCL call: names error, call text, file and line; hints for what is known (memory,
 * build). Returns UNSEEN_FAILED, or UNSEEN_NO_DEVICE for a device that is gone. */
enum unseen_status us_cl_fail(cl_int error, const char *call, const char *file, int line);

/* In a function with `st` and `out:`: check an OpenCL call. */
#define US_CL(call)                                                                                          \
    do {                                                                                                     \
        cl_int us_cl_error_ = (call);                                                                        \
        if (us_cl_error_ != CL_SUCCESS) {                                                                    \
            st = us_cl_fail(us_cl_error_, #call, __FILE__, __LINE__);                                        \
            goto out;                                                                                        \
        }                                                                                                    \
    } while (0)

/* How many devices were opened behind a handle, and the one behind `device`; NULL: it is the last. */
int us_device_count(const struct unseen_device *device);
struct unseen_device *us_device_next(const struct unseen_device *device);

/* UNSEEN_USAGE if there is more than one; `what` as in "training one model" takes one. */
enum unseen_status us_device_alone(const struct unseen_device *device, const char *what);

/* Another handle of the same device for another thread, with its own queue, programs and buffer pool. The
 * context is shared: kernels of one may read buffers of the other. Tuning is as `device` has it now. Freed
 * with unseen_device_close, in any order. */
enum unseen_status us_device_clone(struct unseen_device *device, struct unseen_device **clone);

/* Let this handle's buffers take `bytes` at most. */
void us_device_limit(struct unseen_device *device, uint64_t bytes);

cl_command_queue us_device_queue(const struct unseen_device *device);
cl_device_id us_device_id(const struct unseen_device *device);

/* ---- buffers ---- */

/* Device memory. `mem` may be passed to OpenCL and CLBlast directly. */
struct us_buf {
    cl_mem mem;
    size_t bytes;          /* as asked for; the allocation may be larger */
    struct us_buf *parent; /* of a sub-buffer */
    size_t offset;         /* of a sub-buffer in its parent */
    size_t class_bytes;    /* what the pool accounts for it */
    struct us_buf *next;   /* in the pool's list of free buffers */
};

/* At least `bytes`, contents undefined, from the pool if one of that size class is free. On lack of memory:
 * an error that says how much was asked for, what is in use, and the device's limits. */
enum unseen_status us_buf_new(struct unseen_device *device, size_t bytes, struct us_buf **buf);

/* Back to the pool (any order, also while kernels that use it are still queued: the queue is in order). NULL
 * is fine. A sub-buffer is released at once. */
void us_buf_free(struct unseen_device *device, struct us_buf *buf);

/* What a buffer of `bytes` takes from the device: sizes are rounded up, so that freed ones serve again. */
size_t us_buf_footprint(size_t bytes);

/* A window; offset a multiple of the device's `align`. The parent must outlive it. */
enum unseen_status us_buf_sub(struct unseen_device *device, struct us_buf *parent, size_t offset,
                              size_t bytes, struct us_buf **sub);

/* Blocking copies; offsets and sizes in bytes. us_zero and us_copy enqueue only. */
enum unseen_status us_write(struct unseen_device *device, struct us_buf *buf, size_t offset, const void *from,
                            size_t bytes);
enum unseen_status us_read(struct unseen_device *device, struct us_buf *buf, size_t offset, void *to,
                           size_t bytes);
enum unseen_status us_zero(struct unseen_device *device, struct us_buf *buf);
enum unseen_status us_copy(struct unseen_device *device, struct us_buf *from, size_t from_offset,
                           struct us_buf *to, size_t to_offset, size_t bytes);

/* The same without waiting: `from` stays as it is, and `to` is not looked at, until the queue has come that
 * far. */
enum unseen_status us_write_later(struct unseen_device *device, struct us_buf *buf, size_t offset,
                                  const void *from, size_t bytes);
enum unseen_status us_read_later(struct unseen_device *device, struct us_buf *buf, size_t offset, void *to,
                                 size_t bytes);

/* A point in the queue behind all that is enqueued so far, which is handed to the device. us_queue_wait waits
 * until it is reached, and frees it. NULL marks no point: there is nothing to wait for. */
enum unseen_status us_queue_mark(struct unseen_device *device, cl_event *mark);
enum unseen_status us_queue_wait(cl_event *mark);
void us_queue_forget(cl_event *mark);

/* Whether the queue has come that far; true for NULL. */
bool us_queue_reached(cl_event mark);

/* Wait until all that is queued is done. */
enum unseen_status us_finish(struct unseen_device *device);

/* Hand queued work to the device without waiting. */
enum unseen_status us_flush(struct unseen_device *device);

/* Bytes in use now, the high-water mark, and what can be planned with (the device's memory less a reserve).
 */
struct us_memory {
    uint64_t used, peak, limit, max_alloc;
};
struct us_memory us_device_memory(const struct unseen_device *device);

/* ---- kernels ---- */

struct us_kernel; /* owned by the device, shared by all who ask for the same */

/* Kernel `name` of cl/`file` built with `options` ("-DC=64 -DRELU=1"; -DUS_CPU=0 or 1 and what
 * quirks.c knows are added here). Programs are built once per process and kept on disk as binaries keyed by
 * source, options, device and driver (not where the driver has the better cache itself, see quirks.c;
 * UNSEEN_KERNEL_CACHE=0 or 1 decides). */
enum unseen_status us_kernel_get(struct unseen_device *device, const char *file, const char *options,
                                 const char *name, struct us_kernel **kernel);

/* Between the two, us_kernel_get only notes programs that are new and gives kernels that cannot run yet; the
 * end builds what was noted, several programs at a time where the driver's compiler allows it (PoCL 3.1 holds
 * one lock for the whole process), and fails as the first that fails. Pairs nest: the outermost end builds.
 * `st` is how the work in between went: after a failure nothing is built and `st` is returned. After any
 * failure kernels got in between are gone. */
void us_builds_begin(struct unseen_device *device);
enum unseen_status us_builds_end(struct unseen_device *device, enum unseen_status st);

/* How many programs this device has built from source and how many came from the cache on disk. */
struct us_builds {
    unsigned compiled, loaded;
};
struct us_builds us_device_builds(const struct unseen_device *device);

/* Global and local sizes; local[0] == 0 leaves the choice to the driver. A global size of 0 runs nothing. */
struct us_range {
    cl_uint dims;
    size_t global[3], local[3];
};
#define US_RANGE1(g)                    ((struct us_range){1, {(g), 1, 1}, {0, 0, 0}})
#define US_RANGE1L(g, l)                ((struct us_range){1, {(g), 1, 1}, {(l), 1, 1}})
#define US_RANGE2L(g0, g1, l0, l1)      ((struct us_range){2, {(g0), (g1), 1}, {(l0), (l1), 1}})
#define US_RANGE3L(g0, g1, g2, a, b, c) ((struct us_range){3, {(g0), (g1), (g2)}, {(a), (b), (c)}})

/* Enqueue with arguments as `signature` tells: 'b' struct us_buf * (NULL gives a null pointer), 'i' int,
 * 'u' unsigned, 'l' int64_t (long in the kernel), 'f' float given as double. */
enum unseen_status us_run(struct unseen_device *device, struct us_kernel *kernel, struct us_range range,
                          const char *signature, ...);

/* `n` rounded up to a multiple of `step`. */
static inline size_t us_round_up(size_t n, size_t step)
{
    return (n + step - 1) / step * step;
}

/* True where kernels should be shaped for CPU cores (one work-item a tile) rather than for work-groups.
 * UNSEEN_SHAPE (cpu or gpu) decides it for devices of any kind. */
bool us_device_is_cpu(const struct unseen_device *device);

/* Whether registers hold 32 vectors of 16 floats, as those of AVX-512 do. Those of AVX and of NEON hold 8. */
bool us_device_has_wide_registers(const struct unseen_device *device);

/* Whether the device computes in that precision: float32 always, bf16 and f16 where a program for it builds
 * and gives the right numbers (with a warning, once, where that is plain code), tf32 where its matrix units
 * do. Each is tried once. Else UNSEEN_USAGE with the reason. */
enum unseen_status us_device_precision(struct unseen_device *device, enum unseen_precision precision);

/* Whether it is a CPU whose bf16 instructions for vectors a program can use (cl/bf16.clh). */
bool us_device_has_bf16(struct unseen_device *device);

/* Whether they are faster than float32's as well: Intel's are not. */
bool us_device_bf16_pays(struct unseen_device *device);

/* Whether it has such instructions for tiles (cl/amx.clh), which the operating system is asked for, too. */
bool us_device_has_tiles(struct unseen_device *device);

/* Time spent per kernel so far goes to stderr (UNSEEN_PROFILE=1; done by unseen_device_close). With profiling
 * on, CLBlast calls are named by us_profile_external(device, "gemm", event), which takes the event over. */
void us_profile_print(struct unseen_device *device);
bool us_profile_on(const struct unseen_device *device);
void us_profile_external(struct unseen_device *device, const char *name, cl_event event);

#endif
