/* How long models of a recipe take an image: by steps that were timed on the device, now or before, or by a
 * rule of thumb. */
#ifndef US_PLAN_SPEED_H
#define US_PLAN_SPEED_H

#include "nn/work.h"
#include "nn/workers.h"
#include "plan/decoding.h"

struct us_speed {
    struct unseen_recipe recipe; /* its schedule counts only where images change their size in it */
    int most;                    /* models at once on a device: so many, .. */
    bool tried;                  /* .. or fewer, as a measurement says */
    struct us_price price;       /* seconds of an image, all models that train at once together */
    struct us_price rule;        /* the same by the rule of thumb */
    double epoch;                /* seconds beside its images: the checkpoint and what is recorded */
    int at_once;                 /* models, on all devices */
    bool measured;
    struct us_decoding decoding;
};

/* Whether it is that of a task's models on so many devices. */
bool us_speed_serves(const struct us_speed *speed, const struct us_workers_task *task, int devices);

/* By the rule of thumb, which makes models slower than they are on almost any device: the way forward is
 * flops / R seconds an image and nodes * L seconds a batch, training three times that; R = 2 flops a clock of
 * each compute unit on CPUs and 8 on GPUs, L = 20 us. */
enum unseen_status us_speed_by_rule(const struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct us_workers_task *task, struct us_speed *speed);

/* From the cache; *speed stays as it is if nothing is there. Kernels are built. */
enum unseen_status us_speed_look(struct unseen_device *device, const struct unseen_dataset *data,
                                 const struct us_workers_task *task, struct us_speed *speed);

/* By training steps and evaluation passes of the task's models on images of noise, for about a second and a
 * half after a first step, and by decoding some images of the dataset where that is done as training goes.
 * Kept in the cache. */
enum unseen_status us_speed_measure(struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct us_workers_task *task, struct us_speed *speed);

/* What `work` takes on so many devices, which models are dealt to. */
double us_speed_seconds(const struct us_speed *speed, const struct us_price *price,
                        const struct us_work *work, int devices);

#endif
