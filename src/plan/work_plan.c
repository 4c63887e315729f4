#include "config.h"

#include "plan/work_plan.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "plan/memory.h"

/* Plans that are longer by the rule of thumb are worth a measurement. */
static const double worth_timing = 30;

/* A speed is measured that more than so much of a plan goes by. */
enum { MATTERS = 10 };

struct us_work_plan us_work_plan_of(struct unseen_device *device, const struct unseen_dataset *data)
{
    return (struct us_work_plan){.device = device, .data = data};
}

/* ---- phases ---- */

/* The speed of a task's models; -1 if there is none. */
static int find_speed(const struct us_work_plan *plan, const struct us_workers_task *task)
{
    for (int i = 0; i < plan->speeds; i++) {
        if (us_speed_serves(&plan->speed[i], task, us_device_count(plan->device)))
            return i;
    }
    return -1;
}

static enum unseen_status add_speed(struct us_work_plan *plan, const struct us_workers_task *task,
                                    int *number)
{
    enum unseen_status st = UNSEEN_OK;
    *number = find_speed(plan, task);
    if (*number >= 0)
        return UNSEEN_OK;
    if (plan->speeds == US_SPEEDS_MOST)
        return us_fail(UNSEEN_FAILED, "plan", "there are models of more than %d kinds", US_SPEEDS_MOST);
    US_TRY(us_speed_by_rule(plan->device, plan->data, task, &plan->speed[plan->speeds]));
    *number = plan->speeds++;
out:
    return st;
}

enum unseen_status us_work_plan_add(struct us_work_plan *plan, const struct us_workers_task *task,
                                    const struct us_work *work)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_phase *phase = NULL;
    struct us_phase **list = us_realloc(plan->phase, (size_t)plan->phases + 1, sizeof(struct us_phase *));
    US_TRY_ALLOC(list);
    plan->phase = list;
    US_TRY_ALLOC(phase = us_calloc(1, sizeof *phase));
    list[plan->phases++] = phase;
    *phase = (struct us_phase){.task = *task, .recipe = *task->recipe, .work = *work};
    phase->task.recipe = &phase->recipe;
    US_TRY(add_speed(plan, &phase->task, &phase->speed));
out:
    return st;
}

void us_work_plan_add_disk(struct us_work_plan *plan, int64_t stay, int64_t until_done)
{
    plan->told.disk += stay;
    plan->told.work = until_done > plan->told.work ? until_done : plan->told.work;
}

/* ---- what this process has timed ---- */

static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
static struct known {
    int device, devices;
    char hash[65]; /* of the dataset */
    struct us_speed speed;
} known[US_SPEEDS_MOST];
static int known_next;

static bool is_known(const struct us_work_plan *plan, const struct us_workers_task *task,
                     struct us_speed *speed)
{
    const int device = unseen_device_info(plan->device)->index, devices = us_device_count(plan->device);
    bool found = false;
    pthread_mutex_lock(&known_lock);
    for (int i = 0; i < US_SPEEDS_MOST && !found; i++) {
        found = known[i].device == device && known[i].devices == devices &&
                strcmp(known[i].hash, plan->data->hash) == 0 &&
                us_speed_serves(&known[i].speed, task, devices);
        if (found)
            *speed = known[i].speed;
    }
    pthread_mutex_unlock(&known_lock);
    return found;
}

static void remember(const struct us_work_plan *plan, const struct us_speed *speed)
{
    struct known now = {unseen_device_info(plan->device)->index, us_device_count(plan->device), "", *speed};
    memcpy(now.hash, plan->data->hash, sizeof now.hash);
    pthread_mutex_lock(&known_lock);
    known[known_next] = now;
    known_next = (known_next + 1) % US_SPEEDS_MOST;
    pthread_mutex_unlock(&known_lock);
}

/* ---- prices ---- */

static double seconds_of(const struct us_work_plan *plan, const struct us_phase *phase, bool by_rule)
{
    const struct us_speed *speed = &plan->speed[phase->speed];
    return phase->work.epochs == 0 && phase->work.gradients == 0
               ? 0
               : us_speed_seconds(speed, by_rule ? &speed->rule : &speed->price, &phase->work,
                                  us_device_count(plan->device));
}

static double sum_seconds(const struct us_work_plan *plan, bool by_rule)
{
    double sum = 0;
    for (int i = 0; i < plan->phases; i++)
        sum += seconds_of(plan, plan->phase[i], by_rule);
    return sum;
}

/* A phase whose models are those of speed i and have something to do; NULL: there is none. */
static const struct us_phase *phase_of(const struct us_work_plan *plan, int i)
{
    for (int k = 0; k < plan->phases; k++) {
        if (plan->phase[k]->speed == i && plan->phase[k]->work.epochs > 0)
            return plan->phase[k];
    }
    return NULL;
}

/* Seconds of all phases of speed i. */
static double seconds_at(const struct us_work_plan *plan, int i, bool by_rule)
{
    double sum = 0;
    for (int k = 0; k < plan->phases; k++)
        sum += plan->phase[k]->speed == i ? seconds_of(plan, plan->phase[k], by_rule) : 0;
    return sum;
}

/* What was not timed is as much faster than by the rule as what was. */
static void calibrate(struct us_work_plan *plan)
{
    double timed = 0, by_rule = 0;
    for (int i = 0; i < plan->speeds; i++) {
        timed += plan->speed[i].measured ? seconds_at(plan, i, false) : 0;
        by_rule += plan->speed[i].measured ? seconds_at(plan, i, true) : 0;
    }
    for (int i = 0; i < plan->speeds && timed > 0 && by_rule > 0; i++) {
        struct us_speed *speed = &plan->speed[i];
        const double ratio = timed / by_rule;
        if (!speed->measured)
            speed->price = (struct us_price){ratio * speed->rule.trained, ratio * speed->rule.evaluated,
                                             ratio * speed->rule.gradients};
    }
}

/* Speeds from the cache, and measured where so much of a long plan goes by them that it matters. */
static enum unseen_status time_speeds(struct us_work_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    const double all = sum_seconds(plan, true);
    for (int i = 0; i < plan->speeds; i++) {
        struct us_speed *speed = &plan->speed[i];
        const struct us_phase *phase = phase_of(plan, i);
        if (!phase || is_known(plan, &phase->task, speed))
            continue;
        US_TRY(us_speed_look(plan->device, plan->data, &phase->task, speed));
        if (!speed->measured && all > worth_timing && seconds_at(plan, i, true) > all / MATTERS)
            US_TRY(us_speed_measure(plan->device, plan->data, &phase->task, speed));
        if (speed->measured)
            remember(plan, speed);
    }
    calibrate(plan);
out:
    return st;
}

static void know_speeds(struct us_work_plan *plan)
{
    for (int i = 0; i < plan->speeds; i++) {
        const struct us_phase *phase = phase_of(plan, i);
        if (phase)
            (void)is_known(plan, &phase->task, &plan->speed[i]);
    }
    calibrate(plan);
}

static enum unseen_status find_memory(struct us_work_plan *plan)
{
    enum unseen_status st = UNSEEN_OK;
    uint64_t bytes, most = 0;
    for (int i = 0; i < plan->speeds; i++) {
        const struct us_phase *phase = phase_of(plan, i);
        const int devices = us_device_count(plan->device);
        if (!phase)
            continue;
        US_TRY(us_memory_outlook(plan->device, plan->data, &phase->task,
                                 (plan->speed[i].at_once + devices - 1) / devices, &bytes));
        most = bytes > most ? bytes : most;
    }
    plan->told.memory = (int64_t)most;
out:
    return st;
}

/* Sums and means over the phases. */
static void sum_up(struct us_work_plan *plan)
{
    struct unseen_plan *told = &plan->told;
    struct us_work sum = {0};
    double trained = 0, evaluated = 0;
    for (int i = 0; i < plan->speeds; i++)
        told->measured |= plan->speed[i].measured;
    for (int i = 0; i < plan->phases; i++) {
        const struct us_phase *phase = plan->phase[i];
        const struct us_speed *speed = &plan->speed[phase->speed];
        if (phase->work.epochs == 0 && phase->work.gradients == 0)
            continue;
        us_work_add(&sum, &phase->work);
        trained += speed->price.trained * (double)phase->work.trained;
        evaluated += speed->price.evaluated * (double)phase->work.evaluated;
        told->at_once = speed->at_once > told->at_once ? speed->at_once : told->at_once;
        if (speed->decoding.seconds > 0)
            told->decoded_per_second = 1 / speed->decoding.seconds;
    }
    told->models = sum.models;
    told->epochs = sum.epochs;
    told->trained = sum.trained;
    told->evaluated = sum.evaluated;
    told->gradients = sum.gradients;
    told->trained_per_second = trained > 0 ? (double)sum.trained / trained : 0;
    told->evaluated_per_second = evaluated > 0 ? (double)sum.evaluated / evaluated : 0;
    told->seconds = sum_seconds(plan, false);
    told->rule = sum_seconds(plan, true);
}

enum unseen_status us_work_plan_price(struct us_work_plan *plan, enum unseen_plan_by by)
{
    enum unseen_status st = UNSEEN_OK;
    if (by == UNSEEN_PLAN_BY_TIME) {
        US_TRY(time_speeds(plan));
        US_TRY(find_memory(plan));
    } else {
        know_speeds(plan);
    }
    sum_up(plan);
out:
    return st;
}

const struct us_price *us_work_plan_price_of(const struct us_work_plan *plan,
                                             const struct us_workers_task *task)
{
    const int i = plan ? find_speed(plan, task) : -1;
    return i >= 0 ? &plan->speed[i].price : NULL;
}

/* ---- progress ---- */

static struct us_amount total(const struct us_work_plan *plan)
{
    struct us_amount sum = {0};
    for (int i = 0; i < plan->phases; i++) {
        const struct us_phase *phase = plan->phase[i];
        const struct us_amount amount = us_work_amount(&phase->work, &plan->speed[phase->speed].price);
        sum.units += amount.units;
        sum.cost += amount.cost;
    }
    return sum;
}

enum unseen_status us_work_plan_begin(struct us_work_plan *plan, const struct unseen_plan_listener *listener,
                                      const char *title)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_work_plan_price(plan, UNSEEN_PLAN_BY_TIME));
    if (listener->told)
        listener->told(listener->context, &plan->told);
    plan->progress = us_progress_whole(title, "images", total(plan));
    plan->start = us_seconds();
out:
    return st;
}

void us_work_plan_change(struct us_work_plan *plan, const struct us_workers_task *task,
                         const struct us_work *planned, const struct us_work *now)
{
    const struct us_price *price = us_work_plan_price_of(plan, task);
    us_progress_change(plan->progress, us_work_amount(planned, price), us_work_amount(now, price));
}

int us_work_plan_put(const struct us_work_plan *plan, json_t *run)
{
    const struct unseen_plan *told = &plan->told;
    const json_int_t images = told->trained + told->evaluated + told->gradients;
    json_t *planned =
        json_pack("{s:I, s:f, s:b}", "images", images, "seconds", told->seconds, "measured", told->measured);
    json_t *actual = json_pack("{s:I, s:f}", "images", (json_int_t)us_progress_done(plan->progress).units,
                               "seconds", us_seconds() - plan->start);
    /* The setters take the references also where they fail. */
    return json_object_set_new(run, "planned", planned) | json_object_set_new(run, "actual", actual);
}

void us_work_plan_end(struct us_work_plan *plan)
{
    us_progress_end(plan->progress);
    for (int i = 0; i < plan->phases; i++)
        free(plan->phase[i]);
    free(plan->phase);
    *plan = (struct us_work_plan){0};
}
