/* A text taken apart into lines where it lies. */
#ifndef US_BASE_LINES_H
#define US_BASE_LINES_H

#include <stdint.h>

#include "base/status.h"

struct us_lines {
    int64_t line; /* the number of the current line, from 1 on */
    char *next;   /* NULL: there is no more */
};

/* Begin with a zero-terminated text that stays and is written to; a byte order mark is passed over. */
struct us_lines us_lines_of(char *text);

/* The next line that holds more than blanks, without its line end (\n or \r\n); NULL behind the last one. */
char *us_next_line(struct us_lines *lines);

/* Read a whole text file. UNSEEN_BAD_DATA if it holds a zero byte. Fresh memory. */
enum unseen_status us_read_text(const char *path, char **text);

#endif
