#include "config.h"

#include "plan/plan.h"

#include "base/clock.h"

void us_plan_add(struct us_plan *plan, const struct us_work *work)
{
    us_work_add(&plan->work, work);
}

void us_plan_change(struct us_plan *plan, const struct us_work *planned, const struct us_work *now)
{
    us_progress_change(plan->progress, us_work_amount(planned, NULL), us_work_amount(now, NULL));
}

void us_plan_begin(struct us_plan *plan, const char *title)
{
    plan->progress = us_progress_whole(title, "images", us_work_amount(&plan->work, NULL));
    plan->start = us_seconds();
}

static json_t *side(uint64_t images, double seconds)
{
    return json_pack("{s:I, s:f}", "images", (json_int_t)images, "seconds", seconds);
}

int us_plan_put(const struct us_plan *plan, json_t *run)
{
    const struct us_amount planned = us_work_amount(&plan->work, NULL);
    const struct us_amount actual = us_progress_done(plan->progress);
    return json_object_set_new(run, "planned", json_pack("{s:I}", "images", (json_int_t)planned.units)) ||
                   json_object_set_new(run, "actual", side(actual.units, us_seconds() - plan->start))
               ? -1
               : 0;
}

void us_plan_end(struct us_plan *plan)
{
    us_progress_end(plan->progress);
    *plan = (struct us_plan){0};
}
