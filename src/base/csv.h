/* Writing CSV: RFC 4180, with line feeds alone at line ends. */
#ifndef US_BASE_CSV_H
#define US_BASE_CSV_H

#include <stdio.h>

/* One field, quoted if it holds a comma, a quote, a line break or blanks at an end; NULL is an empty field.
 * Commas and line ends are the caller's; so is checking the stream (us_atomic_commit does). */
void us_csv_field(FILE *stream, const char *text);

#endif
