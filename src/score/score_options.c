#include "config.h"

#include "score/score_function.h"

#define AT(member) US_AT(struct unseen_score_options, member)

const struct us_option us_score_options[] = {
    {"calibrate", US_CHOICE, AT(calibration), .standard = "none", .value = "none|zscore|rank",
     .help = "scores across folds: as they are, standardised or ranked within each fold"},
    {"length", US_INT, AT(length), .standard = "all", .low = 1, .high = 100000, .words = "all", .value = "T",
     .unit = "epochs", .help = "how many count, from the first on"},
    {"window", US_INT, AT(window), .standard = "10", .low = 2, .high = 100000, .value = "J", .unit = "epochs",
     .help = "windows of dual, dynunc and tdds", .flags = US_ZERO_IS_DEFAULT},
    {"decay", US_DOUBLE, AT(decay), .standard = "0.9", .low = 0, .high = 1, .value = "X",
     .help = "tdds: what the last window weighs", .flags = US_ZERO_IS_DEFAULT | US_ABOVE_LOW},
    {"clusters", US_INT, AT(clusters), .standard = "classes", .low = 1, .high = 1000000, .words = "classes",
     .value = "K", .help = "prototype: how many; classes: as many as there are classes"},
    {"epoch", US_INT, AT(epoch), .standard = "own", .low = 0, .high = 99999, .words = "own", .first_word = -1,
     .value = "T", .help = "which one scores of one epoch read; own: each score's own"},
    {0},
};

void unseen_score_defaults(struct unseen_score_options *options)
{
    *options = (struct unseen_score_options){0};
    us_options_defaults(us_score_options, options);
}
