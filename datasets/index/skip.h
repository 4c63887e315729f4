/* Files that are left out because they cannot be decoded. */
#ifndef US_DATASETS_SKIP_H
#define US_DATASETS_SKIP_H

#include "datasets/index/index.h"

/* Decode every file that was not decoded before, by all threads, and note in its entry how that went;
 * *decoded receives their number, also after a failure. Only what is no fault of a file is a failure. */
enum unseen_status us_skip_find(struct us_index *index, const char *location, int64_t *decoded);

/* Set the masks of both splits, and tell how many files are checked and how many skipped. UNSEEN_BAD_DATA if
 * no training sample is left. */
enum unseen_status us_skip_mark(struct unseen_dataset *dataset);

#endif
