/* The OpenCL drivers that are installed, as the ICD loader finds them: looked at before any of them runs, to
 * tell which one misbehaves. Everything here is called from us_found_list, once a process, but
 * us_drivers_none. */
#ifndef US_DEVICE_DRIVERS_H
#define US_DEVICE_DRIVERS_H

#include "base/status.h"

/* One line of one registration. */
struct us_driver {
    char *file;    /* "/etc/OpenCL/vendors/pocl.icd"; the library itself where no file names it */
    char *library; /* what that file names: "libpocl.so.2" */
};

struct us_drivers {
    struct us_driver *list; /* [n], in the order of file names */
    int n;
    char *place; /* the folder or file that was looked at: OCL_ICD_VENDORS or /etc/OpenCL/vendors */
};

/* Read the registrations. A folder that is not there has none. Ended by us_drivers_free, also after a
 * failure. */
enum unseen_status us_drivers_read(struct us_drivers *drivers);
void us_drivers_free(struct us_drivers *drivers);

/* The first driver whose library's name contains `part`, NULL if there is none. */
const struct us_driver *us_drivers_find(const struct us_drivers *drivers, const char *part);

/* ---- driver_probe.c ---- */

/* List all devices in a child process first, which may abort, crash or hang in this one's place; where it
 * does, each driver is tried alone to tell which one it is. UNSEEN_NO_DEVICE with the driver's name,
 * UNSEEN_INTERRUPTED. A set of drivers that passed is not tried again until one of them is installed anew, or
 * the machine is started. UNSEEN_DRIVER_TIMEOUT is the limit in seconds (30); 0 tries nothing. */
enum unseen_status us_drivers_probe(const struct us_drivers *drivers);

/* ---- driver_cache.c ---- */

/* PoCL keeps what it compiles in a folder, without which it has no device. Where that folder cannot be
 * written, name another one in POCL_CACHE_DIR: UNSEEN_CACHE_DIR/pocl, or one of this user's in TMPDIR; with a
 * warning. Has to come before the driver is loaded. */
void us_pocl_cache_prepare(const struct us_drivers *drivers);

/* What is wrong with the folder now, "FOLDER: No space left on device", in fresh memory; NULL if nothing is.
 */
char *us_pocl_cache_trouble(void);

/* ---- driver_none.c ---- */

/* Record why there is no device at all: no driver, one that cannot be loaded, none that shows a device.
 * `where` as in us_fail. Returns UNSEEN_NO_DEVICE. */
enum unseen_status us_drivers_none(const char *where);

#endif
