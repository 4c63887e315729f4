/* Text, or bytes, written to memory as to a file. */
#ifndef US_BASE_MEMORY_STREAM_H
#define US_BASE_MEMORY_STREAM_H

#include <stdio.h>

#include "base/status.h"

struct us_memory_stream {
    FILE *stream; /* to print to; NULL if there was no memory for one */
    char *bytes;
    size_t size;
};

/* Always to be ended; `stream` may be NULL. */
void us_memory_stream_begin(struct us_memory_stream *memory);

/* What was printed, with a zero byte behind it, into fresh memory; `size` (may be NULL) counts without it.
 * UNSEEN_FAILED with `what` that was to be written if memory gave out at any time since the begin. */
enum unseen_status us_memory_stream_end(struct us_memory_stream *memory, const char *what, char **bytes,
                                        size_t *size);

#endif
