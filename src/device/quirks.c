#include "config.h"

#include "device/state.h"

#include <stdlib.h>
#include <string.h>

enum { ANY = -1 };

/* What kernels are told about a device. Every row that matches adds its options. No row names a -cl-std:
 * kernels keep to OpenCL C 1.2, which is what a compiler takes without one. */
static const struct {
    int type;             /* enum unseen_device_type or ANY */
    const char *platform; /* part of the platform's name; NULL: any */
    const char *options;
} quirks[] = {
    /* Kernels with two bodies give one work-item a whole tile on CPUs, whose work-groups run on one core. */
    {UNSEEN_DEVICE_CPU, NULL, "-DUS_CPU=1"},
    {UNSEEN_DEVICE_GPU, NULL, "-DUS_CPU=0"},
    {UNSEEN_DEVICE_OTHER, NULL, "-DUS_CPU=0"},
};

char *us_quirk_options(const struct unseen_device_info *info)
{
    char *options = us_format("%s", "");
    for (size_t i = 0; options && i < sizeof quirks / sizeof *quirks; i++) {
        if (quirks[i].type != ANY && quirks[i].type != (int)info->type)
            continue;
        if (quirks[i].platform && !strstr(info->platform, quirks[i].platform))
            continue;
        char *longer = us_format("%s%s%s", options, *options ? " " : "", quirks[i].options);
        free(options);
        options = longer;
    }
    return options;
}
