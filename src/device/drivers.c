/* Which drivers are registered, and why none of them shows a device. */
#include "config.h"

#include "device/drivers.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fs.h"

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static enum unseen_status add(struct us_drivers *drivers, const char *file, const char *library)
{
    struct us_driver *grown = us_realloc(drivers->list, (size_t)drivers->n + 1, sizeof *grown);
    if (!grown)
        return UNSEEN_FAILED;
    drivers->list = grown;
    grown[drivers->n] = (struct us_driver){us_format("%s", file), us_format("%s", library)};
    const bool whole = grown[drivers->n].file && grown[drivers->n].library;
    drivers->n++;
    return whole ? UNSEEN_OK : UNSEEN_FAILED;
}

/* The library is the first line of the file, without blanks behind it. One that cannot be read names none. */
static enum unseen_status add_file(struct us_drivers *drivers, const char *path)
{
    char *text = NULL;
    enum unseen_status st = UNSEEN_OK;
    if (us_read_file(path, &text, NULL) == UNSEEN_OK) {
        text[strcspn(text, "\r\n")] = '\0';
        for (size_t n = strlen(text); n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'); n--)
            text[n - 1] = '\0';
        st = add(drivers, path, text);
    }
    free(text);
    return st;
}

static int is_registration(const struct dirent *entry)
{
    return ends_with(entry->d_name, ".icd");
}

static enum unseen_status add_folder(struct us_drivers *drivers, const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, is_registration, alphasort);
    for (int i = 0; i < n; i++) {
        char *path = st == UNSEEN_OK ? us_format("%s/%s", folder, entries[i]->d_name) : NULL;
        if (st == UNSEEN_OK)
            st = path ? add_file(drivers, path) : UNSEEN_FAILED;
        free(path);
        free(entries[i]);
    }
    free(entries);
    return st;
}

/* OCL_ICD_FILENAMES: libraries, separated by colons, that no file registers. */
static enum unseen_status add_libraries(struct us_drivers *drivers, const char *names)
{
    enum unseen_status st = UNSEEN_OK;
    char *text = us_format("%s", names), *rest = text;
    US_TRY_ALLOC(text);
    for (char *name; (name = strtok_r(rest, ":", &rest));)
        US_TRY(ends_with(name, ".icd") ? add_file(drivers, name) : add(drivers, name, name));
out:
    free(text);
    return st;
}

enum unseen_status us_drivers_read(struct us_drivers *drivers)
{
    enum unseen_status st = UNSEEN_OK;
    const char *place = getenv("OCL_ICD_VENDORS"), *more = getenv("OCL_ICD_FILENAMES");
    *drivers = (struct us_drivers){NULL, 0, NULL};
    US_TRY_ALLOC(drivers->place = us_format("%s", place && *place ? place : "/etc/OpenCL/vendors"));
    if (us_is_folder(drivers->place))
        US_TRY(add_folder(drivers, drivers->place));
    else if (ends_with(drivers->place, ".icd"))
        US_TRY(add_file(drivers, drivers->place));
    else if (ends_with(drivers->place, ".so"))
        US_TRY(add(drivers, drivers->place, drivers->place));
    if (more && *more)
        US_TRY(add_libraries(drivers, more));
out:
    return st;
}

void us_drivers_free(struct us_drivers *drivers)
{
    for (int i = 0; i < drivers->n; i++) {
        free(drivers->list[i].file);
        free(drivers->list[i].library);
    }
    free(drivers->list);
    free(drivers->place);
    *drivers = (struct us_drivers){NULL, 0, NULL};
}

const struct us_driver *us_drivers_find(const struct us_drivers *drivers, const char *part)
{
    for (int i = 0; i < drivers->n; i++) {
        if (strstr(drivers->list[i].library, part))
            return &drivers->list[i];
    }
    return NULL;
}

/* ---- why there is no device ---- */

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
        /* The loader has tried the same, and told nobody why it failed. */
        void *library = dlopen(drivers.list[i].library, RTLD_NOW);
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
