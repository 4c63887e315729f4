/* What a selection rule is to the registry (rules.def). */
#ifndef US_SELECT_RULE_H
#define US_SELECT_RULE_H

#include "base/npy.h"
#include "base/option.h"
#include "unseen/select.h"

/* Files that a rule may read from while it works: scores, hardness, labels. */
#define US_MAPPED_MOST 3

/* Checked input: numbers finite, labels in range, 1 <= m <= n.
 * A rule that streams (US_STREAMS) gets all samples, divided into groups whose quotas it fills one by one.
 * Any other gets one group's samples at a time: arrays that `options` names are of the whole dataset, those
 * here of these samples. */
struct us_rule_input {
    const float *scores;         /* [n]; may be NULL for a rule that does not need them */
    const struct us_npy *labels; /* integers [n]; the same */
    int64_t n;
    int classes;           /* 0: as many as the labels have, set by the checks */
    int64_t m;             /* how many to keep */
    int groups;            /* 1, or classes: a sample's group is its label */
    const int64_t *size;   /* [groups] samples of each, summing to n */
    const int64_t *quota;  /* [groups] how many of each to keep, summing to m */
    const int64_t *sample; /* [n] what the draws are keyed by, ascending; NULL: 0..n-1 */
    const float *hardness; /* [n]; never NULL where scores are not */
    const float *p_true;   /* [n], or NULL */
    const float *features; /* [n, dimension], or NULL */
    int64_t dimension;
    const struct us_npy *mapped[US_MAPPED_MOST]; /* whose pages can be let go behind a pass, or NULL */
    const struct unseen_select_options *options;
};

/* Put exactly m samples into `kept` (select/kept.h), which is empty. A rule's draws come from epoch 0 of
 * US_STREAM_SELECT with the sample as item. */
typedef enum unseen_status us_rule_function(const struct us_rule_input *in, uint64_t *kept);

/* What a rule cannot do without, and how it works. */
enum {
    US_NEEDS_SCORES = 1,
    US_NEEDS_LABELS = 2,
    US_NEEDS_FEATURES = 4,
    US_NEEDS_P_TRUE = 8,
    US_STREAMS = 16,    /* in passes over the samples, without memory for each of them */
    US_CUTS = 32,       /* drops the hardest samples by `hardness` */
    US_STRATIFIES = 64, /* divides each group into strata of scores */
};

/* Whether a rule of that name does; false for a name that there is not. */
bool us_rule_cuts(const char *rule);
bool us_rule_stratifies(const char *rule);

/* UNSEEN_USAGE, with the names of all rules, if there is none of that name. */
enum unseen_status us_rule_check(const char *rule);

/* Everything of a selection from n samples that can be refused before there are scores: UNSEEN_USAGE for an
 * unknown rule, for options out of range (whether or not the rule looks at them), and for a `keep` that keeps
 * nothing. `classes` 0: not known yet. Arrays are not looked at. */
enum unseen_status us_select_check(const char *rule, const struct unseen_select_options *options, int64_t n,
                                   int classes);

/* Log a warning where the ratio to keep leaves less to be cut off than was asked for. */
void us_select_warn(const char *rule, const struct unseen_select_options *options);

/* All of unseen_select between its input and the list of what is kept: everything in `in` is set but groups,
 * quotas and m. `kept` receives a fresh set, freed with free(). */
enum unseen_status us_choose(const char *rule, struct us_rule_input *in, uint64_t **kept);

/* items [n] receives 0..n-1 in the order of the samples' draws. */
enum unseen_status us_rule_shuffle(const struct us_rule_input *in, int64_t *items);

/* Place of a sample in the order of a rule's draws is by this number, then by the sample. */
uint64_t us_rule_draw(uint64_t seed, int64_t sample);

/* The table that is read: CIFAR-10's for UNSEEN_TABLE_AUTO that nobody resolved. */
enum unseen_select_table us_known_table(enum unseen_select_table table);

/* CCS's published hard cut-off for a keep ratio (Zheng et al., ICLR 2023), linear between the ratios that the
 * paper tells. */
double us_ccs_cutoff(enum unseen_select_table table, double keep);

/* The share that `options` asks to be cut, whatever it is given as. */
double us_cutoff(const struct unseen_select_options *options);

/* The share that `rule` cuts off with them: no more than is not kept; NaN if it cuts nothing. */
double us_share_cut(const char *rule, const struct unseen_select_options *options);

/* How many of n samples stay after the cut that `options` asks for; never fewer than m. */
int64_t us_count_after_cutoff(const struct unseen_select_options *options, int64_t n, int64_t m);

/* The stratum of a score among `strata` of equal width over [low, high]; the last is closed at its end. */
static inline int32_t us_ccs_stratum(double score, double low, double high, int strata)
{
    double at = high > low ? (score - low) / (high - low) * strata : 0;
    return at < strata ? (int32_t)at : strata - 1;
}

/* options->strata or its default; and UNSEEN_USAGE if that is too many for so many groups. */
int us_ccs_strata(const struct unseen_select_options *options);
enum unseen_status us_ccs_check_strata(const struct unseen_select_options *options, int groups);

/* CCS's budgets: stratum s of `strata` holds population[s] samples, of which budget[s] are kept. Strata are
 * visited by ascending population (the lower number first among equals); each gets its population or an equal
 * share of what is left, rounded down, whichever is less. The budgets sum to m, which is at most the
 * population of all. */
enum unseen_status us_ccs_budgets(const int64_t *population, int strata, int64_t m, int64_t *budget);

/* m = round(keep * n); UNSEEN_USAGE if that is nothing or `keep` is no ratio. */
enum unseen_status us_count_kept(double keep, int64_t n, int64_t *m);

/* Whether unseen_rule_name has it. */
bool us_rule_is_known(const char *name);

/* The rows of struct unseen_select_options. */
extern US_SHARED const struct us_option us_select_options[];

#define US_RULE(name, function, needs, help) us_rule_function function;
#include "select/rules.def"
#undef US_RULE

#endif
