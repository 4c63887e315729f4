/* Labels of samples in a file of their own: an .npy of integers [n], or a table (base/csv.h).
 *
 * A table's first line names its columns, in any order and among others: label, and for true labels rather
 * true_label; index, or else path, of the sample; and split, whose rows of other splits than train are passed
 * over. Without such a line the columns are the sample (path or index) and its label. A table of labels alone
 * is in the order of the samples. A label is the number of a class or, where classes have names, the name of
 * one. Every sample is named once. */
#ifndef US_BASE_LABELS_H
#define US_BASE_LABELS_H

#include "base/npy.h"

/* What the labels are of. */
struct us_labelled {
    const char *name; /* of the dataset, or of another file with a value for each sample */
    int64_t n;
    int classes;
    char *const *class_names; /* [classes]; NULL: classes have numbers alone */
    /* The sample of a path or an index in text, -1 if it is none. NULL: samples have indices alone. */
    int64_t (*find)(const void *samples, const char *text);
    const void *samples;
};

enum us_label_kind { US_LABELS_GIVEN, US_LABELS_TRUE };

/* Whether the file is a table, not an .npy, by its name and first bytes. UNSEEN_BAD_DATA unless it can be
 * read. */
enum unseen_status us_labels_look(const char *file, bool *is_table);

/* Read labels [n]. UNSEEN_BAD_DATA, naming the element or the line: not as many, not in 0..classes-1, of
 * another type, or a sample that is named twice or not known. */
enum unseen_status us_labels_read(const char *file, enum us_label_kind kind, const struct us_labelled *of,
                                  int32_t *labels);

#endif
