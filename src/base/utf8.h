/* UTF-8. */
#ifndef US_BASE_UTF8_H
#define US_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Bytes of the UTF-8 sequence at `text`, which ends with a zero byte: 1..4; 0 if it is malformed, overlong, a
 * surrogate or past U+10FFFF. */
int us_utf8_length(const char *text);

/* True for a control character but for tab and line feed, and for one that turns the direction of the text
 * behind it (U+202A..202E, U+2066..2069). `text` begins with a whole character. */
bool us_utf8_is_hidden(const char *text);

/* Copy `text` to `to` [size] as a terminal may see it: U+FFFD for malformed and hidden characters and, if it
 * has to fit a line, for tabs and line feeds. What finds no room is left out. Returns the number of
 * characters. */
US_SHARED int us_utf8_show(const char *text, bool one_line, char *to, size_t size);

#endif
