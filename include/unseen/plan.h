/* What a call is going to do, told before it begins. */
#ifndef UNSEEN_PLAN_H
#define UNSEEN_PLAN_H

#include <stdint.h>

#include "unseen/unseen.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Only what is left to do: what lies in the folder from an earlier call is not done again. Images that pass
 * through models are counted exactly, but where a sampler goes by losses, and where steps go on from the
 * weights of others or data have duplicates: there it may turn out to be less. */
struct unseen_plan {
    int64_t models;    /* trained, or gone on with */
    int64_t epochs;    /* of all of them together */
    int64_t trained;   /* images, each as often as a model trains on it */
    int64_t evaluated; /* the same in passes that record or test */
    int64_t gradients; /* the same of which the gradient is taken alone */
    double seconds;    /* that it takes */
    int measured;      /* 1: the seconds come from steps that were timed on the device, now or before; 0: from
                          a rule of thumb that seldom tells too few, because it says that they are few, or
                          because nothing may be timed (UNSEEN_PLAN_BY_RULE) */
    double rule;       /* seconds by the rule of thumb: how plans for one device compare */
    int at_once;       /* models that train side by side, on all devices together */
    double trained_per_second, evaluated_per_second; /* images, of all models together, on average */
    double decoded_per_second; /* images that can be decoded, where that was timed; 0: they lie ready */
    int64_t memory;            /* bytes at most of each device; 0: nothing is trained */
    int64_t disk, work;        /* bytes that are written and stay; and more of them until all is done */
};

/* Where the seconds of a plan come from. */
enum unseen_plan_by {
    UNSEEN_PLAN_BY_TIME, /* plans of more than half a minute by the rule of thumb: from steps that are timed
                            for about two seconds, unless they were before; kept in the cache folder */
    UNSEEN_PLAN_BY_RULE  /* what this process has timed already, else the rule: at once */
};

/* Who is told the plan of a call before anything is trained; zeroed: nobody. */
struct unseen_plan_listener {
    void (*told)(void *context, const struct unseen_plan *plan);
    void *context;
};

#ifdef __cplusplus
}
#endif
#endif
