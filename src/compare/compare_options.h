/* The rows of struct unseen_compare_options. */
#ifndef US_COMPARE_COMPARE_OPTIONS_H
#define US_COMPARE_COMPARE_OPTIONS_H

#include "base/option.h"
#include "unseen/compare.h"

extern US_SHARED const struct us_option us_compare_options[];

#endif
