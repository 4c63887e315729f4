/* The registry of rules, and what is common to all: checks and the list of what is kept. */
#include "config.h"

#include "unseen/select.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prune/order.h"
#include "prune/rule.h"

enum { SCORES = 1, LABELS = 2 };

static const struct rule {
    const char *name;
    us_rule_function *function;
    int needs;
    const char *help;
} rules_known[] = {
#define US_RULE(name, function, needs, help) {name, function, needs, help},
#include "prune/rules.def"
#undef US_RULE
};

#define RULES ((int)(sizeof rules_known / sizeof rules_known[0]))

const char *unseen_rule_name(int i)
{
    return i >= 0 && i < RULES ? rules_known[i].name : NULL;
}

const char *unseen_rule_help(int i)
{
    return i >= 0 && i < RULES ? rules_known[i].help : NULL;
}

static enum unseen_status find(const char *name, const struct rule **rule)
{
    for (int i = 0; i < RULES; i++) {
        if (strcmp(name, rules_known[i].name) == 0) {
            *rule = &rules_known[i];
            return UNSEEN_OK;
        }
    }
    us_fail(UNSEEN_USAGE, "--rule", "there is no rule '%s'", name);
    us_hint_names("rules", unseen_rule_name);
    return UNSEEN_USAGE;
}

static enum unseen_status check_arrays(const struct rule *rule, const struct us_rule_input *in)
{
    if ((rule->needs & SCORES) && !in->scores)
        return us_fail(UNSEEN_USAGE, "--rule", "%s needs scores", rule->name);
    if ((rule->needs & LABELS) && !in->labels)
        return us_fail(UNSEEN_USAGE, "--rule", "%s needs labels", rule->name);
    for (int64_t i = 0; in->labels && i < in->n; i++) {
        if (in->labels[i] < 0 || in->labels[i] >= in->classes)
            return us_fail(UNSEEN_BAD_DATA, "labels", "%" PRId32 " of sample %" PRId64 " is not in 0..%d",
                           in->labels[i], i, in->classes - 1);
    }
    return in->scores ? us_check_finite("scores", in->scores, in->n) : UNSEEN_OK;
}

static enum unseen_status count_kept(double keep, int64_t n, int64_t *m)
{
    if (!(keep > 0 && keep <= 1))
        return us_fail(UNSEEN_USAGE, "--keep", "%g is not in (0,1]", keep);
    *m = llround(keep * (double)n);
    if (*m < 1)
        return us_fail(UNSEEN_USAGE, "--keep", "%g of %" PRId64 " samples is nothing", keep, n);
    return UNSEEN_OK;
}

void us_keep_by_quota(const int64_t *items, const int32_t *group, int64_t n, int64_t *quota, uint8_t *kept)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t g = group[items[i]];
        if (g >= 0 && quota[g] > 0) {
            kept[items[i]] = 1;
            quota[g]--;
        }
    }
}

enum unseen_status unseen_select(const char *rule, const float *scores, const int32_t *labels, int64_t n,
                                 int classes, const struct unseen_select_options *options, int64_t **kept,
                                 int64_t *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_rule_input in = {
        .scores = scores, .labels = labels, .n = n, .classes = classes, .options = options};
    const struct rule *chosen = NULL;
    uint8_t *flags = NULL;
    int64_t *list = NULL, count = 0;
    US_TRY(find(rule, &chosen));
    US_TRY(count_kept(options->keep, n, &in.m));
    US_TRY(check_arrays(chosen, &in));
    US_TRY_ALLOC(flags = us_calloc((size_t)n, sizeof *flags));
    US_TRY_ALLOC(list = us_calloc((size_t)in.m, sizeof *list));
    US_TRY(chosen->function(&in, flags));
    for (int64_t i = 0; i < n && count < in.m; i++) {
        if (flags[i])
            list[count++] = i;
    }
    *kept = list;
    *m = count;
    list = NULL;
out:
    free(list);
    free(flags);
    return st;
}
