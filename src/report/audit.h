/* The page of an audit. */
#ifndef US_REPORT_AUDIT_H
#define US_REPORT_AUDIT_H

#include "base/status.h"
#include "unseen/audit.h"

/* Write audit.html to `path`, atomically: the first suspects as pictures, and the classes they come from.
 * `data` is what was audited. */
enum unseen_status us_audit_page(const char *path, const struct unseen_audit *audit,
                                 const struct unseen_dataset *data);

#endif
