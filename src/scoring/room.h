/* What a scoring run takes of the disk and of memory, told before anything is trained. */
#ifndef US_SCORING_ROOM_H
#define US_SCORING_ROOM_H

#include "scoring/scoring_model.h"

struct us_room {
    int64_t kept;   /* bytes on disk: the run's trajectories */
    int64_t work;   /* bytes on disk until they are finished: records of the models' epochs, checkpoints */
    int64_t memory; /* bytes at least, beside images and models */
};

/* Of a run, or of its share that a job of several has; its folds need not be drawn. Each model's softmaxes,
 * which `change` is computed from, are counted for three epochs. */
enum unseen_status us_room_of(const struct us_scoring *run, struct us_room *room);

/* Add to `sum` a run that is done after those in it: what it keeps, and its work if that is more. What lies
 * in its folder already counts as there; a finished run adds nothing. */
enum unseen_status us_room_add(const struct us_scoring *run, struct us_room *sum);

/* UNSEEN_FAILED with a hint if the disk that `out` is on, or the machine's memory, lacks room. */
enum unseen_status us_room_check(const char *out, const struct us_room *room);

#endif
