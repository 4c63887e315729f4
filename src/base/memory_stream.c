#include "config.h"

#include "base/memory_stream.h"

#include <stdlib.h>

void us_memory_stream_begin(struct us_memory_stream *memory)
{
    *memory = (struct us_memory_stream){0};
    memory->stream = open_memstream(&memory->bytes, &memory->size);
}

enum unseen_status us_memory_stream_end(struct us_memory_stream *memory, const char *what, char **bytes,
                                        size_t *size)
{
    /* Closing tells of the last write only. */
    const bool whole = memory->stream && !ferror(memory->stream);
    *bytes = NULL;
    if (!memory->stream || fclose(memory->stream) != 0 || !whole) {
        free(memory->bytes);
        *memory = (struct us_memory_stream){0};
        return us_fail(UNSEEN_FAILED, what, "there is no memory to write it to");
    }
    *bytes = memory->bytes;
    if (size)
        *size = memory->size;
    *memory = (struct us_memory_stream){0};
    return UNSEEN_OK;
}
