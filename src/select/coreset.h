/* coreset.csv: the selection as a table that people and other programs read. */
#ifndef US_SELECT_CORESET_H
#define US_SELECT_CORESET_H

#include <stdint.h>

#include "base/status.h"
#include "unseen/dataset.h"

/* Write "index,label,path,score,fold,kept" and a line for each of `samples`, atomically (RFC 4180 quoting
 * where a path needs it). scores and fold are [n], keep is [m], ascending; without paths, or where fold is
 * NULL, those columns are empty. Scores have nine digits, which restore the float; kept is 0, 1 or "skipped".
 */
enum unseen_status us_coreset_csv_write(const char *path, const struct unseen_images *samples,
                                        const float *scores, const uint8_t *fold, const int64_t *keep,
                                        int64_t m);

#endif
