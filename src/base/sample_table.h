/* What tables of samples have in common: what programs call their columns, and classes as numbers. */
#ifndef US_BASE_SAMPLE_TABLE_H
#define US_BASE_SAMPLE_TABLE_H

#include "base/csv.h"

/* Names of columns, the surest first, up to a NULL. */
extern const char *const us_index_columns[];
extern const char *const us_path_columns[];
extern const char *const us_label_columns[];
extern const char *const us_split_columns[];

/* Where in the current row, which names the columns, one of `names` is; -1: nowhere. */
int us_column_find(const struct us_csv *csv, const char *const *names);

/* A whole number that is not negative, also as "3.0", which tools write that keep numbers as fractions; any
 * above `most` is most + 1. -1 for any other text. */
int64_t us_class_number(const char *text, int64_t most);

#endif
