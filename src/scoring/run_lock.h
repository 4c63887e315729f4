/* The lock of a run's folder, and the settings that all calls on one folder share. */
#ifndef US_SCORING_RUN_LOCK_H
#define US_SCORING_RUN_LOCK_H

#include <jansson.h>

#include "base/output.h"

/* Lock the folder (us_run_lock); then compare the settings `asked` with those that the first of `files`
 * holds, or write them there if that file is missing. UNSEEN_USAGE, naming the setting, if one differs. If
 * `asked` is NULL, the caller has failed to build it and recorded that failure: nothing is locked,
 * UNSEEN_FAILED. End the lock in any case. */
enum unseen_status us_run_lock_for(const char *folder, const char *kind, const char *const *files,
                                   json_t *asked, struct us_run_lock *lock);

/* The comparison alone; *there: whether the folder holds such a file. `asked` NULL as above. */
enum unseen_status us_settings_match_file(const char *folder, const char *name, json_t *asked, bool *there);

/* Compare the settings `asked` with `stored`, which the file `path` holds. UNSEEN_USAGE, naming `path` and
 * the first setting that differs. The setting "device" is compared only if `device_matters`: while models
 * still have to be trained. */
enum unseen_status us_settings_match(const char *path, json_t *stored, json_t *asked, bool device_matters);

/* The last step of building `settings`: returns them, or, if memory ran out on the way (`bad`, or NULL),
 * releases them, records the failure and returns NULL. */
json_t *us_settings_made(json_t *settings, bool bad);

#endif
