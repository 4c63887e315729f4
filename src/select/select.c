/* The registry of rules, and what is common to all: checks, groups and the list of what is kept. */
#include "config.h"

#include "unseen/select.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vectors.h"
#include "select/among.h"
#include "select/groups.h"
#include "select/kept.h"
#include "select/quotas.h"
#include "select/ranking.h"

/* Labels from here on are a mistake in the file, not classes. */
#define MOST_CLASSES 1000001

static const struct rule {
    const char *name;
    us_rule_function *function;
    int needs;
    const char *help;
} rules_known[] = {
#define US_RULE(name, function, needs, help) {name, function, needs, help},
#include "select/rules.def"
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
    for (int i = 0; name && i < RULES; i++) {
        if (strcmp(name, rules_known[i].name) == 0)
            return &rules_known[i];
    }
    return NULL;
}

bool us_rule_is_known(const char *name)
{
    return known(name);
}

static bool needs(const char *name, int what)
{
    const struct rule *rule = known(name);
    return rule && (rule->needs & what);
}

bool us_rule_cuts(const char *rule)
{
    return needs(rule, US_CUTS);
}

double us_share_cut(const char *rule, const struct unseen_select_options *o)
{
    return us_rule_cuts(rule) ? fmin(us_cutoff(o), 1 - o->keep) : NAN;
}

bool us_rule_stratifies(const char *rule)
{
    return needs(rule, US_STRATIFIES);
}

int unseen_rule_needs_features(const char *rule)
{
    return needs(rule, US_NEEDS_FEATURES);
}

int unseen_rule_needs_p_true(const char *rule)
{
    return needs(rule, US_NEEDS_P_TRUE);
}

enum unseen_status us_rule_check(const char *rule)
{
    if (known(rule))
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, "--rule", "there is no rule '%s'", rule ? rule : "");
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

/* ---- values ---- */

struct check {
    const struct us_rule_input *in;
    int64_t bad[US_PARTS_MOST];  /* first bad sample, or -1 */
    int64_t last[US_PARTS_MOST]; /* highest label */
};

static bool is_label(const struct us_rule_input *in, int64_t label)
{
    return label >= 0 && label < (in->classes ? in->classes : MOST_CLASSES);
}

static void check_block(void *state, int part, const struct us_block *b)
{
    struct check *c = state;
    const struct us_rule_input *in = c->in;
    for (int64_t i = b->first; i < b->first + b->n && c->bad[part] < 0; i++) {
        int64_t label = in->labels ? us_npy_integer(in->labels, (size_t)i) : 0;
        if (!is_label(in, label) || (in->scores && !isfinite(in->scores[i])) ||
            (in->hardness && !isfinite(in->hardness[i])))
            c->bad[part] = i;
        c->last[part] = label > c->last[part] ? label : c->last[part];
    }
}

static enum unseen_status explain(const struct us_rule_input *in, int64_t i)
{
    int64_t label = in->labels ? us_npy_integer(in->labels, (size_t)i) : 0;
    if (!is_label(in, label))
        return us_fail(UNSEEN_BAD_DATA, "labels", "%" PRId64 " of sample %" PRId64 " is not in 0..%d", label,
                       i, (in->classes ? in->classes : MOST_CLASSES) - 1);
    bool score = in->scores && !isfinite(in->scores[i]);
    return us_fail(UNSEEN_BAD_DATA, score ? "scores" : "hardness",
                   "value %g of sample %" PRId64 " is not finite",
                   (double)(score ? in->scores[i] : in->hardness[i]), i);
}

/* Labels, scores and hardness in one pass, which also counts the classes where they are not known. */
static enum unseen_status check_samples(struct us_rule_input *in)
{
    struct check check = {.in = in};
    const struct us_view view = {.in = in};
    int parts = us_parts(in->n);
    for (int i = 0; i < parts; i++)
        check.bad[i] = check.last[i] = -1;
    enum unseen_status st = us_for_blocks(&view, parts, check_block, &check);
    int64_t last = -1;
    for (int i = 0; st == UNSEEN_OK && i < parts; i++) {
        if (check.bad[i] >= 0)
            st = explain(in, check.bad[i]);
        last = check.last[i] > last ? check.last[i] : last;
    }
    if (st == UNSEEN_OK && in->labels && !in->classes)
        in->classes = (int)last + 1;
    return st;
}

static enum unseen_status check_values(int needs, struct us_rule_input *in)
{
    enum unseen_status st = check_samples(in);
    if (st == UNSEEN_OK && (needs & US_NEEDS_P_TRUE))
        st = us_check_finite("p_true", in->p_true, in->n);
    for (int64_t i = 0; st == UNSEEN_OK && (needs & US_NEEDS_FEATURES) && i < in->n * in->dimension; i++) {
        if (!isfinite(in->features[i]))
            st = us_fail(UNSEEN_BAD_DATA, "features", "value %g of sample %" PRId64 " is not finite",
                         (double)in->features[i], i / in->dimension);
    }
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

/* Where data are scarce easy samples teach more than hard ones (Sorscher et al., NeurIPS 2022). */
#define FEW_KEPT 0.05

void us_select_warn(const char *rule, const struct unseen_select_options *o)
{
    if (us_rule_cuts(rule) && o->cutoff > 1 - o->keep + 1e-9)
        us_log(UNSEEN_LOG_WARNING, "--cutoff %g leaves fewer samples than --keep %g: only %g is cut off",
               o->cutoff, o->keep, 1 - o->keep);
    if (us_is_among("top class-balanced", rule) && o->keep < FEW_KEPT)
        us_log(UNSEEN_LOG_WARNING,
               "--rule %s keeps the hardest %g %% alone, which few samples are learnt from; --rule bottom "
               "--quota equal keeps the easiest of each class",
               rule, 100 * o->keep);
}

/* The rule on all samples, by class where that is asked for. */
static enum unseen_status stream(const struct rule *rule, struct us_rule_input *in, uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    bool by_quota = us_groups_by_class(in->options);
    const struct us_view view = {.in = in};
    in->groups = by_quota || (rule->needs & US_NEEDS_LABELS) ? in->classes : 1;
    int64_t *size = us_calloc((size_t)in->groups, sizeof *size);
    int64_t *quota = us_calloc((size_t)in->groups, sizeof *quota);
    US_TRY_ALLOC(size);
    US_TRY_ALLOC(quota);
    US_TRY(us_count_groups(&view, size));
    if (by_quota)
        US_TRY(us_group_quotas(in->options, in->groups, 1, size, in->m, quota));
    else
        US_TRY(us_proportional_quotas(size, in->groups, in->n, in->m, quota));
    in->size = size;
    in->quota = quota;
    US_TRY(rule->function(in, kept));
out:
    in->size = in->quota = NULL;
    free(quota);
    free(size);
    return st;
}

static enum unseen_status choose_among(const char *name, struct us_rule_input *in, uint64_t **kept)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_among among = {0};
    uint64_t *chosen = NULL, *set = NULL;
    US_TRY(us_among_make(in, &among));
    US_TRY(us_choose(name, &among.in, &chosen));
    US_TRY_ALLOC(set = us_calloc(us_kept_words(in->n), sizeof *set));
    us_among_keep(&among, chosen, set);
    in->m = among.in.m;
    in->classes = among.in.classes;
    *kept = set;
out:
    free(chosen);
    us_among_free(&among);
    return st;
}

enum unseen_status us_choose(const char *name, struct us_rule_input *in, uint64_t **kept)
{
    enum unseen_status st = UNSEEN_OK;
    const struct rule *rule = known(name);
    uint64_t *set = NULL;
    if (in->options->leave_out)
        return choose_among(name, in, kept);
    in->groups = 1;
    US_TRY(us_select_check(name, in->options, in->n, in->classes));
    US_TRY(us_count_kept(in->options->keep, in->n, &in->m));
    US_TRY(check_needs(rule, in));
    US_TRY(check_values(rule->needs, in));
    US_TRY_ALLOC(set = us_calloc(us_kept_words(in->n), sizeof *set));
    if (rule->needs & US_STREAMS)
        US_TRY(stream(rule, in, set));
    else if (us_has_groups(in->options, rule->needs))
        US_TRY(us_select_in_groups(rule->function, rule->needs, in, set));
    else
        US_TRY(rule->function(in, set));
    *kept = set;
    set = NULL;
out:
    free(set);
    return st;
}

enum unseen_status unseen_select(const char *rule, const float *scores, const int32_t *labels, int64_t n,
                                 int classes, const struct unseen_select_options *options, int64_t **kept,
                                 int64_t *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_select_options defaults;
    unseen_select_defaults(&defaults);
    const struct unseen_select_options *o = options ? options : &defaults;
    const struct us_npy column = {
        .dtype = US_I32, .ndim = 1, .shape = {n}, .count = (size_t)n, .data = labels};
    struct us_rule_input in = {.scores = scores,
                               .labels = labels ? &column : NULL,
                               .n = n,
                               .classes = classes,
                               .hardness = o->hardness ? o->hardness : scores,
                               .p_true = o->p_true,
                               .features = o->features,
                               .dimension = o->dimension,
                               .options = o};
    uint64_t *set = NULL;
    int64_t *list = NULL;
    US_TRY(us_choose(rule, &in, &set));
    US_TRY_ALLOC(list = us_calloc((size_t)in.m, sizeof *list));
    *m = us_list_kept(set, 0, n, list);
    *kept = list;
out:
    free(set);
    return st;
}
