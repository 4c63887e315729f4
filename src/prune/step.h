/* The folder of one step of an incremental selection, and of all of them: what a killed run goes on from. */
#ifndef US_PRUNE_STEP_H
#define US_PRUNE_STEP_H

#include "prune/coreset_eval.h"
#include "prune/incremental.h"
#include "scoring/run_lock.h"

struct us_step {
    int number; /* from 1 */
    char *folder;
    struct us_samples coreset;
    int64_t stayed, evicted, refilled; /* against the coreset before */
    double cutoff;                     /* what members and others were cut by; not read back */
    struct us_eval_result result;
    json_t *quality; /* what quality.json holds */
};

/* out/<t + 1>, fresh memory, and whether step t (from 0) is done: then its quality.json is there. */
char *us_step_folder(const char *out, int t);
char *us_step_weights(const char *out, int t); /* out/<t + 1>/weights, for warm starts */
bool us_step_is_done(const char *out, int t);

/* Make the folder. End with us_step_end, which takes a zeroed one too. */
enum unseen_status us_step_begin(const char *out, int t, struct us_step *step);
void us_step_end(struct us_step *step);

/* The coreset that current [n] flags, after the one that previous [n] does. */
enum unseen_status us_step_set(struct us_step *step, const uint8_t *previous, const uint8_t *current,
                               int64_t n);

/* scores.npy and keep.npy; then quality.json, which comes last. */
enum unseen_status us_step_write(const struct us_step *step, const float *scores, int64_t n);
enum unseen_status us_step_finish(struct us_step *step, const struct unseen_dataset *data);

/* All of a done step; scores and current are [n]. */
enum unseen_status us_step_read(struct us_step *step, int64_t n, float *scores, uint8_t *current);

/* Remove the scoring run that lies in the folder of a step. */
enum unseen_status us_step_forget_scoring(const char *folder);

/* Lock the folder of all steps and hold it to the settings in its steps.json, or leave ours: UNSEEN_USAGE,
 * naming what differs. End the lock in any case. us_steps_match does the second alone, if there is a file. */
enum unseen_status us_steps_match(const struct us_incremental *in);
enum unseen_status us_steps_lock(const struct us_incremental *in, struct us_run_lock *lock);

#endif
