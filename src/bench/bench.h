/* What the measurements of a model share. */
#ifndef US_BENCH_BENCH_H
#define US_BENCH_BENCH_H

#include "nn/model.h"
#include "unseen/bench.h"

/* UNSEEN_USAGE for options out of range. */
enum unseen_status us_bench_check(const struct unseen_bench_options *options);

/* A model for training on images of three channels. */
struct us_model_spec us_bench_spec(const struct unseen_bench_options *options);

#endif
