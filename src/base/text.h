/* Numbers as text, the same in every locale: a program that uses the library may have set one that writes
 * 0,5. All that is kept in files, or parsed, goes through here, as do us_format, us_fail, us_hint and us_log.
 * Bytes above 127 are no letters. */
#ifndef US_BASE_TEXT_H
#define US_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* strtod. */
double us_read_number(const char *text, char **end);

/* fprintf, and snprintf. */
int us_print(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));
int us_print_to(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int us_vprint_to(char *text, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* vasprintf. */
int us_vprint_new(char **text, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* "50,000". Returns `text`. */
enum { US_NUMBER = 32 };
US_SHARED const char *us_count_text(int64_t count, char text[US_NUMBER]);

/* The thread's locale while other libraries read or write numbers: C between the two. us_c_locale_end takes
 * what us_c_locale_begin gave. */
void *us_c_locale_begin(void);
void us_c_locale_end(void *before);

static inline bool us_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool us_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool us_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline char us_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline char us_upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

/* strcasecmp(a, b) == 0. */
bool us_same_letters(const char *a, const char *b);

#endif
