/* An incremental selection on its way: what its steps have in common, and what of it is left. */
#ifndef US_PRUNE_CORESET_RUN_H
#define US_PRUNE_CORESET_RUN_H

#include "prune/step.h"
#include "scoring/room.h"
#include "scoring/scoring_model.h"

/* What is left of a step. */
struct us_step_work {
    struct us_work scoring, judges;
};

/* All arrays are [n] unless they say otherwise. */
struct us_coreset_run {
    const struct us_incremental *in;
    const struct unseen_prune_options *options;
    const struct unseen_images *train;
    int64_t n;
    struct unseen_select_options select; /* without arrays */
    int64_t *budget;                     /* [steps] */
    uint8_t *is_held_out;                /* or skipped */
    uint8_t *previous, *current;
    uint8_t *ever; /* 1: some step's models trained on it */
    struct us_samples heldout;
    float *scores; /* of the step's models */
    float *key;    /* what the step chooses by */
    double *rank_sum;
    int32_t *rank_count;
    double noise_rate;            /* share of the labels; NaN until a step needs it */
    struct us_step_work *planned; /* [steps] what the plan counts for each */
    struct us_step step;          /* the one under way */
};

/* Hold a part out, and be before the first step. End with us_coreset_run_end, also after a failure. */
enum unseen_status us_coreset_run_begin(const struct us_incremental *in, struct us_coreset_run *run);
void us_coreset_run_end(struct us_coreset_run *run);

/* Models of step t (from 0) have trained on its members, run->previous. */
void us_coreset_run_remember(struct us_coreset_run *run, int t);

/* The scoring options of step t, but for `out`. */
struct unseen_scoring_options us_step_scoring_options(const struct unseen_prune_options *options, int t);

/* The scoring run that step t (from 0) chooses by: the first one on all that is not held out, then within the
 * coreset of the step before. */
struct us_step_scoring {
    struct unseen_scoring_options options;
    struct us_subset_run subset;
    uint8_t *role; /* [n] */
    char *folder, *from, *to;
};

/* End with us_step_scoring_end, also after a failure. Without a folder of the steps there are no places on
 * disk. */
enum unseen_status us_step_scoring_begin(const struct us_coreset_run *run, int t,
                                         struct us_step_scoring *scoring);
void us_step_scoring_end(struct us_step_scoring *scoring);

/* The judges of a step. */
struct us_coreset_eval us_step_evaluation(const struct us_coreset_run *run, const struct us_step *step);

/* ---- coreset_run_plan.c ---- */

/* What is left of step t, whose members are run->previous. */
enum unseen_status us_step_left(const struct us_coreset_run *run, int t, struct us_step_work *work);

/* Set run->planned, before the first step. Coresets that are not chosen yet are taken to be any of their
 * size. */
enum unseen_status us_coreset_run_plan(struct us_coreset_run *run);

/* The coreset that step t begins with is known by now: let the plan, if there is one, count that. */
enum unseen_status us_coreset_run_replan(const struct us_coreset_run *run, int t);

/* What the run takes of the disk and of memory. */
enum unseen_status us_coreset_run_room(const struct us_coreset_run *run, struct us_room *room);

#endif
