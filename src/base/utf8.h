/* UTF-8. */
#ifndef US_BASE_UTF8_H
#define US_BASE_UTF8_H

/* Bytes of the UTF-8 sequence at `text`, which ends with a zero byte: 1..4; 0 if it is malformed, overlong, a
 * surrogate or past U+10FFFF. */
int us_utf8_length(const char *text);

#endif
