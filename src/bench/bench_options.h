/* The rows of struct unseen_bench_options and of struct unseen_tune_options. */
#ifndef US_BENCH_BENCH_OPTIONS_H
#define US_BENCH_BENCH_OPTIONS_H

#include "base/option.h"
#include "unseen/bench.h"
#include "unseen/tune.h"

extern US_SHARED const struct us_option us_bench_options[];
extern US_SHARED const struct us_option us_tune_options[];

#endif
