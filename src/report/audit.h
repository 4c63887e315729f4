/* The page of an audit, and what it tells of the audit. */
#ifndef US_REPORT_AUDIT_H
#define US_REPORT_AUDIT_H

#include <jansson.h>

#include "base/status.h"
#include "unseen/report.h"

/* A fresh object: program, version, command, device and data as in run.json, the settings and histories of
 * the scoring models, the options to do it again, and the audit's protocol, n, suspects, wrong_share and, of
 * data with true labels, truth. Released with json_decref. */
enum unseen_status us_audit_json(const struct unseen_audit *audit, const struct unseen_dataset *data,
                                 const struct unseen_audit_origin *origin, json_t **json);

/* What it may write, up to a NULL. */
extern US_SHARED const char *const us_audit_files[];

/* unseen_audit_judge's findings as an object; what is NaN is null. NULL if memory runs out. */
US_SHARED json_t *us_audit_truth_json(const struct unseen_audit *audit, const int32_t *true_labels);

/* Write `folder`/audit.html, atomically: the first suspects as pictures, the classes they come from, and
 * `json`, which us_audit_json made. `data` is what was audited. */
enum unseen_status us_audit_page(const char *folder, const struct unseen_audit *audit,
                                 const struct unseen_dataset *data, json_t *json);

#endif
