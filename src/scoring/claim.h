/* A run's folder always has the same settings. */
#ifndef US_SCORING_CLAIM_H
#define US_SCORING_CLAIM_H

#include <jansson.h>

#include "base/output.h"

/* us_claim, and hold the folder to the settings in the first of its files, or leave `asked` there.
 * UNSEEN_USAGE, naming what differs. NULL for `asked` is a failure that is recorded. */
enum unseen_status us_claim_for(const char *folder, const char *kind, const char *const *files, json_t *asked,
                                struct us_claim *claim);

/* UNSEEN_USAGE, naming `path` and the first of the settings `asked` that `stored` does not hold alike. The
 * device matters only while models still have to be trained. */
enum unseen_status us_settings_match(const char *path, json_t *stored, json_t *asked, bool device_matters);

/* `settings` once they are put together; if `bad`, which says that memory ran out on the way, they are
 * released, the failure is recorded, and it is NULL. */
json_t *us_settings_made(json_t *settings, bool bad);

#endif
