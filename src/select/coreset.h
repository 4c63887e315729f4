/* coreset.csv: the selection as a table that people and other programs read. */
#ifndef US_SELECT_CORESET_H
#define US_SELECT_CORESET_H

#include <stdint.h>

#include "base/status.h"

/* Write "index,label,path,score,fold,kept" and a line a sample, atomically (RFC 4180 quoting where a path
 * needs it). All arrays are [n] but keep [m], ascending; paths and fold may be NULL: those columns are then
 * empty. Scores have nine digits, which restore the float; kept is 0 or 1. */
enum unseen_status us_coreset_csv_write(const char *path, const int32_t *labels, char *const *paths,
                                        const float *scores, const uint8_t *fold, const int64_t *keep,
                                        int64_t m, int64_t n);

#endif
