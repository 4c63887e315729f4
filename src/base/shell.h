/* Command lines as a shell reads them. */
#ifndef US_BASE_SHELL_H
#define US_BASE_SHELL_H

#include "base/status.h"

/* The arguments [n] as one line that a shell splits into the same arguments: bare where that is safe, else in
 * '...'; an argument with control characters or bytes that are not UTF-8 in $'...', which bash, zsh and ksh
 * read. The line is UTF-8 without control characters. Fresh memory, freed with free(); NULL on failure,
 * recorded. */
US_SHARED char *us_shell_line(int n, char *const *arguments);

#endif
