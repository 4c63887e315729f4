/* What a listing found that the user should hear of each time the data are opened, also where the listing is
 * not made again. */
#ifndef US_DATASETS_NOTES_H
#define US_DATASETS_NOTES_H

#include "datasets/names.h"

/* Keep a line, without telling it. */
enum unseen_status us_note(struct us_text *notes, enum unseen_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Log all lines. */
void us_notes_tell(const struct us_text *notes);

#endif
