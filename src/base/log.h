/* Log lines on stderr, in step with the progress display. */
#ifndef US_BASE_LOG_H
#define US_BASE_LOG_H

#include "base/status.h"

/* One line "unseen: ..." on stderr if `level` is switched on. A progress bar on the terminal is
 * cleared first and drawn again by its next update. */
US_SHARED void us_log(enum unseen_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
