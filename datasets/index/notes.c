#include "config.h"

#include "datasets/index/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* A line begins with its level as a letter. */
enum { FIRST = 'a' };

enum unseen_status us_note(struct us_text *notes, enum unseen_log_level level, const char *format, ...)
{
    char *line = NULL, *whole = NULL;
    uint64_t at;
    enum unseen_status st = UNSEEN_OK;
    va_list args;
    va_start(args, format);
    if (us_vprint_new(&line, format, args) < 0)
        line = NULL;
    va_end(args);
    US_TRY_ALLOC(line);
    US_TRY_ALLOC(whole = us_format("%c%s", FIRST + (int)level, line));
    st = us_text_add(notes, whole, &at);
out:
    free(whole);
    free(line);
    return st;
}

void us_notes_tell(const struct us_text *notes)
{
    for (size_t at = 0; at < notes->size; at += strlen(notes->text + at) + 1)
        us_log((enum unseen_log_level)(notes->text[at] - FIRST), "%s", notes->text + at + 1);
}
