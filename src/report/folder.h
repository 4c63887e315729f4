/* What a run left in its folder, read and checked for the report. */
#ifndef US_REPORT_FOLDER_H
#define US_REPORT_FOLDER_H

#include <jansson.h>

#include "nn/history.h"
#include "unseen/dataset.h"
#include "unseen/trajectory.h"

/* Pointers are NULL for what is not there. */
struct us_run_folder {
    const char *path;
    json_t *run;        /* run.json, an object */
    int64_t n;          /* samples; 0 if no file tells */
    float *scores;      /* [n] */
    int64_t *ascending; /* [n] the samples by ascending score, ties by index; NULL without scores.npy */
    float *seen;        /* [n] scores of seen/ */
    uint8_t *kept;      /* [n] 1 if in keep.npy; NULL without scores.npy or keep.npy */
    int64_t m;          /* samples kept */
    float *p_true;      /* [n] mean probability of the given label over repeats and epochs */
    int32_t *suggested; /* [n] class that the models prefer, where the trajectory tells */
    uint8_t *fold;    /* [n] the model that scored the sample, at the first repeat; NULL unless each fold was
                         scored by one */
    uint8_t *skipped; /* [n] 1 for a bad image that no model trained on */
    int64_t n_skipped;
    int64_t *labels; /* [n] each in 0..classes-1 */
    int classes;
    struct us_history history; /* history.csv; no columns without it */
    const struct unseen_dataset *dataset;
    struct unseen_dataset *opened; /* the same, where it was opened here */
    char *dataset_problem;         /* why dataset is NULL, if there are samples to show */
};

/* UNSEEN_BAD_DATA, naming the file, for a missing or malformed run.json and for files that are malformed or
 * do not fit each other. End with us_run_folder_close, also after a failure. `path` must outlive it, and so
 * must `data`, the dataset of the run; NULL: the one that run.json names is opened, if there are samples to
 * show. */
enum unseen_status us_run_folder_open(const char *path, const struct unseen_dataset *data,
                                      struct us_run_folder *folder);
void us_run_folder_close(struct us_run_folder *folder);

/* Open the dataset of the run in a folder as run.json has it; `data` and `labels`, where they are not NULL,
 * tell where it and its options.labels are now. */
US_SHARED enum unseen_status us_run_data_open(const char *folder, const char *data, const char *labels,
                                              struct unseen_dataset **dataset);

/* The value in run.json under a dotted key ("data.name"), or under the same key inside "settings", where
 * training options may lie; NULL if there is none. */
const json_t *us_run_value(const struct us_run_folder *folder, const char *key);

/* Its text, NULL if it is not one; and its number, `otherwise` if it is not one. */
const char *us_run_text(const struct us_run_folder *folder, const char *key);
double us_run_number(const struct us_run_folder *folder, const char *key, double otherwise);

/* A class's name from the dataset or run.json, else "class N" in `text`. Never NULL. */
const char *us_run_class_name(const struct us_run_folder *folder, int class, char text[32]);

#endif
