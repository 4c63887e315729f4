/* The report: one self-contained HTML file a person can read. */
#ifndef UNSEEN_REPORT_H
#define UNSEEN_REPORT_H

#include "unseen/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (Re)write FOLDER/report.html from what unseen_prune, unseen_compare or unseen_train left in FOLDER:
 * run.json, scores.npy, keep.npy, coreset.csv, trajectory/, seen/ (a second trajectory with its scores.npy,
 * if seen and unseen were both recorded), history.csv. Parts whose files are missing are left out of the
 * report. `data` is the dataset of the run, for the pictures of samples; NULL: the one that run.json names is
 * opened, if there are samples to show. If it is not the data of the run any more or cannot be opened, the
 * report says so in their place. UNSEEN_BAD_DATA if run.json is missing or malformed. */
UNSEEN_API enum unseen_status unseen_report(const char *folder, const struct unseen_dataset *data);

#ifdef __cplusplus
}
#endif
#endif
