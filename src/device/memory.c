#include "config.h"

#include "device/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/text.h"

enum { SMALLEST = 256, HUGE_PAGE = 2 << 20 };

static const cl_uchar zeros[16];

/* Eight classes an octave: at most an eighth is wasted, and buffers of nearly equal steps share a class. */
size_t us_buf_footprint(size_t bytes)
{
    if (bytes <= SMALLEST)
        return SMALLEST;
    size_t octave = SMALLEST;
    while (octave < bytes && octave <= SIZE_MAX / 4)
        octave *= 2;
    size_t step = octave / 16;
    size_t rounded = bytes > SIZE_MAX - step ? bytes : us_round_up(bytes, step);
    return us_round_up(rounded, 16);
}

void us_pool_begin(struct unseen_device *device)
{
    uint64_t global = device->info.global_bytes;
    device->pool.limit = global - global / 20;
    const char *cap = getenv("UNSEEN_MEMORY_LIMIT");
    if (cap && *cap) {
        uint64_t bytes = (uint64_t)strtoull(cap, NULL, 10) << 20;
        if (bytes > 0 && bytes < device->pool.limit)
            device->pool.limit = bytes;
    }
}

static void release(struct us_buf *buf)
{
    clReleaseMemObject(buf->mem);
    free(buf);
}

void us_pool_end(struct unseen_device *device)
{
    for (struct us_buf *buf = device->pool.free, *next; buf; buf = next) {
        next = buf->next;
        release(buf);
    }
    device->pool.free = NULL;
    device->pool.idle = 0;
}

static struct us_buf *take_free(struct us_pool *pool, size_t class_bytes)
{
    for (struct us_buf **link = &pool->free; *link; link = &(*link)->next) {
        struct us_buf *buf = *link;
        if (buf->class_bytes == class_bytes) {
            *link = buf->next;
            buf->next = NULL;
            pool->idle -= class_bytes;
            return buf;
        }
    }
    return NULL;
}

static char *in_words(uint64_t bytes, char text[32])
{
    if (bytes >= 10ULL << 30)
        us_print_to(text, 32, "%.1f GiB", (double)bytes / (1 << 30));
    else if (bytes >= 10 << 10)
        us_print_to(text, 32, "%.1f MiB", (double)bytes / (1 << 20));
    else
        snprintf(text, 32, "%llu bytes", (unsigned long long)bytes);
    return text;
}

static enum unseen_status too_large(const struct unseen_device *device, size_t bytes, const char *reason)
{
    char asked[32], used[32], limit[32], largest[32], fits[32];
    const struct us_pool *pool = &device->pool;
    uint64_t left = pool->limit > pool->used ? pool->limit - pool->used : 0;
    if (left > device->info.max_alloc_bytes)
        left = device->info.max_alloc_bytes;
    us_fail(UNSEEN_FAILED, "device memory",
            "%s: asked for %s with %s in use, of %s (largest single buffer %s) on %s", reason,
            in_words(bytes, asked), in_words(pool->used, used), in_words(pool->limit, limit),
            in_words(device->info.max_alloc_bytes, largest), device->info.name);
    us_hint("%s would still fit: use a smaller --batch, a smaller model or a device with more memory",
            in_words(left, fits));
    return UNSEEN_FAILED;
}

static void CL_CALLBACK free_pages(cl_mem mem, void *pages)
{
    (void)mem;
    free(pages);
}

/* A CPU that keeps large tensors in huge pages spends a few percent less of a step on finding small ones; the
 * system gives them only to who asks. CL_SUCCESS and a buffer, or what stands in the way. */
static cl_int create_in_huge_pages(struct unseen_device *device, size_t bytes, cl_mem *mem)
{
    const size_t size = us_round_up(bytes, HUGE_PAGE);
    cl_int error;
    void *pages = aligned_alloc(HUGE_PAGE, size);
    if (!pages)
        return CL_OUT_OF_HOST_MEMORY;
    (void)madvise(pages, size, MADV_HUGEPAGE); /* only a wish */
    *mem = clCreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, pages, &error);
    if (error == CL_SUCCESS &&
        (error = clSetMemObjectDestructorCallback(*mem, free_pages, pages)) == CL_SUCCESS)
        return CL_SUCCESS;
    if (*mem)
        clReleaseMemObject(*mem);
    free(pages);
    return error;
}

/* CL_SUCCESS and a buffer, or what stands in the way. */
static cl_int create(struct unseen_device *device, size_t class_bytes, cl_mem *mem)
{
    const struct us_pool *pool = &device->pool;
    cl_int error = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    if (pool->used + pool->idle + class_bytes > pool->limit)
        return error;
    if (device->info.type == UNSEEN_DEVICE_CPU && class_bytes >= 2 * (size_t)HUGE_PAGE)
        return create_in_huge_pages(device, class_bytes, mem);
    *mem = clCreateBuffer(device->context, CL_MEM_READ_WRITE, class_bytes, NULL, &error);
    return error;
}

enum unseen_status us_buf_new(struct unseen_device *device, size_t bytes, struct us_buf **buf)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_pool *pool = &device->pool;
    size_t class_bytes = us_buf_footprint(bytes);
    /* Rounding up must not push a buffer over what the device allows for one. */
    if (class_bytes > device->info.max_alloc_bytes && bytes <= device->info.max_alloc_bytes)
        class_bytes = device->info.max_alloc_bytes;
    struct us_buf *fresh = take_free(pool, class_bytes);
    if (!fresh) {
        cl_int error;
        US_TRY_ALLOC(fresh = us_calloc(1, sizeof *fresh));
        error = class_bytes < bytes ? CL_INVALID_BUFFER_SIZE : create(device, class_bytes, &fresh->mem);
        if (error != CL_SUCCESS && pool->free) {
            /* Free buffers of other sizes are in the way; the device lets go of them once idle. */
            us_pool_end(device);
            US_TRY(us_finish(device));
            error = create(device, class_bytes, &fresh->mem);
        }
        if (error == CL_MEM_OBJECT_ALLOCATION_FAILURE || error == CL_OUT_OF_RESOURCES ||
            error == CL_OUT_OF_HOST_MEMORY)
            US_TRY(too_large(device, bytes, "out of device memory"));
        else if (error == CL_INVALID_BUFFER_SIZE)
            US_TRY(too_large(device, bytes, "the buffer is too large for the device"));
        else
            US_CL(error);
    }
    fresh->class_bytes = class_bytes;
    fresh->bytes = bytes;
    pool->used += class_bytes;
    if (pool->used > pool->peak)
        pool->peak = pool->used;
    *buf = fresh;
    fresh = NULL;
out:
    free(fresh);
    return st;
}

void us_buf_free(struct unseen_device *device, struct us_buf *buf)
{
    if (!buf)
        return;
    if (buf->parent) {
        release(buf);
        return;
    }
    device->pool.used -= buf->class_bytes;
    device->pool.idle += buf->class_bytes;
    buf->next = device->pool.free;
    device->pool.free = buf;
}

enum unseen_status us_buf_sub(struct unseen_device *device, struct us_buf *parent, size_t offset,
                              size_t bytes, struct us_buf **sub)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_buf *fresh = NULL;
    cl_int error = CL_SUCCESS;
    if (bytes == 0 || offset > parent->bytes || bytes > parent->bytes - offset)
        return us_fail(UNSEEN_FAILED, "sub-buffer", "%zu bytes at %zu do not lie in a buffer of %zu bytes",
                       bytes, offset, parent->bytes);
    if (offset % device->info.align != 0)
        return us_fail(UNSEEN_FAILED, "sub-buffer", "offset %zu is not a multiple of the device's %u bytes",
                       offset, device->info.align);
    US_TRY_ALLOC(fresh = us_calloc(1, sizeof *fresh));
    /* OpenCL has no sub-buffers of sub-buffers: take the window of the whole buffer instead. */
    struct us_buf *whole = parent->parent ? parent->parent : parent;
    cl_buffer_region region = {parent->offset + offset, bytes};
    fresh->mem = clCreateSubBuffer(whole->mem, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &error);
    US_CL(error);
    fresh->bytes = bytes;
    fresh->parent = whole;
    fresh->offset = region.origin;
    *sub = fresh;
    fresh = NULL;
out:
    free(fresh);
    return st;
}

static enum unseen_status check_range(const struct us_buf *buf, size_t offset, size_t bytes)
{
    if (offset > buf->bytes || bytes > buf->bytes - offset)
        return us_fail(UNSEEN_FAILED, "device buffer", "%zu bytes at %zu do not lie in a buffer of %zu bytes",
                       bytes, offset, buf->bytes);
    return UNSEEN_OK;
}

static enum unseen_status enqueue_write(struct unseen_device *device, struct us_buf *buf, size_t offset,
                                        const void *from, size_t bytes, cl_bool wait)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(check_range(buf, offset, bytes));
    if (bytes > 0)
        US_CL(clEnqueueWriteBuffer(device->queue, buf->mem, wait, offset, bytes, from, 0, NULL, NULL));
out:
    return st;
}

static enum unseen_status enqueue_read(struct unseen_device *device, struct us_buf *buf, size_t offset,
                                       void *to, size_t bytes, cl_bool wait)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(check_range(buf, offset, bytes));
    if (bytes > 0)
        US_CL(clEnqueueReadBuffer(device->queue, buf->mem, wait, offset, bytes, to, 0, NULL, NULL));
out:
    return st;
}

enum unseen_status us_write(struct unseen_device *device, struct us_buf *buf, size_t offset, const void *from,
                            size_t bytes)
{
    return enqueue_write(device, buf, offset, from, bytes, CL_TRUE);
}

enum unseen_status us_write_later(struct unseen_device *device, struct us_buf *buf, size_t offset,
                                  const void *from, size_t bytes)
{
    return enqueue_write(device, buf, offset, from, bytes, CL_FALSE);
}

enum unseen_status us_read(struct unseen_device *device, struct us_buf *buf, size_t offset, void *to,
                           size_t bytes)
{
    return enqueue_read(device, buf, offset, to, bytes, CL_TRUE);
}

enum unseen_status us_read_later(struct unseen_device *device, struct us_buf *buf, size_t offset, void *to,
                                 size_t bytes)
{
    return enqueue_read(device, buf, offset, to, bytes, CL_FALSE);
}

enum unseen_status us_zero(struct unseen_device *device, struct us_buf *buf)
{
    enum unseen_status st = UNSEEN_OK;
    /* PoCL fills by wide patterns more than twice as fast as by words. */
    size_t pattern = buf->bytes % sizeof zeros == 0 ? sizeof zeros : 1;
    if (buf->bytes > 0)
        US_CL(clEnqueueFillBuffer(device->queue, buf->mem, zeros, pattern, 0, buf->bytes, 0, NULL, NULL));
out:
    return st;
}

enum unseen_status us_copy(struct unseen_device *device, struct us_buf *from, size_t from_offset,
                           struct us_buf *to, size_t to_offset, size_t bytes)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(check_range(from, from_offset, bytes));
    US_TRY(check_range(to, to_offset, bytes));
    if (bytes > 0)
        US_CL(clEnqueueCopyBuffer(device->queue, from->mem, to->mem, from_offset, to_offset, bytes, 0, NULL,
                                  NULL));
out:
    return st;
}

struct us_memory us_device_memory(const struct unseen_device *device)
{
    return (struct us_memory){device->pool.used, device->pool.peak, device->pool.limit,
                              device->info.max_alloc_bytes};
}
