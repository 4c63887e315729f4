/* Time for measuring. */
#ifndef US_BASE_CLOCK_H
#define US_BASE_CLOCK_H

/* Seconds on a clock that never jumps; only differences mean anything. */
double us_seconds(void);

/* Processor seconds that the calling thread has used. */
double us_thread_seconds(void);

#endif
