/* OpenCL devices: finding, choosing and opening them. */
#ifndef UNSEEN_DEVICE_H
#define UNSEEN_DEVICE_H

#include <stddef.h>

#include "unseen/unseen.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What convolutions multiply, where channels on both sides come in multiples of 16: their inputs rounded to
 * that precision. Sums, parameters and everything else are float32 in any case. */
enum unseen_precision {
    UNSEEN_FLOAT32,
    UNSEEN_BF16,
    UNSEEN_F16,  /* with a loss that is scaled so that gradients stay in its range */
    UNSEEN_TF32, /* float32 with 10 bits of mantissa; only on devices with matrix units for it */
    UNSEEN_PRECISIONS
};

enum unseen_device_type { UNSEEN_DEVICE_CPU, UNSEEN_DEVICE_GPU, UNSEEN_DEVICE_OTHER };

struct unseen_device_info {
    int index; /* in the order of unseen_device_list: what --device N means */
    enum unseen_device_type type;
    char platform[128], name[256], vendor[128], driver[128], version[128], c_version[64];
    unsigned compute_units, clock_mhz;
    unsigned long long global_bytes, max_alloc_bytes, local_bytes;
    size_t max_group;
    unsigned align;     /* bytes that a sub-buffer's offset is a multiple of */
    int host_memory;    /* 1: it works in the host's memory, as CPUs and integrated GPUs do */
    int platform_index; /* 0, 1, ..: devices of one platform have the same */
    char hardware[48];  /* "pci 0000:3b:00.0" or "uuid 0f1e..": the same whichever driver shows it; may be
                           empty */
    int repeated;       /* 1: the same hardware as an earlier entry, that of index .. */
    int same_as;        /* .. same_as, by another driver */
    int usable;         /* 0: online but unfit, with the reason below */
    char reason[128];
};

/* Every device of every platform. `list` is fresh memory, freed with free(). No device at all is UNSEEN_OK
 * with *n = 0.
 *
 * Before a process meets its drivers for the first time, they are tried in a child process, unless this set
 * of them has passed before: UNSEEN_NO_DEVICE, with the driver's name, for one that aborts, crashes or does
 * not answer (within UNSEEN_DRIVER_TIMEOUT seconds, 30 by default; 0 tries nothing). Where PoCL's cache
 * folder cannot be written, POCL_CACHE_DIR is set to another one, with a warning. */
UNSEEN_API enum unseen_status unseen_device_list(struct unseen_device_info **list, int *n);

enum { UNSEEN_DEVICES_MOST = 16 };

/* Which of `list` a selector means: NULL or "" the default (environment UNSEEN_DEVICE if set, else the usable
 * GPU with the most memory, one with memory of its own before any integrated one, else the first usable CPU),
 * an index, or a case-insensitive part of "platform name"; or several of these, separated by commas, up to
 * UNSEEN_DEVICES_MOST. A device may be named twice; one that two drivers show is used through the first.
 * `why` (may be NULL) receives static text. UNSEEN_NO_DEVICE, with a hint that lists what is there;
 * UNSEEN_USAGE if several are not of one platform, name and driver, as their results would differ. */
UNSEEN_API enum unseen_status unseen_device_choose(const struct unseen_device_info *list, int n,
                                                   const char *selectors, int indices[UNSEEN_DEVICES_MOST],
                                                   int *count, const char **why);

/* "float32", "bf16", "f16" or "tf32". Static. */
UNSEEN_API const char *unseen_precision_name(enum unseen_precision precision);

struct unseen_device; /* an open device: context, in-order queue, program cache, buffer pool */

/* Choose and open. Several devices are opened behind one handle: what trains many models (scoring runs,
 * comparisons) spreads them over all, with the same results as on one; what trains a single model refuses
 * them (UNSEEN_USAGE). Freed with unseen_device_close. */
UNSEEN_API enum unseen_status unseen_device_open(const char *selector, struct unseen_device **device);
UNSEEN_API void unseen_device_close(struct unseen_device *device);
/* About the device, the first of several. */
UNSEEN_API const struct unseen_device_info *unseen_device_info(const struct unseen_device *device);

/* Instructions of a device that multiply matrices of numbers narrower than float32. */
struct unseen_matrix_unit {
    const char *name;    /* static */
    unsigned precisions; /* in which they work here: bits 1 << enum unseen_precision */
    const char *why_not; /* they do not in all that they could; static, or NULL */
};
enum { UNSEEN_MATRIX_UNITS = 4 };

/* Those that a device of this kind and vendor may have, the preferred first; each is tried. Returns their
 * number, 0 for a device that none are known for. What none works in is multiplied by plain code, but for
 * tf32. */
UNSEEN_API int unseen_device_matrix_units(struct unseen_device *device,
                                          struct unseen_matrix_unit list[UNSEEN_MATRIX_UNITS]);

#ifdef __cplusplus
}
#endif
#endif
