/* CSV. Writing: RFC 4180, with line feeds alone at line ends. Reading: that, and what spreadsheets make of
 * it. */
#ifndef US_BASE_CSV_H
#define US_BASE_CSV_H

#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* One field, quoted if it holds a comma, a quote, a line break or blanks at an end; NULL is an empty field.
 * Commas and line ends are the caller's; so is checking the stream (us_atomic_commit does). */
US_SHARED void us_csv_field(FILE *stream, const char *text);

/* A table that is read row by row. Fields are separated by commas, or by semicolons or tabs if the first line
 * has no comma, or by what a line "sep=;" before it says. Lines end with \n, \r\n or \r; blank ones are
 * passed over. Fields in double quotes may hold all of these, a double quote twice; others lose the blanks at
 * their ends. A byte order mark is passed over. */
struct us_csv {
    int64_t line; /* where the current row begins, from 1 on */
    char **field; /* [n], zero-terminated, in the text that was read; valid until us_csv_close */
    int n;
    /* The rest is us_csv_*'s own. */
    const char *file;
    char *text, *at;
    int64_t next_line;
    int room;
    char separator;
};

/* Read the file at once; `file` stands in messages and is borrowed. UNSEEN_BAD_DATA if it holds a zero byte,
 * as UTF-16 does. Ends with us_csv_close, also after a failure; `csv` is zeroed by the caller. */
enum unseen_status us_csv_open(const char *file, struct us_csv *csv);
void us_csv_close(struct us_csv *csv);

/* Step to the next row; `there` is false behind the last one. UNSEEN_BAD_DATA, naming the line, for a quote
 * that is not closed or has text behind it. */
enum unseen_status us_csv_next(struct us_csv *csv, bool *there);

/* UNSEEN_BAD_DATA, recorded as "FILE: line N: ...", of the current row. */
enum unseen_status us_csv_fail(const struct us_csv *csv, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
