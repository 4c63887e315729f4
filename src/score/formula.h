/* What --metric can hold: the name of a score, or a sum of scores with weights. */
#ifndef US_SCORE_FORMULA_H
#define US_SCORE_FORMULA_H

#include "base/status.h"

enum { US_FORMULA_TERMS = 16 };

struct us_formula {
    bool plain; /* a name alone: the score itself, not its ranks */
    int n;
    struct {
        double weight;
        int score; /* as unseen_score_name counts */
    } term[US_FORMULA_TERMS];
};

/* formula = ["+"|"-"] term {("+"|"-") term}, term = [number "*"] name; spaces may stand between them. A name
 * may hold "-": the longest that is registered counts, so "el2n-dual" is a difference. UNSEEN_USAGE says what
 * is wrong and where. */
enum unseen_status us_formula_parse(const char *text, struct us_formula *formula);

#endif
