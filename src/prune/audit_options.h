/* The rows of struct unseen_audit_options, and the quantities that an audit reads. */
#ifndef US_PRUNE_AUDIT_OPTIONS_H
#define US_PRUNE_AUDIT_OPTIONS_H

#include "base/option.h"
#include "prune/noise_rate.h"
#include "unseen/audit.h"

extern US_SHARED const struct us_option us_audit_options[];
#define US_AUDIT_READS (US_WRONG_SHARE_READS | 1u << UNSEEN_PREDICTED)

#endif
