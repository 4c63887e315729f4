/* What an open device consists of; for the files of this layer only. */
#ifndef US_DEVICE_STATE_H
#define US_DEVICE_STATE_H

#include <jansson.h>

#include "device/device.h"
#include "device/matrix.h"

/* A device as the platform listed it. */
struct us_found {
    cl_platform_id platform;
    cl_device_id id;
    struct unseen_device_info info;
};

/* Every device of every platform; fresh memory, freed with free(). */
enum unseen_status us_found_list(struct us_found **found, int *n);

/* ---- same.c ---- */

/* Set repeated and same_as of all. */
void us_devices_mark_same(struct unseen_device_info *const list[], int n);

/* ---- memory.c ---- */

struct us_pool {
    struct us_buf *free; /* last freed first */
    uint64_t used;       /* bytes handed out */
    uint64_t idle;       /* bytes in the free list */
    uint64_t peak;       /* largest `used` so far */
    uint64_t limit;
};

/* Set the limit from the device's memory and UNSEEN_MEMORY_LIMIT. */
void us_pool_begin(struct unseen_device *device);

/* Release what lies in the free list. */
void us_pool_end(struct unseen_device *device);

/* ---- program.c ---- */

struct us_kernel {
    struct us_kernel *next; /* of the same program */
    cl_kernel kernel;
    cl_uint args;
    char *name;
};

struct us_program {
    struct us_program *next;
    char *file, *options; /* as asked for */
    cl_program program;   /* NULL until it is built */
    bool loaded;          /* from the cache on disk */
    struct us_kernel *kernels;
};

/* Build, or load from the cache: sets program->program and ->loaded. May run in several threads at once, on
 * different programs. In build.c. */
enum unseen_status us_program_build(const struct unseen_device *device, struct us_program *program);

void us_programs_release(struct unseen_device *device);

/* ---- launch.c ---- */

struct us_profile_total {
    char name[64];
    uint64_t calls, ns;
};

struct us_profile_event {
    cl_event event;
    size_t total; /* index of its name's total */
};

enum { US_PROFILE_PENDING = 1024 };

struct us_profile {
    bool on;
    struct us_profile_total *totals;
    size_t n, room;
    struct us_profile_event pending[US_PROFILE_PENDING];
    size_t waiting;
};

void us_profile_release(struct unseen_device *device);

/* ---- quirks.c ---- */

struct us_quirks {
    char *options;       /* for every build, "-DUS_CPU=1"; freed with free() */
    bool cpu_shape;      /* kernels are shaped for CPU cores */
    bool keeps_programs; /* the driver's own cache of built kernels is better than ours */
};

enum unseen_status us_quirks_find(const struct unseen_device_info *info, struct us_quirks *found);

/* ---- facts.c ---- */

/* What only vendors' extensions tell; 0: not told. */
struct us_facts {
    unsigned capability; /* NVIDIA GPUs: 80 for sm_80 */
    unsigned wavefront;  /* AMD GPUs: work-items of one */
    unsigned sub_groups; /* Intel GPUs: the sizes that a kernel may ask for, or'ed: powers of two */
    unsigned floats;     /* of a vector register: 16 for AVX-512, 8 for AVX, 4 for SSE and NEON */
};

void us_facts_find(cl_device_id id, const struct unseen_device_info *info, struct us_facts *facts);

/* Where the device sits, as in info->hardware; empty if the driver tells neither its place on the bus nor an
 * identity. */
void us_facts_hardware(cl_device_id id, char *text, size_t size);

/* ---- bf16.c ---- */

enum us_bf16 { US_BF16_UNKNOWN, US_BF16_WORKS, US_BF16_NO_INSTRUCTIONS, US_BF16_NO_COMPILER, US_BF16_WRONG };

/* Whether CPU instructions for bf16 can be used, those for vectors and those for tiles; each tried once. */
enum us_bf16 us_bf16_find(struct unseen_device *device);
enum us_bf16 us_bf16_find_tiles(struct unseen_device *device);

/* Whether this CPU's for vectors are faster than float32's. */
bool us_bf16_is_fast(void);

/* Why not; NULL where it works. Static. */
const char *us_bf16_reason(enum us_bf16 found);

struct unseen_device {
    struct unseen_device_info info;
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    struct us_quirks quirks;
    struct us_facts facts;
    struct us_pool pool;
    struct us_program *programs;
    struct us_builds builds;
    int gathering; /* depth of us_builds_begin */
    struct us_profile profile;
    enum us_bf16 bf16, tiles;
    struct us_matrix_state matrix[US_MATRIX_UNITS][UNSEEN_PRECISIONS];
    bool told_slow;             /* that it has no matrix units */
    json_t *tuning;             /* entries of tuning.c; NULL until they are read */
    struct unseen_device *next; /* the others that were opened with it */
};

#endif
