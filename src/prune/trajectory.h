/* Writing a trajectory; reading is public (unseen/trajectory.h). */
#ifndef US_PRUNE_TRAJECTORY_H
#define US_PRUNE_TRAJECTORY_H

#include "base/status.h"
#include "unseen/trajectory.h"

/* A quantity's name and, with ".npy" behind it, its file's. */
const char *us_quantity_name(enum unseen_quantity quantity);

/* A trajectory in memory while scoring runs fill it. */
struct us_trajectory_build {
    struct unseen_trajectory view; /* its pointers point into the arrays below */
    float *value[UNSEEN_CORRECT];
    uint8_t *correct;
    uint8_t *fold;
    int64_t *labels;
    bool evaluated; /* recorded by evaluation passes, not by the training forward pass; only told in
                       trajectory.json. us_trajectory_new: true unless seen. */
};

/* Allocate all quantities, zeroed. `folds` 0 when seen (then no fold array). End with us_trajectory_free,
 * which takes NULL too. */
enum unseen_status us_trajectory_new(enum unseen_protocol protocol, int64_t n, int repeats, int epochs,
                                     int classes, int folds, struct us_trajectory_build **build);
void us_trajectory_free(struct us_trajectory_build *build);

/* Write every array and trajectory.json into `folder` (made if missing), each atomically. A trajectory.json
 * that is there goes first and the new one comes last: it marks a complete trajectory. It holds protocol, n,
 * repeats, epochs, classes, folds, record ("train" or "eval") and quantities (their names). */
enum unseen_status us_trajectory_write(const struct us_trajectory_build *build, const char *folder);

#endif
