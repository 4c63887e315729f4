#include "config.h"

#include "score/registry.h"

const struct us_score us_scores[] = {
#define US_SCORE(name, function, needs, epochs, flags, help) {name, function, needs, epochs, flags, help},
#include "score/scores.def"
#undef US_SCORE
};

#define SCORES ((int)(sizeof us_scores / sizeof us_scores[0]))

const char *unseen_score_name(int i)
{
    return i >= 0 && i < SCORES ? us_scores[i].name : NULL;
}

const char *unseen_score_help(int i)
{
    return i >= 0 && i < SCORES ? us_scores[i].help : NULL;
}
