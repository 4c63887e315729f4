/* What a command is going to do, counted before it begins: progress counts the same work, image by image.
 *
 * Each phase of a command (a scoring run, the models that judge a step's coreset, the cells of a comparison)
 * has one function that tells what is left of it. A plan is the sum of what they say; the same functions, on
 * the same files, say what the parts of the display are when their time comes. */
#ifndef US_PLAN_WORK_PLAN_H
#define US_PLAN_WORK_PLAN_H

#include <jansson.h>

#include "plan/speed.h"
#include "unseen/plan.h"

/* Models of one recipe that train at a time. */
struct us_phase {
    struct us_workers_task task;
    struct unseen_recipe recipe; /* that of the task */
    struct us_work work;
    int speed; /* number of it among the plan's */
};

enum { US_SPEEDS_MOST = 16 };

struct us_work_plan {
    struct unseen_device *device;
    const struct unseen_dataset *data;
    struct us_phase **phase; /* [phases] */
    int phases;
    struct us_speed speed[US_SPEEDS_MOST];
    int speeds;
    struct unseen_plan told;
    struct us_progress *progress; /* of all phases, from us_work_plan_begin on; parts are begun in it */
    double start;                 /* of them */
};

/* A plan without phases. End with us_work_plan_end, which takes a zeroed one too. */
struct us_work_plan us_work_plan_of(struct unseen_device *device, const struct unseen_dataset *data);

/* Add a phase, and bytes on disk: some that stay, and some until all is done. */
enum unseen_status us_work_plan_add(struct us_work_plan *plan, const struct us_workers_task *task,
                                    const struct us_work *work);
void us_work_plan_add_disk(struct us_work_plan *plan, int64_t stay, int64_t until_done);

/* All phases are there: find out what they take, into plan->told. */
enum unseen_status us_work_plan_price(struct us_work_plan *plan, enum unseen_plan_by by);

/* The same by time, tell it, and let the first phase begin. `title` stands before the display. */
enum unseen_status us_work_plan_begin(struct us_work_plan *plan, const struct unseen_plan_listener *listener,
                                      const char *title);

/* What images of a task's models cost in plan->progress; NULL where nothing is known. */
const struct us_price *us_work_plan_price_of(const struct us_work_plan *plan,
                                             const struct us_workers_task *task);

/* Of a phase of such models, `planned` turns out to be `now`: it depends on the outcome of one before. */
void us_work_plan_change(struct us_work_plan *plan, const struct us_workers_task *task,
                         const struct us_work *planned, const struct us_work *now);

/* Add "planned" and "actual" to a run.json: images and seconds, of this call alone. Returns 0, or -1 if
 * memory runs out. */
int us_work_plan_put(const struct us_work_plan *plan, json_t *run);

void us_work_plan_end(struct us_work_plan *plan);

#endif
