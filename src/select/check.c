/* What can be refused, or doubted, of a selection before there are any scores. */
#include "config.h"

#include "base/log.h"
#include "select/groups.h"
#include "select/rule.h"

enum unseen_status us_select_check(const char *rule, const struct unseen_select_options *o, int64_t n,
                                   int classes)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t m;
    US_TRY(us_rule_check(rule));
    US_TRY(us_options_check(us_select_options, o));
    US_TRY(us_count_kept(o->keep, n, &m));
    US_TRY(us_ccs_check_strata(o, us_rule_stratifies(rule) && us_groups_by_class(o) ? classes : 1));
out:
    return st;
}

void us_select_warn(const char *rule, const struct unseen_select_options *o)
{
    if (us_rule_cuts(rule) && o->cutoff > 1 - o->keep + 1e-9)
        us_log(UNSEEN_LOG_WARNING, "--cutoff %g leaves fewer samples than --keep %g: only %g is cut off",
               o->cutoff, o->keep, 1 - o->keep);
}
