/* Incremental selection: coresets that are chosen by models trained on the coreset before (unseen/prune.h).
 */
#ifndef US_PRUNE_INCREMENTAL_H
#define US_PRUNE_INCREMENTAL_H

#include <jansson.h>

#include "plan/work_plan.h"
#include "prune/select_inputs.h"
#include "unseen/prune.h"

struct us_incremental {
    struct unseen_device *device;
    const struct unseen_dataset *data;
    const struct unseen_prune_options *options; /* scoring.out: folder of the first scoring run */
    const char *out; /* folder of the steps: out/1, out/2, .., heldout.npy and steps.json; made if missing.
                        NULL for us_incremental_plan: nothing is done yet */
    bool scored;     /* for us_incremental_plan: the first scoring run is somebody else's */
    struct us_work_plan *plan; /* us_incremental_plan adds to it; us_incremental_run counts what that has
                                  added, and shows nothing without one (NULL) */
};

/* What came of it. */
struct us_incremental_result {
    int step; /* whose coreset is kept, from 1 */
    double accuracy;
    int64_t *keep, m; /* ascending */
    float *scores;    /* [n] that it was chosen by */
    json_t *steps;    /* the quality.json of every step */
};

/* UNSEEN_USAGE for options that are out of range: what can be refused before anything is trained. */
enum unseen_status us_incremental_check(const struct unseen_dataset *data,
                                        const struct unseen_prune_options *options);

/* Add what is left of it to in->plan. Later coresets are not known: with warm starts and with duplicates it
 * may turn out to be a few evaluations less. UNSEEN_USAGE if the folder holds steps with other settings. */
enum unseen_status us_incremental_plan(const struct us_incremental *in);

/* Run it, or go on. Take the result down with us_incremental_end, also after a failure. */
enum unseen_status us_incremental_run(const struct us_incremental *in, struct us_incremental_result *result);
void us_incremental_end(struct us_incremental_result *result);

#endif
