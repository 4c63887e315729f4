/* The plan of a command: told on stderr before anything is trained, or on stdout instead (--dry-run). */
#ifndef US_CMD_PLAN_H
#define US_CMD_PLAN_H

#include <stddef.h>

#include "cmd/options.h"
#include "unseen/dataset.h"
#include "unseen/device.h"
#include "unseen/plan.h"

struct us_plan_kind; /* of commands whose options are of one struct */
extern const struct us_plan_kind us_plan_train, us_plan_trajectory, us_plan_prune, us_plan_compare;

/* A call of such a command. */
struct us_planned {
    const struct us_plan_kind *kind;
    const void *options; /* unseen_prune_options and so on, complete when the plan is made */
    const struct us_common *common;
    struct unseen_device *device;
    const struct unseen_dataset *data;
};

/* Who tells the plan on stderr. A plan of more than an hour ends with what would make it shorter, where
 * people read it: on a terminal. `planned` outlives the call, device and data are there when it begins. */
struct unseen_plan_listener us_plan_listener(struct us_planned *planned);

/* Print the plan on stdout, as JSON if common->json. */
enum unseen_status us_plan_print(const struct us_planned *planned);

#endif
