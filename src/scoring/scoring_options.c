#include "config.h"

#include "nn/train.h"
#include "nn/workers.h"
#include "scoring/scoring_model.h"

#define AT(member) US_AT(struct unseen_scoring_options, member)

const struct us_option us_scoring_options[] = {
    {"protocol", US_CHOICE, AT(protocol), .standard = "fold", .value = "seen|fold|one-fold",
     .help = "which models score a sample: trained on it, on the other folds, or on one other fold"},
    {"folds", US_INT, AT(folds), .standard = "5", .low = 2, .high = 255, .value = "K",
     .help = "folds of the split"},
    {"repeats", US_INT, AT(repeats), .standard = "1", .low = 1, .high = 1000, .value = "R",
     .help = "splits and initialisations"},
    {"duplicates", US_CHOICE, AT(duplicates), .standard = "together", .value = "together|split",
     .help = "samples of the same content: in one fold or not"},
    {"seen-from", US_CHOICE, AT(record), .standard = "train", .value = "train|eval", .former = "record",
     .help = "pass that quantities of samples trained on come from"},
    {"concurrent", US_INT, AT(concurrent), .standard = "auto", .low = 1, .high = US_WORKERS_MOST,
     .words = "auto", .value = "N", .help = "models trained at once; auto: what is fastest",
     .flags = US_NO_IDENTITY},
    {"init", US_STRING, AT(init), .value = "FILE", .flags = US_NO_IDENTITY, /* its content is one */
     .help = "weights that scoring models start from (.safetensors), of one that saw none of DATA"},
    {"recipe", US_STRUCT, AT(recipe), .table = us_recipe_options, .help = "Training"},
    {0},
};

void unseen_scoring_defaults(struct unseen_scoring_options *options)
{
    *options = (struct unseen_scoring_options){0};
    us_options_defaults(us_scoring_options, options);
}
