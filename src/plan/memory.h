/* What training takes of a device's memory. */
#ifndef US_PLAN_MEMORY_H
#define US_PLAN_MEMORY_H

#include "nn/workers.h"

/* Bytes at most of each device while so many models of a task train on it. Their kernels are built. */
enum unseen_status us_memory_outlook(struct unseen_device *device, const struct unseen_dataset *data,
                                     const struct us_workers_task *task, int at_once, uint64_t *bytes);

#endif
