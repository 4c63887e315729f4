/* Time for measuring. */
#ifndef US_BASE_CLOCK_H
#define US_BASE_CLOCK_H

#include "base/status.h"

/* Seconds on a clock that never jumps; only differences mean anything. */
US_SHARED double us_seconds(void);

/* Processor seconds that the calling thread has used. */
double us_thread_seconds(void);

#endif
