/* A table of image files with their labels: path,label[,split], as spreadsheets and other programs write it.
 *
 * The first line may name the columns, in any order and among others; else they are the first two or three.
 * Labels that are all whole numbers are the numbers of classes; any others are names, and the classes are
 * those that occur, sorted by their bytes. Splits are train, val (valid, validation, dev) and test; without
 * the column all is train. */
#ifndef US_DATASETS_SAMPLE_LIST_H
#define US_DATASETS_SAMPLE_LIST_H

#include <stdint.h>

#include "base/status.h"

enum us_listed_split { US_LISTED_TRAIN, US_LISTED_VAL, US_LISTED_TEST };

struct us_listed {
    char *path; /* as it is written, without "." and doubled slashes */
    int64_t line;
    int32_t label;
    enum us_listed_split split;
};

struct us_sample_list {
    struct us_listed *rows; /* [n] in the order of the table */
    int64_t n;
    int64_t of_split[3]; /* rows by enum us_listed_split */
    char **classes;      /* [n_classes]; NULL if labels are numbers */
    int n_classes;
};

/* UNSEEN_BAD_DATA, naming the line, if a row lacks something, says what cannot be, or names a path again.
 * Columns that nothing is taken from are told in the log. Freed with us_sample_list_free, also after a
 * failure; `list` is zeroed by the caller. */
enum unseen_status us_sample_list_read(const char *file, struct us_sample_list *list);
void us_sample_list_free(struct us_sample_list *list);

#endif
