/* A run's folder: one process at a time, and always the same settings. */
#ifndef US_SCORING_CLAIM_H
#define US_SCORING_CLAIM_H

#include <jansson.h>

#include "base/status.h"

struct us_claim {
    int lock;
    bool held;
};

/* Make the folder, lock it and remove what killed writers left there. UNSEEN_FAILED if another process has
 * it. End with us_claim_end, which takes a zeroed one too. */
enum unseen_status us_claim(const char *folder, struct us_claim *claim);
void us_claim_end(struct us_claim *claim);

/* us_claim, and hold the folder to the settings in its file `name`, or leave `asked` there. UNSEEN_USAGE,
 * naming what differs. NULL for `asked` is a failure that is recorded. */
enum unseen_status us_claim_for(const char *folder, const char *name, json_t *asked, struct us_claim *claim);

/* UNSEEN_USAGE, naming `path` and the first of the settings `asked` that `stored` does not hold alike. The
 * device matters only while models still have to be trained. */
enum unseen_status us_settings_match(const char *path, json_t *stored, json_t *asked, bool device_matters);

/* `settings` once they are put together; if `bad`, which says that memory ran out on the way, they are
 * released, the failure is recorded, and it is NULL. */
json_t *us_settings_made(json_t *settings, bool bad);

#endif
