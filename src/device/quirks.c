#include "config.h"

#include "device/state.h"

#include <stdlib.h>
#include <string.h>

enum { ANY = -1 };

/* The kind of device that kernels are shaped for: its own, or what UNSEEN_SHAPE names, so that the kernels
 * for GPUs can be tried on a CPU. */
static enum unseen_status find_shape(const struct unseen_device_info *info, enum unseen_device_type *shape)
{
    const char *wish = getenv("UNSEEN_SHAPE");
    *shape = info->type;
    if (!wish || !*wish)
        return UNSEEN_OK;
    if (strcmp(wish, "cpu") != 0 && strcmp(wish, "gpu") != 0)
        return us_fail(UNSEEN_USAGE, "UNSEEN_SHAPE", "'%s' is neither cpu nor gpu", wish);
    *shape = wish[0] == 'c' ? UNSEEN_DEVICE_CPU : UNSEEN_DEVICE_GPU;
    return UNSEEN_OK;
}

/* What is particular about a device's compiler. Every row that matches counts. No row names a -cl-std:
 * kernels keep to OpenCL C 1.2, which is what a compiler takes without one. */
static const struct {
    int shape;            /* enum unseen_device_type or ANY */
    const char *platform; /* part of the platform's name; NULL: any */
    const char *options;  /* build options to add; NULL: none */
    bool keeps_programs;  /* its driver has a cache of its own that serves better than ours */
} quirks[] = {
    /* Kernels with two bodies give one work-item a whole tile on CPUs, whose work-groups run on one core. */
    {UNSEEN_DEVICE_CPU, NULL, "-DUS_CPU=1", false},
    {UNSEEN_DEVICE_GPU, NULL, "-DUS_CPU=0", false},
    {UNSEEN_DEVICE_OTHER, NULL, "-DUS_CPU=0", false},
    /* Its compiler goes by way of SPIR-V, where assembly cannot name vector registers. */
    {UNSEEN_DEVICE_CPU, "Intel(R) OpenCL", "-DBF16_PLAIN", false},
    /* PoCL compiles a kernel once more, for any work-group size, when asked for its binary: a cold start
     * takes 1.7 times as long, while its own cache makes a warm build from source 25 ms. */
    {ANY, "Portable Computing Language", NULL, true},
    /* NVIDIA's keeps what it has built; what it hands out is PTX, which it would have to compile again. */
    {ANY, "NVIDIA CUDA", NULL, true},
};

enum unseen_status us_quirks_find(const struct unseen_device_info *info, struct us_quirks *found)
{
    enum unseen_status st = UNSEEN_OK;
    enum unseen_device_type shape;
    struct us_quirks q = {NULL, false, false};
    US_TRY(find_shape(info, &shape));
    q.cpu_shape = shape == UNSEEN_DEVICE_CPU;
    q.options = us_format("%s", "");
    for (size_t i = 0; q.options && i < sizeof quirks / sizeof *quirks; i++) {
        if (quirks[i].shape != ANY && quirks[i].shape != (int)shape)
            continue;
        if (quirks[i].platform && !strstr(info->platform, quirks[i].platform))
            continue;
        q.keeps_programs = q.keeps_programs || quirks[i].keeps_programs;
        if (quirks[i].options) {
            char *longer = us_format("%s%s%s", q.options, *q.options ? " " : "", quirks[i].options);
            free(q.options);
            q.options = longer;
        }
    }
    *found = q;
    st = q.options ? UNSEEN_OK : UNSEEN_FAILED;
out:
    return st;
}
