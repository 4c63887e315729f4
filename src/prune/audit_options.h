/* The rows of struct unseen_audit_options. */
#ifndef US_PRUNE_AUDIT_OPTIONS_H
#define US_PRUNE_AUDIT_OPTIONS_H

#include "base/option.h"
#include "unseen/audit.h"

extern US_SHARED const struct us_option us_audit_options[];

#endif
