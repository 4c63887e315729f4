/* Training histories: numbers by epoch, as history.csv and run.json hold them. */
#ifndef US_NN_HISTORY_H
#define US_NN_HISTORY_H

#include <jansson.h>

#include "base/status.h"
#include "unseen/train.h"

/* history.csv:
 * epoch,lr,train_loss,train_accuracy,heldout_loss,heldout_accuracy,test_loss,test_accuracy,images,
 * seconds; then views_loss,views_accuracy where an epoch has them. Unmeasured cells are empty. */
enum unseen_status us_history_write(const char *path, const struct unseen_epoch *history, int epochs);

struct us_history {
    int columns, rows;
    char **names;    /* [columns] */
    double **values; /* [columns][rows]; NaN for an empty cell */
};

/* Read a CSV of numbers with a heading line. UNSEEN_BAD_DATA with file and line for a cell that is no number
 * or a row of another length. */
enum unseen_status us_history_read(const char *path, struct us_history *history);

/* The same from a JSON array of objects ([{"epoch": 0, "train_loss": 2.3, ...}, ...]): the first object's
 * numeric keys are the columns; whatever is no number is NaN. No columns if it is not such an array. */
enum unseen_status us_history_from_json(const json_t *epochs, struct us_history *history);

/* A column by name; NULL if it is not there or holds no finite value. */
const double *us_history_column(const struct us_history *history, const char *name);

void us_history_free(struct us_history *history);

#endif
