/* Where samples lie in a tree of class folders. */
#ifndef US_DATASETS_CLASS_FOLDER_H
#define US_DATASETS_CLASS_FOLDER_H

#include "unseen/dataset.h"

/* What the folder of a class is called: as the class, without the words behind ImageNet's names of classes; a
 * number is filled up with zeroes, so that folders keep the order. Fresh memory. */
char *us_class_folder(const struct unseen_dataset *dataset, int class);

/* CLASS/NAME for a sample of a dataset with paths: as its path has it, if that goes through its class's
 * folder, else the whole path below that folder, without parts that lead out of it. Fresh memory. */
char *us_class_path(const struct unseen_dataset *dataset, enum unseen_split split, int64_t i);

#endif
