#include "config.h"

#include "select/rule.h"

#define AT(member) US_AT(struct unseen_select_options, member)

/* The words of "cutoff" are UNSEEN_CUTOFF_TABLE and UNSEEN_CUTOFF_AUTO. */
const struct us_option us_select_options[] = {
    {"keep", US_DOUBLE, AT(keep), .standard = "0.5", .low = 0, .high = 1, .value = "R",
     .help = "share of the samples to keep", .flags = US_ABOVE_LOW},
    {"cutoff", US_DOUBLE, AT(cutoff), .standard = "auto", .low = 0, .high = 1, .words = "table|auto",
     .first_word = UNSEEN_CUTOFF_TABLE, .value = "B", .used_by = "ccs window",
     .help = "ccs, window: share of the hardest samples dropped first; table: as published for --keep; auto: "
             "the wrong labels, and then that",
     .flags = US_BELOW_HIGH},
    {"published", US_CHOICE, AT(table), .standard = "auto", .value = "cifar10|cifar100|imagenet|auto",
     .former = "table",
     .help = "dataset whose published cut-offs and exponents are used; auto: by the data, else cifar10"},
    {"strata", US_INT, AT(strata), .standard = "50", .low = 1, .high = 1000000, .value = "N",
     .used_by = "ccs", .help = "ccs: strata of the scores", .flags = US_ZERO_IS_DEFAULT},
    {"dual-exponent", US_DOUBLE, AT(beta), .standard = "published", .low = 0, .high = 1000,
     .words = "published", .value = "X", .former = "beta", .used_by = "beta",
     .help = "beta: DUAL's C_D, the exponent of the pruned share; published: of --published",
     .flags = US_ABOVE_LOW},
    {"quota", US_CHOICE, AT(quota), .standard = "none", .value = "none|proportional|equal",
     .help = "how many of each class are kept"},
    {"class-focus", US_DOUBLE, AT(class_focus), .standard = "0", .low = 0, .high = 1, .value = "F",
     .help = "lean quotas to classes with unseen errors"},
    {"neighbours", US_INT, AT(neighbours), .standard = "10", .low = 1, .high = 1000, .value = "K",
     .used_by = "d2", .help = "d2: neighbours of a sample in the graph", .flags = US_ZERO_IS_DEFAULT},
    {"gamma", US_DOUBLE, AT(gamma), .standard = "1", .low = 0, .high = 1e6, .value = "X", .used_by = "d2",
     .help = "d2: fall of influence with squared distance", .flags = US_ZERO_IS_DEFAULT | US_ABOVE_LOW},
    {0},
};

void unseen_select_defaults(struct unseen_select_options *options)
{
    *options = (struct unseen_select_options){0};
    us_options_defaults(us_select_options, options);
}
