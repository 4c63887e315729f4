#include "config.h"

#include "bench/bench_options.h"

#include "unseen/train.h"

/* Of a network that is timed; AT names the struct. */
/* clang-format off */
#define NETWORK_ROWS \
    {"width", US_INT, AT(width), .standard = "64", .low = 1, .high = 1024, .value = "W", \
     .help = "channels of the first stage"}, \
    {"batch", US_INT, AT(batch), .standard = "128", .low = 1, .high = 65536, .value = "B", \
     .help = "images a step"}, \
    {"size", US_INT, AT(size), .standard = "32", .low = 8, .high = 512, .value = "S", \
     .help = "pixels a side"}, \
    {"classes", US_INT, AT(classes), .standard = "10", .low = 2, .high = 100000, .value = "C", \
     .help = "classes"}, \
    {"precision", US_CHOICE, AT(precision), .standard = "float32", .value = "float32|bf16|f16|tf32", \
     .former_word = "f32", .help = "what convolutions multiply"}
/* clang-format on */

#define AT(member) US_AT(struct unseen_bench_options, member)

const struct us_option us_bench_options[] = {
    {"model", US_STRING, AT(model), .standard = "resnet18", .value = "NAME", .help = "which network",
     .known = unseen_model_name},
    NETWORK_ROWS,
    {"recompute", US_BOOL, AT(recompute), .standard = "false",
     .help = "compute activations again on the way back"},
    {"rounds", US_INT, AT(rounds), .standard = "10", .low = 1, .high = 10000, .value = "N",
     .help = "timed steps"},
    {0},
};

#undef AT
#define AT(member) US_AT(struct unseen_tune_options, member)

const struct us_option us_tune_options[] = {
    {"model", US_STRING, AT(model), .value = "NAME", .known = unseen_model_name,
     .help = "the network whose convolutions are timed; all if not given"},
    NETWORK_ROWS,
    {"rounds", US_INT, AT(rounds), .standard = "5", .low = 1, .high = 1000, .value = "N",
     .help = "timings a candidate, of which the median counts"},
    {0},
};

void unseen_bench_defaults(struct unseen_bench_options *options)
{
    *options = (struct unseen_bench_options){0};
    us_options_defaults(us_bench_options, options);
}

void unseen_tune_defaults(struct unseen_tune_options *options)
{
    *options = (struct unseen_tune_options){0};
    us_options_defaults(us_tune_options, options);
}
