/* Commands that have a plan. */
#ifndef US_CMD_PLAN_KINDS_H
#define US_CMD_PLAN_KINDS_H

#include <stdbool.h>

#include "cmd/plan.h"

enum { US_CHANGE_TEXT = 48, US_CHANGES_MOST = 3 };

/* Change options so that less is done, and name that as on the command line; false: they do no more. */
typedef bool us_change(void *options, char text[US_CHANGE_TEXT]);

struct us_plan_kind {
    size_t size; /* of its options' struct */
    /* What is to be done; `fresh`: in a new folder. */
    enum unseen_status (*plan)(const struct us_planned *planned, const void *options, bool fresh,
                               enum unseen_plan_by by, struct unseen_plan *plan);
    us_change *changes[US_CHANGES_MOST]; /* up to a NULL */
};

#endif
