/* The labels of a folder of images without class folders, such as ImageNet's val/ as it is downloaded, from a
 * text beside it:
 *
 *     val.txt                                    a file and its class a line: "ILSVRC2012_val_00000001.JPEG
 * 65", the class as its number from 0 on or by its name, "n01751748" LOC_val_solution.csv Kaggle's:
 * "ILSVRC2012_val_00000001,n01751748 85 1 499 272" ILSVRC2012_validation_ground_truth.txt     the devkit's: a
 * number a line for the images in the order of their names, the number being the devkit's own of a class */
#ifndef US_DATASETS_LABEL_LIST_H
#define US_DATASETS_LABEL_LIST_H

#include <stdint.h>

#include "base/status.h"
#include "datasets/folder/synsets.h"

struct us_label_list {
    const char *file;
    const char *const *classes; /* [n_classes] sorted by bytes */
    int n_classes;
    const struct us_synsets *synsets; /* for the devkit's numbers; NULL: there are none */
};

/* labels [n] of the images with these base names, which are sorted by bytes. UNSEEN_BAD_DATA, naming the
 * line, if one is no class or an image is there twice, and naming the image if one has none. Lines about
 * other images are passed over and counted in the log. */
enum unseen_status us_label_list_read(const struct us_label_list *list, const char *const *names, int64_t n,
                                      int32_t *labels);

#endif
