/* What audits are made of: the rows of struct unseen_audit_options, and the quantities that are read. */
#ifndef US_PRUNE_AUDIT_OPTIONS_H
#define US_PRUNE_AUDIT_OPTIONS_H

#include "base/option.h"
#include "prune/noise_rate.h"
#include "unseen/audit.h"

extern US_SHARED const struct us_option us_audit_options[];
#define US_AUDIT_READS US_WRONG_SHARE_READS

/* unseen_audit without suspects (NULL) and the estimate of how many there are. */
enum unseen_status us_audit_samples(const struct unseen_trajectory *trajectory, struct unseen_audit **audit);

#endif
