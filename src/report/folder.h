/* What a run left in its folder, read and checked for the report. */
#ifndef US_REPORT_FOLDER_H
#define US_REPORT_FOLDER_H

#include <jansson.h>

#include "report/history.h"
#include "unseen/dataset.h"
#include "unseen/trajectory.h"

/* Pointers are NULL for what is not there. */
struct us_run_folder {
    const char *path;
    json_t *run;     /* run.json, an object */
    int64_t n;       /* samples; 0 if no file tells */
    float *scores;   /* [n] */
    float *seen;     /* [n] scores of seen/ */
    uint8_t *kept;   /* [n] 1 if in keep.npy; NULL without scores.npy or keep.npy */
    int64_t m;       /* samples kept */
    float *p_given;  /* [n] mean probability of the given label over repeats and epochs */
    int64_t *labels; /* [n] each in 0..classes-1 */
    int classes;
    struct us_history history; /* history.csv; no columns without it */
    struct unseen_dataset *dataset;
    char *dataset_problem; /* why dataset is NULL, if run.json names one */
};

/* UNSEEN_BAD_DATA, naming the file, for a missing or malformed run.json and for files that are malformed or
 * do not fit each other. End with us_run_folder_close, also after a failure. `path` must outlive it. */
enum unseen_status us_run_folder_open(const char *path, struct us_run_folder *folder);
void us_run_folder_close(struct us_run_folder *folder);

/* The value in run.json under a dotted key ("data.name"), or under the same key inside "recipe", where
 * training options may lie; NULL if there is none. */
const json_t *us_run_value(const struct us_run_folder *folder, const char *key);

/* Its text, NULL if it is not one; and its number, `otherwise` if it is not one. */
const char *us_run_text(const struct us_run_folder *folder, const char *key);
double us_run_number(const struct us_run_folder *folder, const char *key, double otherwise);

/* A class's name from the dataset or run.json, else "class N" in `text`. Never NULL. */
const char *us_run_class_name(const struct us_run_folder *folder, int class, char text[32]);

#endif
