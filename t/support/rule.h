/* What the tests of selection rules share. */
#ifndef US_T_SUPPORT_RULE_H
#define US_T_SUPPORT_RULE_H

#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "unseen/select.h"

/* Runs the rule and demands exactly these indices, ended by -1. */
static inline void assert_keeps(const char *rule, const float *scores, const int32_t *labels, int64_t n,
                                int classes, const struct unseen_select_options *options, const int64_t *want)
{
    int64_t *kept, m;
    assert_ok(unseen_select(rule, scores, labels, n, classes, options, &kept, &m));
    for (int64_t i = 0; i < m; i++) {
        if (kept[i] != want[i])
            fail_msg("%s: [%d] is %d instead of %d", rule, (int)i, (int)kept[i], (int)want[i]);
    }
    assert_int_equal(want[m], -1);
    free(kept);
}

#endif
