/* What a command is going to do, counted before it begins: progress counts the same work, image by image.
 *
 * Each phase of a command (a scoring run, the models that judge a step's coreset, the cells of a comparison)
 * has one function that tells what is left of it. A plan is the sum of what they say; the same functions, on
 * the same files, say what the parts of the display are when their time comes. */
#ifndef US_PLAN_PLAN_H
#define US_PLAN_PLAN_H

#include <jansson.h>

#include "nn/work.h"

struct us_plan {
    struct us_work work;          /* of all phases */
    struct us_progress *progress; /* of all phases, from us_plan_begin on; parts are begun in it */
    double start;                 /* of them */
};

/* Add a phase. */
void us_plan_add(struct us_plan *plan, const struct us_work *work);

/* Of what was added, `planned` turns out to be `now`: a phase that depends on the outcome of one before. */
void us_plan_change(struct us_plan *plan, const struct us_work *planned, const struct us_work *now);

/* The first phase begins. `title` stands before the display. */
void us_plan_begin(struct us_plan *plan, const char *title);

/* Add "planned" and "actual" to a run.json: images and seconds, of this call alone. Returns 0, or -1 if
 * memory runs out. */
int us_plan_put(const struct us_plan *plan, json_t *run);

/* The display goes. Takes a zeroed plan, too. */
void us_plan_end(struct us_plan *plan);

#endif
