/* Why none of the drivers shows a device. */
#include "config.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "device/drivers.h"

/* MiB of address space that the process may use (ulimit -v), 0: as much as it likes. */
static unsigned long long address_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 0;
    return (unsigned long long)limit.rlim_cur >> 20;
}

static enum unseen_status none_registered(const char *where, const char *place)
{
    us_fail(UNSEEN_NO_DEVICE, where,
            "there is no OpenCL device on this machine: no driver is registered in %s", place);
    us_hint("install an OpenCL driver; for the CPU, on Debian: apt-get install pocl-opencl-icd; "
            "OCL_ICD_VENDORS names another folder of .icd files");
    return UNSEEN_NO_DEVICE;
}

static enum unseen_status cannot_load(const char *where, const struct us_driver *driver, const char *reason)
{
    const unsigned long long limit = address_limit();
    us_fail(UNSEEN_NO_DEVICE, where,
            "there is no OpenCL device: the driver that %s names cannot be loaded: %s", driver->file, reason);
    if (limit && !strstr(reason, "No such file"))
        us_hint("this process may use %llu MiB of address space, which the driver does not fit: raise "
                "ulimit -v",
                limit);
    else if (strstr(driver->library, "nvidia"))
        us_hint("install NVIDIA's driver; in a container, start it with the GPU (docker run --gpus all) and "
                "NVIDIA_DRIVER_CAPABILITIES=compute,utility");
    else
        us_hint("install the driver's package again, or remove that file; for the CPU, on Debian: apt-get "
                "install pocl-opencl-icd");
    return UNSEEN_NO_DEVICE;
}

static enum unseen_status shows_none(const char *where, const struct us_drivers *drivers)
{
    const unsigned long long limit = address_limit();
    char *trouble = us_drivers_find(drivers, "pocl") ? us_pocl_cache_trouble() : NULL;
    us_fail(UNSEEN_NO_DEVICE, where, "there is no OpenCL device: %s, registered in %s, shows none%s%s",
            drivers->n == 1 ? drivers->list[0].library : "none of the drivers", drivers->place,
            trouble ? "; its cache is unusable: " : "", trouble ? trouble : "");
    if (trouble)
        us_hint("set POCL_CACHE_DIR to a folder that can be written");
    else if (limit)
        us_hint("this process may use %llu MiB of address space, too little for the driver: raise ulimit -v",
                limit);
    else
        us_hint("look whether this user may open the device (/dev/nvidia*, /dev/dri/render*) and whether "
                "clinfo sees it; for the CPU, on Debian: apt-get install pocl-opencl-icd");
    free(trouble);
    return UNSEEN_NO_DEVICE;
}

enum unseen_status us_drivers_none(const char *where)
{
    struct us_drivers drivers;
    enum unseen_status st = us_drivers_read(&drivers);
    if (st == UNSEEN_OK && drivers.n == 0)
        st = none_registered(where, drivers.place);
    for (int i = 0; st == UNSEEN_OK && i < drivers.n; i++) {
        /* The loader has tried the same, and told nobody why it failed. What is loaded stays: PoCL does not
         * bear to be loaded twice beside an LLVM that stayed. */
        void *library = dlopen(drivers.list[i].library, RTLD_NOW | RTLD_NODELETE);
        if (library)
            dlclose(library);
        else
            st = cannot_load(where, &drivers.list[i], dlerror());
    }
    if (st == UNSEEN_OK)
        st = shows_none(where, &drivers);
    us_drivers_free(&drivers);
    return st;
}
