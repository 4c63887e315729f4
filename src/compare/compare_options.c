#include "config.h"

#include "compare/compare_options.h"

#include "compare/baseline.h"
#include "nn/train.h"
#include "nn/workers.h"
#include "prune/prune_options.h"
#include "score/score_function.h"
#include "scoring/scoring_model.h"
#include "select/rule.h"

#define AT(member) US_AT(struct unseen_compare_options, member)

/* The lists and the number of seeds may grow in a folder that is there already. */
const struct us_option us_compare_options[] = {
    {"metrics", US_STRING, AT(metrics), .standard = "el2n,dual", .value = "M[,M...]", .help = "scores",
     .known = unseen_score_name, .flags = US_GROWS},
    {"protocols", US_STRING, AT(protocols), .standard = "seen,fold", .value = "P[,P...]",
     .help = "seen, fold, one-fold, fold-seen (a fold run's seen side) or incremental", .flags = US_GROWS},
    {"rules", US_STRING, AT(rules), .standard = "ccs", .value = "R[,R...]", .known = unseen_rule_name,
     .help = "ccs=X, window=X: another cut-off, or table, auto, search; beta=X: another exponent",
     .flags = US_GROWS},
    {"keep", US_STRING, AT(keep), .standard = "0.9,0.7,0.5,0.3,0.1", .value = "R[,R...]",
     .help = "shares to keep", .flags = US_GROWS},
    {"baselines", US_STRING, AT(baselines), .standard = "random", .value = "B[,B...]",
     .known = us_baseline_name,
     .help = "rows beside all of the data, for every keep ratio; infobatch: one row, since what it saves "
             "follows the losses and no ratio: the images trained on tell",
     .flags = US_GROWS},
    {"seeds", US_INT, AT(seeds), .standard = "3", .low = 1, .high = 1000, .value = "N",
     .help = "runs of everything, from --seed on", .flags = US_GROWS},
    {"score-once", US_BOOL, AT(score_once), .standard = "false",
     .help = "the first seed's scores serve all seeds"},
    {"budget", US_CHOICE, AT(budget), .standard = "epochs", .value = "epochs|steps",
     .help = "what all models train for alike"},
    {"test-every", US_INT, AT(test_every), .standard = "auto", .low = 1, .high = 100000, .words = "auto|end",
     .value = "E", .unit = "epochs",
     .help = "when models are tested, beside the end; auto: each time all samples' worth of images is "
             "trained on"},
    {"concurrent", US_INT, AT(concurrent), .standard = "auto", .low = 1, .high = US_WORKERS_MOST,
     .words = "auto", .value = "N", .help = "models trained at once; auto: what is fastest",
     .flags = US_NO_IDENTITY},
    {"cutoff-by", US_STRING, AT(cut), .standard = "auto", .value = "M", .former = "cut-by",
     .help = "ccs, window: score that says what is hardest; auto: unseen-confidence, or aum where seen",
     .known = unseen_score_name},
    {"select", US_STRUCT, AT(select), .table = us_select_options, .without = "keep", .help = "Selection"},
    {"step", US_STRUCT, AT(step), .table = us_step_options, .help = "Protocol incremental"},
    {"score", US_STRUCT, AT(score), .table = us_score_options, .help = "Scores"},
    {"scoring", US_STRUCT, AT(scoring), .table = us_scoring_options, .help = "Scoring models",
     .without = "protocol concurrent recipe"},
    {"scoring recipe", US_STRUCT, AT(scoring.recipe), .table = us_recipe_options, .prefix = "scoring-",
     .follows = 1 + offsetof(struct unseen_compare_options, recipe),
     .help = "Training of the scoring models, where it is not that of the compared ones"},
    {"recipe", US_STRUCT, AT(recipe), .table = us_recipe_options, .help = "Training"},
    {0},
};

void unseen_compare_defaults(struct unseen_compare_options *options)
{
    *options = (struct unseen_compare_options){0};
    us_options_defaults(us_compare_options, options);
    options->select.keep = 1; /* each cell has its own */
    options->step.steps = 3;
    options->scoring.protocol = UNSEEN_FOLD;
}
