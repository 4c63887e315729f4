/* What became of a cell of a comparison: result.json in its folder, which says that it is done. */
#ifndef US_COMPARE_CELL_RESULT_H
#define US_COMPARE_CELL_RESULT_H

#include "nn/train.h"

struct us_cell_result {
    int64_t kept, epochs, steps;
    int64_t images;         /* trained on, each as often as the model was */
    double accuracy, best;  /* on the test split: after the last epoch, and the best of those tested */
    double cutoff;          /* share that the rule cut off; NaN if it cuts nothing or in steps */
    double seconds;         /* of training and testing */
    int classes;            /* 0 in what versions left that did not tell classes apart */
    double *class_accuracy; /* [classes] on the test split after the last epoch; NaN: no test image */
};

void us_cell_result_end(struct us_cell_result *result);

/* The result, if it is there; *done tells. End it in any case. */
enum unseen_status us_cell_result_read(const char *folder, struct us_cell_result *result, bool *done);

/* Of the samples in keep.npy of the folder of a cell that is done, the share whose label is wrong; NaN where
 * `train` has no true labels. UNSEEN_BAD_DATA where the file is damaged or of other data. */
enum unseen_status us_cell_wrong(const char *folder, const struct unseen_images *train, double *share);

/* result.json, with the accuracies of tested.json, which then goes. */
enum unseen_status us_cell_result_write(const char *folder, const struct us_cell_result *result);

/* tested.json: the accuracy of each class, for a cell that is not done. `labels` are those of the test split.
 */
enum unseen_status us_cell_tested_write(const char *folder, const int32_t *labels, int classes,
                                        const struct us_sample_stats *tested);

#endif
