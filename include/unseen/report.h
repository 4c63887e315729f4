/* Reports: self-contained HTML files a person can read. */
#ifndef UNSEEN_REPORT_H
#define UNSEEN_REPORT_H

#include "unseen/audit.h"
#include "unseen/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (Re)write FOLDER/report.html from what unseen_prune, unseen_compare or unseen_train left in FOLDER:
 * run.json, scores.npy, keep.npy, coreset.csv, trajectory/, seen/ (a second trajectory with its scores.npy,
 * if seen and unseen were both recorded), history.csv. Parts whose files are missing are left out of the
 * report. `data` is the dataset of the run, for the pictures of samples; NULL: the one that run.json names is
 * opened, if there are samples to show. If it is not the data of the run any more or cannot be opened, the
 * report says so in their place; a report.html that is there already is not replaced by one without pictures,
 * unless `force` is not 0. UNSEEN_BAD_DATA then, and if run.json is missing or malformed. */
UNSEEN_API enum unseen_status unseen_report(const char *folder, const struct unseen_dataset *data, int force);

struct unseen_device;

/* Where an audit comes from. Each may be NULL or 0. */
struct unseen_audit_origin {
    const struct unseen_device *device; /* that recorded the trajectory */
    const char *trajectory;             /* its folder: the settings and histories of scoring.json beside it */
    const char *command;
    const struct unseen_audit_options *options; /* of the audit */
    const struct unseen_trajectory *audited;    /* whose probs options->pred_probs asks for */
    int recorded;                               /* the trajectory was recorded for the audit */
};

/* Write to `folder` (made if missing): suspects.csv (index, label, path, suggested, confidence, score, and
 * true_label where the data have true labels), suspicion.npy (float32 [n], the scores of all samples, for
 * unseen_select's "bottom"), pred_probs.npy if origin->options ask for it, audit.json (what the audit was
 * made with) and audit.html, one self-contained page with pictures of the first suspects. `origin` may be
 * NULL. UNSEEN_BAD_DATA if `data` is not what was audited: other samples or labels. */
UNSEEN_API enum unseen_status unseen_audit_write(const struct unseen_audit *audit,
                                                 const struct unseen_dataset *data,
                                                 const struct unseen_audit_origin *origin,
                                                 const char *folder);

#ifdef __cplusplus
}
#endif
#endif
