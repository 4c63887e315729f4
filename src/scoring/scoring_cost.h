/* What a scoring run took, as its scoring.json tells. */
#ifndef US_SCORING_SCORING_COST_H
#define US_SCORING_SCORING_COST_H

#include "base/status.h"

/* Of all models. NaN for what the file does not tell. */
struct us_scoring_cost {
    double trained;   /* images, each as often as a model trained on it */
    double evaluated; /* the same of passes that record what a model says of samples */
    double seconds;   /* summed, whether models were trained at once or not */
};

void us_scoring_cost_add(struct us_scoring_cost *sum, const struct us_scoring_cost *more);

/* Of the run in a folder; all NaN if its scoring.json is gone. */
enum unseen_status us_scoring_cost(const char *folder, struct us_scoring_cost *cost);

#endif
