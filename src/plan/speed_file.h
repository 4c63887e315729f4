/* Measured speeds on disk: <cache folder>/speed/<key>.json, a file per device and driver, with a checksum.
 * Whatever does not check is measured again. Nothing here fails: without a cache speeds are measured. */
#ifndef US_PLAN_SPEED_FILE_H
#define US_PLAN_SPEED_FILE_H

#include <stdbool.h>

#include "unseen/device.h"

/* Seconds that an image takes, all models that train at once together, and how many these are. */
struct us_timed {
    double trained, evaluated;
    int at_once;
};

/* What is kept under `key`; false if nothing is. */
bool us_speed_file_find(const struct unseen_device_info *info, const char *key, struct us_timed *timed);

/* Keep it, beside what other processes keep. */
void us_speed_file_keep(const struct unseen_device_info *info, const char *key, const struct us_timed *timed);

#endif
