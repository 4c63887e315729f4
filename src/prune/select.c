/* The registry of rules, and what is common to all: checks, groups and the list of what is kept. */
#include "config.h"

#include "unseen/select.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "prune/groups.h"
#include "prune/order.h"

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

static const struct rule *known(const char *name)
{
    for (int i = 0; i < RULES; i++) {
        if (strcmp(name, rules_known[i].name) == 0)
            return &rules_known[i];
    }
    return NULL;
}

static bool needs(const char *name, int what)
{
    const struct rule *rule = known(name);
    return rule && (rule->needs & what);
}

int unseen_rule_needs_features(const char *rule)
{
    return needs(rule, US_NEEDS_FEATURES);
}

int unseen_rule_needs_p_true(const char *rule)
{
    return needs(rule, US_NEEDS_P_TRUE);
}

static enum unseen_status find(const char *name, const struct rule **rule)
{
    *rule = known(name);
    if (*rule)
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, "--rule", "there is no rule '%s'", name);
    us_hint_names("rules", unseen_rule_name);
    return UNSEEN_USAGE;
}

static enum unseen_status check_needs(const struct rule *rule, const struct us_rule_input *in)
{
    const struct {
        int need;
        const void *array;
        const char *name;
    } all[] = {{US_NEEDS_SCORES, in->scores, "scores"},
               {US_NEEDS_LABELS, in->labels, "labels"},
               {US_NEEDS_P_TRUE, in->p_true, "the label's mean probability (p_true)"},
               {US_NEEDS_FEATURES, in->features, "features"}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if ((rule->needs & all[i].need) && !all[i].array)
            return us_fail(UNSEEN_USAGE, "--rule", "%s needs %s", rule->name, all[i].name);
    }
    if (us_groups_by_class(in->options) && !in->labels)
        return us_fail(UNSEEN_USAGE, "--quota", "quotas need labels");
    return UNSEEN_OK;
}

static enum unseen_status check_values(const struct rule *rule, const struct us_rule_input *in)
{
    enum unseen_status st = UNSEEN_OK;
    for (int64_t i = 0; in->labels && i < in->n; i++) {
        if (in->labels[i] < 0 || in->labels[i] >= in->classes) {
            st = us_fail(UNSEEN_BAD_DATA, "labels", "%" PRId32 " of sample %" PRId64 " is not in 0..%d",
                         in->labels[i], i, in->classes - 1);
            goto out;
        }
    }
    if (in->scores)
        US_TRY(us_check_finite("scores", in->scores, in->n));
    if (in->options->hardness)
        US_TRY(us_check_finite("hardness", in->options->hardness, in->n));
    if (rule->needs & US_NEEDS_P_TRUE)
        US_TRY(us_check_finite("p_true", in->p_true, in->n));
    for (int64_t i = 0; (rule->needs & US_NEEDS_FEATURES) && i < in->n * in->dimension; i++) {
        if (!isfinite(in->features[i])) {
            st = us_fail(UNSEEN_BAD_DATA, "features", "value %g of sample %" PRId64 " is not finite",
                         (double)in->features[i], i / in->dimension);
            goto out;
        }
    }
out:
    return st;
}

enum unseen_status us_count_kept(double keep, int64_t n, int64_t *m)
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

uint64_t us_rule_draw(uint64_t seed, int64_t sample)
{
    uint32_t words[4];
    us_philox(seed, US_STREAM_SELECT, 0, (uint64_t)sample, words);
    return (uint64_t)words[1] << 32 | words[0];
}

/* Where `sample` lies in the ascending list. */
static int64_t position(const int64_t *list, int64_t n, int64_t sample)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (list[middle] < sample)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum unseen_status us_rule_shuffle(const struct us_rule_input *in, int64_t *items)
{
    for (int64_t i = 0; i < in->n; i++)
        items[i] = in->sample ? in->sample[i] : i;
    enum unseen_status st = us_shuffle(in->options->seed, US_STREAM_SELECT, 0, (size_t)in->n, items);
    for (int64_t i = 0; st == UNSEEN_OK && in->sample && i < in->n; i++)
        items[i] = position(in->sample, in->n, items[i]);
    return st;
}

enum unseen_status unseen_select(const char *rule, const float *scores, const int32_t *labels, int64_t n,
                                 int classes, const struct unseen_select_options *options, int64_t **kept,
                                 int64_t *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_rule_input in = {.scores = scores,
                               .labels = labels,
                               .n = n,
                               .classes = classes,
                               .hardness = options->hardness ? options->hardness : scores,
                               .p_true = options->p_true,
                               .features = options->features,
                               .dimension = options->dimension,
                               .options = options};
    const struct rule *chosen = NULL;
    uint8_t *flags = NULL;
    int64_t *list = NULL, count = 0;
    US_TRY(find(rule, &chosen));
    US_TRY(us_count_kept(options->keep, n, &in.m));
    US_TRY(check_needs(chosen, &in));
    US_TRY(check_values(chosen, &in));
    US_TRY_ALLOC(flags = us_calloc((size_t)n, sizeof *flags));
    US_TRY_ALLOC(list = us_calloc((size_t)in.m, sizeof *list));
    if (us_has_groups(options, chosen->needs))
        US_TRY(us_select_in_groups(chosen->function, chosen->needs, &in, flags));
    else
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
