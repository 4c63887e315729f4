/* Reading the beginnings of all files of an index: what kind of image, how large, turned how, bad or not. */
#ifndef US_DATASETS_HEADERS_H
#define US_DATASETS_HEADERS_H

#include "datasets/index/index.h"

/* So much of a file is read; more only where its header is not found in it. head of an entry is the hash of
 * so many bytes, or of all. */
enum { US_HEAD = 1 << 14 };

/* Look at every entry that was not looked at yet, by several threads. Only what is no fault of a file is a
 * failure: files that are no images become bad entries with a reason. `location` names the data. */
enum unseen_status us_headers_read(struct us_index *index, const char *location);

/* Why an entry is bad. */
const char *us_entry_reason(const struct us_index *index, int64_t entry);

#endif
