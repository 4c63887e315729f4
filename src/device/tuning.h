/* What was measured to be fastest on a device: <cache folder>/tuning/<key>.json, a file per device and
 * driver. UNSEEN_TUNING=0 leaves it unread and unwritten. */
#ifndef US_DEVICE_TUNING_H
#define US_DEVICE_TUNING_H

#include "base/status.h"
#include "unseen/device.h"

/* The winner of one operator shape. */
struct us_tuned {
    const char *winner, *runner_up; /* runner_up NULL: nothing else could do the shape */
    double milliseconds, runner_up_milliseconds;
    double gflops; /* of the winner */
};

bool us_tuning_on(void);

/* What is known of an operator shape that `key` names; false if nothing is. The file is read at the device's
 * first call; one that is damaged, or of another device or driver, is ignored with one warning. The strings
 * live until the same key is kept again or the device is closed. */
bool us_tuning_find(struct unseen_device *device, const char *key, struct us_tuned *tuned);

/* Remember in this process. */
enum unseen_status us_tuning_keep(struct unseen_device *device, const char *key,
                                  const struct us_tuned *tuned);

/* Let `to` know what `from` knows now: file and memory. */
enum unseen_status us_tuning_copy(struct unseen_device *from, struct unseen_device *to);

/* Write what was found and kept, atomically; entries of the file that another process has added stay. */
enum unseen_status us_tuning_save(struct unseen_device *device);

/* The device's file, freed with free(); NULL (recorded) if there is no cache folder. */
char *us_tuning_path(const struct unseen_device *device);

#endif
