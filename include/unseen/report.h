/* The report: one self-contained HTML file a person can read. */
#ifndef UNSEEN_REPORT_H
#define UNSEEN_REPORT_H

#include "unseen/unseen.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (Re)write FOLDER/report.html from what lies in FOLDER: run.json, scores.npy, keep.npy, coreset.csv,
 * trajectory/, seen/ (a second trajectory with its scores.npy, if seen and unseen were both recorded),
 * history.csv. Parts whose files are missing are left out of the report. The dataset named in run.json is
 * opened for the contact sheets; if it cannot be, the report says so in their place. UNSEEN_BAD_DATA if
 * run.json is missing or malformed. */
UNSEEN_API enum unseen_status unseen_report(const char *folder);

#ifdef __cplusplus
}
#endif
#endif
