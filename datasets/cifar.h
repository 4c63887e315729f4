/* The CIFAR-10 and CIFAR-100 binary layouts, as reader and writer see them. */
#ifndef US_DATASETS_CIFAR_H
#define US_DATASETS_CIFAR_H

#include "datasets/format.h"

enum {
    US_CIFAR_SIDE = 32,
    US_CIFAR_PLANE = US_CIFAR_SIDE * US_CIFAR_SIDE,
    US_CIFAR_PIXELS = 3 * US_CIFAR_PLANE,
    US_CIFAR_TRAIN_FILES = 5, /* at most */
};

/* A record is `label_bytes` labels (CIFAR-100: coarse, fine), then the red, green and blue plane. */
struct us_cifar {
    const char *format;
    const char *train[US_CIFAR_TRAIN_FILES]; /* file names; unused ones NULL */
    const char *test;
    const char *names;        /* one class name a line */
    const char *coarse_names; /* NULL for CIFAR-10 */
    int label_bytes;
    int classes;        /* at most, and if the file of names is not there */
    int coarse_classes; /* 0 for CIFAR-10 */
    float mean[3], std[3];
};

extern const struct us_cifar us_cifar10, us_cifar100;

/* The layout that has room for so many classes. */
const struct us_cifar *us_cifar_for(int classes);

/* As struct us_dataset_format has them. */
enum unseen_status us_cifar_measure(const struct us_cifar *layout, const struct unseen_dataset *dataset,
                                    const struct us_subset *subset, int64_t *bytes);
enum unseen_status us_cifar_write(const struct us_cifar *layout, const struct unseen_dataset *dataset,
                                  const struct us_subset *subset, const char *out);

#endif
