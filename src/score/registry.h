/* The registry of scores (scores.def). */
#ifndef US_SCORE_REGISTRY_H
#define US_SCORE_REGISTRY_H

#include "score/score_function.h"

struct us_score {
    const char *name;
    us_score_function *function;
    unsigned needs;    /* quantities, bits 1u << enum unseen_quantity */
    int epochs, flags; /* the fewest epochs that it can do with; US_WHOLE and so on */
    const char *help;
};

/* Numbered as by unseen_score_name. */
extern const struct us_score us_scores[];

#endif
