/* Where some samples are left out, the others are put together and chosen from as if they were all. */
#ifndef US_SELECT_AMONG_H
#define US_SELECT_AMONG_H

#include "select/rule.h"

/* What a rule looks at, of the samples that are left. */
struct us_among {
    int64_t n, *items; /* [n] */
    int32_t *labels;
    uint8_t *fold;
    struct us_npy column; /* of the labels */
    struct unseen_select_options options;
    struct us_rule_input in;
};

/* Those of `in` that in->options->leave_out leaves. Freed with us_among_free, also after a failure; `among`
 * is zeroed by the caller, and stays where it is. */
enum unseen_status us_among_make(const struct us_rule_input *in, struct us_among *among);
void us_among_free(struct us_among *among);

/* Put into the set `kept` (select/kept.h) of all samples those in the set `chosen` of the ones left. */
void us_among_keep(const struct us_among *among, const uint64_t *chosen, uint64_t *kept);

#endif
