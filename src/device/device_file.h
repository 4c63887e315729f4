/* Files in the user's cache folder that belong to one device and driver: what was measured there. */
#ifndef US_DEVICE_DEVICE_FILE_H
#define US_DEVICE_DEVICE_FILE_H

#include <jansson.h>

#include "base/status.h"
#include "unseen/device.h"

/* What a measurement depends on: the number of compute units is how many threads a CPU runtime uses. A new
 * reference, NULL if memory runs out. */
json_t *us_device_about(const struct unseen_device_info *info);

/* <cache folder>/FOLDER/<key of us_device_about>.json, the folder made; freed with free(). NULL (recorded) if
 * there can be none. */
char *us_device_file(const struct unseen_device_info *info, const char *folder);

/* What another process writes between our reading and writing would be lost, so who changes a file holds
 * <path>.lock: for milliseconds, so that ten seconds of waiting mean a file system that cannot lock. -1 if it
 * is not held; us_unlock takes that too. */
int us_device_file_lock(const char *path);

#endif
