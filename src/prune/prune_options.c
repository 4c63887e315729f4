#include "config.h"

#include "prune/prune_options.h"

#include "score/score_function.h"
#include "scoring/scoring_model.h"
#include "select/rule.h"

#define AT(member) US_AT(struct unseen_step_options, member)

const struct us_option us_step_options[] = {
    {"steps", US_INT, AT(steps), .standard = "1", .low = 1, .high = 1000, .value = "T",
     .help = "coresets, each scored by models of the one before"},
    {"grow", US_INT, AT(grow), .standard = "1", .low = 1, .high = 1000, .value = "G", .unit = "steps",
     .help = "over how many of the first sizes grow", .flags = US_ZERO_IS_DEFAULT},
    {"evict", US_DOUBLE, AT(evict), .standard = "0.2", .low = 0, .high = 1, .value = "F",
     .help = "share of a coreset that may leave in a step"},
    {"hold-out", US_DOUBLE, AT(hold_out), .standard = "0.1", .low = 0, .high = 0.5, .value = "F",
     .help = "share that judges coresets and is in none", .flags = US_ABOVE_LOW},
    {"warm-start", US_BOOL, AT(warm_start), .standard = "false",
     .help = "models start from the weights of the step before"},
    {"average", US_BOOL, AT(average), .standard = "false",
     .help = "choose by mean ranks over the steps in which a sample was outside"},
    {"step-folds", US_INT, AT(folds), .standard = "same", .low = 2, .high = 255, .words = "same",
     .value = "K", .help = "folds within a coreset; same: --folds"},
    {"step-repeats", US_INT, AT(repeats), .standard = "1", .low = 1, .high = 1000, .value = "R",
     .help = "splits and initialisations of a step"},
    {"step-epochs", US_INT, AT(epochs), .standard = "same", .low = 1, .high = 100000, .words = "same",
     .value = "E", .help = "schedule of a step's scoring models; same: --epochs"},
    {"judges", US_INT, AT(judges), .standard = "1", .low = 1, .high = 1000, .value = "J",
     .help = "models that judge a coreset"},
    {0},
};

void unseen_step_defaults(struct unseen_step_options *options)
{
    *options = (struct unseen_step_options){0};
    us_options_defaults(us_step_options, options);
}

#undef AT
#define AT(member) US_AT(struct unseen_prune_options, member)

const struct us_option us_prune_options[] = {
    {"metric", US_STRING, AT(metric), .standard = "el2n", .value = "M",
     .help = "score, or a sum of scores such as 0.5*el2n+0.5*dual", .known = unseen_score_name},
    {"rule", US_STRING, AT(rule), .standard = "ccs", .value = "R", .help = "how scores become a coreset",
     .known = unseen_rule_name},
    {"cutoff-by", US_STRING, AT(cut), .standard = "auto", .value = "M", .former = "cut-by",
     .help = "ccs, window: score that says what is hardest; auto: unseen-confidence, or aum where seen",
     .known = unseen_score_name},
    {"select", US_STRUCT, AT(select), .table = us_select_options, .help = "Selection"},
    {"step", US_STRUCT, AT(step), .table = us_step_options, .help = "Selection in steps"},
    {"score", US_STRUCT, AT(score), .table = us_score_options, .help = "Scores"},
    {"scoring", US_STRUCT, AT(scoring), .table = us_scoring_options, .help = "Scoring models"},
    {0},
};

void unseen_prune_defaults(struct unseen_prune_options *options)
{
    *options = (struct unseen_prune_options){0};
    us_options_defaults(us_prune_options, options);
}
